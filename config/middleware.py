"""What is asked of every request, and said with every answer, whichever door it comes to."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from crm.db.tenancy import statement_limits

Next = Callable[[HttpRequest], HttpResponse]

FEATURES = "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()"
NUL = "Null characters are not allowed."


class SecurityHeaders:
    """The headers that neither Django nor a library of ours sets."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Permissions-Policy", FEATURES)
        if request.path_info.startswith("/api/"):
            response.setdefault("Cache-Control", "no-store")  # answers hold what customers said
        return response


class DatabaseLimits:
    """Nobody waits for an answer for ever, and one slow question must not hold a process of the web server."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with statement_limits(
            statement_timeout=settings.WEB_STATEMENT_TIMEOUT_MS, lock_timeout=settings.WEB_LOCK_TIMEOUT_MS
        ):
            return self.get_response(request)


class RequestLimits:
    """Refuses what no door could use, before any work is done for it: 413 for a large body, 400 for a NUL character.

    Webhooks have a limit of their own, so that a delivery is stored whatever is in it.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info:
            return JsonResponse({"detail": NUL}, status=400)
        if "%00" in request.META.get("QUERY_STRING", ""):  # PostgreSQL has no text that holds one
            names = [name for name, values in request.GET.lists() if "\0" in "".join([name, *values])]
            return JsonResponse({name: [NUL] for name in names}, status=400)
        # A body without a length is empty to Django, so the header says it all.
        size = request.META.get("CONTENT_LENGTH", "")
        too_large = size.isdigit() and int(size) > settings.REQUEST_MAX_SIZE
        if too_large and not request.path_info.startswith("/webhooks/"):
            return JsonResponse({"detail": f"The body is larger than {settings.REQUEST_MAX_SIZE:,} bytes."}, status=413)
        return self.get_response(request)
