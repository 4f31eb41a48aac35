"""Responses to database failures outside of the API's views."""

import sys
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import requires_csrf_token
from django.views.defaults import server_error

from crm.outages import RETRY_AFTER_S, outage_message


def outage_response(request: HttpRequest, message: str) -> HttpResponse:
    """Return a 503 with the time to wait: JSON to programs, plain text to people."""
    if request.path_info.startswith(("/api/", "/webhooks/")):
        response: HttpResponse = JsonResponse({"detail": message}, status=503)
    else:
        response = HttpResponse(message, status=503, content_type="text/plain; charset=utf-8")
    response["Retry-After"] = str(RETRY_AFTER_S)
    return response


class Outages:
    """Answers failures of the database in views with 503."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = self.get_response(request)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        message = outage_message(error)
        return outage_response(request, message) if message else None


@requires_csrf_token
def internal_error(request: HttpRequest) -> HttpResponse:
    """Answer an error that no view raised, such as one on saving the session."""
    message = outage_message(sys.exc_info()[1])
    return outage_response(request, message) if message else server_error(request)
