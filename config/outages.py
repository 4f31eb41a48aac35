"""Responses to failures outside of the API's views."""

import sys
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import requires_csrf_token
from django.views.defaults import bad_request, server_error

from crm.error_codes import ErrorCode
from crm.outages import RETRY_AFTER_S, outage_code


def outage_response(request: HttpRequest, code: ErrorCode) -> HttpResponse:
    """Return a 503 with the time to wait: JSON to programs, to people a page that needs no database."""
    if _is_from_program(request):
        response: HttpResponse = JsonResponse(code.body(), status=code.status)
    else:
        page = render_to_string("503.html", {"detail": code.detail, "seconds": RETRY_AFTER_S})
        response = HttpResponse(page, status=code.status)
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
        code = outage_code(error)
        return outage_response(request, code) if code else None


@requires_csrf_token
def internal_error(request: HttpRequest) -> HttpResponse:
    """Answer an error that no view raised, such as one on saving the session."""
    code = outage_code(sys.exc_info()[1])
    if code:
        return outage_response(request, code)
    return _coded_response(ErrorCode.ERROR) if _is_from_program(request) else server_error(request)


def refused_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django refuses before any view, such as one for another host."""
    return _coded_response(ErrorCode.BAD_REQUEST) if _is_from_program(request) else bad_request(request, exception)


def _is_from_program(request: HttpRequest) -> bool:
    return request.path_info.startswith(("/api/", "/webhooks/"))


def _coded_response(code: ErrorCode) -> JsonResponse:
    return JsonResponse(code.body(), status=code.status)
