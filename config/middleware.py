"""Security headers, statement timeouts and request limits."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from corsheaders.middleware import CorsMiddleware
from csp.constants import HEADER as CSP_HEADER
from csp.utils import build_policy
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers
from whitenoise.middleware import WhiteNoiseMiddleware

from crm.db.rate_counters import MINUTE, seconds_left
from crm.db.replicas import record_write
from crm.db.tenancy import statement_limits
from crm.db.watchdog import REQUESTS
from crm.error_codes import ErrorCode

Next = Callable[[HttpRequest], HttpResponse]

FEATURES = "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()"
GZIP_REFUSED = re.compile(r"\bgzip\s*;\s*q=0(\.0*)?\s*(,|$)", re.IGNORECASE)
COMPRESSED_FROM = 1000  # bytes; below, compression saves no network packet
NUL = "Null characters are not allowed."


class SecurityHeaders:
    """Sets headers that Django doesn't set.

    The content security policy is the same for every response. django-csp's middleware would build it twice for each.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Permissions-Policy", FEATURES)
        if not (settings.DEBUG and response.status_code in (404, 500)):  # Django's pages have scripts of their own
            response.setdefault(CSP_HEADER, content_policy())
        if request.path_info.startswith("/api/"):
            response.setdefault("Cache-Control", "no-store")  # responses contain personal data
        return response


@cache
def content_policy() -> str:
    return str(build_policy())


class Cors(CorsMiddleware):
    """CORS. Most requests have no Origin, and get no header but `Vary: origin`."""

    def __call__(self, request: HttpRequest) -> Any:
        if "HTTP_ORIGIN" in request.META:
            return super().__call__(request)
        response: Any = self.get_response(request)
        if self.is_enabled(request):
            if response.has_header("Vary"):
                patch_vary_headers(response, ["origin"])
            else:
                response.headers["Vary"] = "origin"
        return response


class CompressJson(GZipMiddleware):
    """Compresses responses of the API over 1 kB for clients that accept gzip."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_large = isinstance(response, HttpResponse) and len(response.content) > COMPRESSED_FROM
        if not is_large or not request.path_info.startswith("/api/"):
            return response
        if GZIP_REFUSED.search(request.META.get("HTTP_ACCEPT_ENCODING", "")):  # Django finds the word gzip alone
            patch_vary_headers(response, ["Accept-Encoding"])
            return response
        return super().process_response(request, response)


class RateLimitHeaders:
    """Tells a client how many requests it has left in this minute of the clock.

    The headers are those of the IETF draft "RateLimit header fields for HTTP" (q: quota, w: window, r: remaining,
    t: time until it starts again).
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        usage = getattr(request, "rate_usage", None)
        if usage is not None:
            response["RateLimit-Policy"] = f'"{usage.name}";q={usage.limit};w={MINUTE}'
            response["RateLimit"] = f'"{usage.name}";r={usage.remaining};t={seconds_left()}'
        return response


class DatabaseLimits:
    """Limits statements and lock waits: a slow query or a frozen server must not occupy a server thread."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        limits = statement_limits(
            statement_timeout=settings.WEB_STATEMENT_TIMEOUT_MS, lock_timeout=settings.WEB_LOCK_TIMEOUT_MS
        )
        with limits, REQUESTS.watch():
            return self.get_response(request)


class WritePositions:
    """Keeps the position of each user's last write, so that no replica shows the user an older state.

    Here the view's transaction is committed, and DRF has set the token's user. Pages of the admin count as well.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        writing = request.method not in ("GET", "HEAD", "OPTIONS") and response.status_code < 500
        user = getattr(request, "user", None)
        if settings.REPLICAS and writing and user is not None and user.pk is not None:
            record_write(user.pk)
        return response


class PagesOnly:
    """A middleware for pages. The API has no sessions, messages or files, and reads its users itself."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith("/api/v1/"):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]  # of the middleware


class StaticFiles(PagesOnly, WhiteNoiseMiddleware):
    """Files, by WhiteNoise."""


class Sessions(PagesOnly, SessionMiddleware):
    """Sessions of the admin."""


class Users(PagesOnly, AuthenticationMiddleware):
    """Users of the sessions."""


class Messages(PagesOnly, MessageMiddleware):
    """Messages that the next page shows."""


class RequestLimits:
    """Rejects large bodies (413), bodies of unknown size (411) and NUL characters (400) before any other work.

    Webhooks have a separate limit, so that every webhook event is stored regardless of its content.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info:
            return _refuse(ErrorCode.BAD_REQUEST, NUL)
        if "%00" in request.META.get("QUERY_STRING", ""):  # PostgreSQL can't store it
            names = [name for name, values in request.GET.lists() if "\0" in "".join([name, *values])]
            return _refuse(ErrorCode.UNSTORABLE, NUL, attr=names[0] if names else None)
        if request.META.get("HTTP_TRANSFER_ENCODING"):  # Django would read it as empty
            return _refuse(ErrorCode.LENGTH_REQUIRED)
        size = request.META.get("CONTENT_LENGTH", "")
        limit = settings.UPLOAD_MAX_SIZE if request.path_info in settings.UPLOADS else settings.REQUEST_MAX_SIZE
        too_large = size.isdigit() and int(size) > limit
        if too_large and not request.path_info.startswith("/webhooks/"):
            return _refuse(ErrorCode.BODY_TOO_LARGE, f"The body must be at most {limit:,} bytes.")
        return self.get_response(request)


def _refuse(code: ErrorCode, detail: str = "", *, attr: str | None = None) -> JsonResponse:
    return JsonResponse(code.body(detail, attr=attr), status=code.status)
