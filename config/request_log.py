"""The request ID, and the log line and measurement of each request."""

import logging
import re
import time
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.admindocs.views import simplify_regex
from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from config.logs import NO_REQUEST, REQUEST_ID
from config.request_metrics import DURATIONS

log = logging.getLogger(__name__)

HEADER = "X-Request-ID"
VALID_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
FREQUENT = frozenset({"/healthz", "/readyz", "/metrics"})  # requests of programs, a few each minute
POLLED = "/api/v1/changes"  # each open client asks every two seconds
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PATCH", "PUT", "DELETE"})
OTHER = "other"
LINE = "%(method)s %(route)s %(status)s in %(duration_ms)s ms (company %(company_id)s, user %(user_id)s)"


class RequestLog:
    """Names each request by an ID, measures it and logs it by its route: a URL contains phone numbers and names."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        request_id = read_request_id(request)
        REQUEST_ID.set(request_id)
        response = self.get_response(request)
        response[HEADER] = request_id
        if request.path_info not in FREQUENT:
            record_request(request, response.status_code, time.perf_counter() - started)
        return response


@receiver(request_finished)
def forget_request_id(**_signal: Any) -> None:
    """End the request for the log. Django logs its refusals after the last middleware."""
    REQUEST_ID.set(NO_REQUEST)


def read_request_id(request: HttpRequest) -> str:
    """Return the request's own ID if it is valid, else a new one."""
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    return given if VALID_ID.fullmatch(given) else uuid4().hex


def record_request(request: HttpRequest, status: int, seconds: float) -> None:
    """Measure a request that was answered, and log it: as a warning if it was slow, a poll only for debugging."""
    route = request.resolver_match.route if request.resolver_match else OTHER
    method = request.method if request.method in METHODS else OTHER  # a client may send any word
    DURATIONS.labels(shorten_route(route), method, f"{status // 100}xx").observe(seconds)
    slow = 0 < settings.SLOW_REQUEST_MS <= seconds * 1000
    polled = request.path_info == POLLED and status == HTTPStatus.OK
    level = logging.WARNING if slow else logging.DEBUG if polled else logging.INFO
    if log.isEnabledFor(level):
        company_id, user_id = read_company_and_user(request)
        fields = {
            "method": method,
            "route": shorten_route(route),
            "status": status,
            "duration_ms": round(seconds * 1000, 1),
            "company_id": company_id,
            "user_id": user_id,
        }
        log.log(level, f"Slow request: {LINE}" if slow else LINE, fields, extra=fields)


@cache
def shorten_route(route: str) -> str:
    """Return the route without regular expressions: `api/v1/contacts/<pk>`."""
    return re.sub(r"<\w+:", "<", simplify_regex(route)).lstrip("/") or "/"


def read_company_and_user(request: HttpRequest) -> tuple[int | None, int | None]:
    """Return the IDs of the company and the user, as far as the request has read them: logging costs no query."""
    user: Any = getattr(request, "user", None)
    if isinstance(user, SimpleLazyObject):
        user = getattr(request, "_cached_user", None)
    company_id = getattr(user, "company_id", None) or getattr(request, "company_id", None)
    return company_id, getattr(user, "pk", None)
