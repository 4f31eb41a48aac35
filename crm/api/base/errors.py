"""Exceptions as answers: 400 each bad field by name, 404 not there or another company's, 409 with its reason."""

from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import IntegrityError, OperationalError
from django.db.models import ProtectedError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.response import Response
from rest_framework.views import exception_handler as rest_exception_handler


class Conflict(APIException):
    """The request is well-formed, but what stands in the database does not allow it."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "This conflicts with what another request has just written."
    default_code = "conflict"


class QueryTimeout(APIException):
    """PostgreSQL cancelled a statement, or its wait for a lock: see config.middleware.DatabaseLimits."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "This takes too long at the moment. Please try again later."
    default_code = "took_too_long"


CANCELLED = {"57014", "55P03"}  # PostgreSQL's codes: query_canceled, lock_not_available


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's handler, which also knows what the database refuses."""
    if isinstance(error, ProtectedError):
        names = sorted({str(type(row)._meta.verbose_name_plural) for row in error.protected_objects})
        error = Conflict(f"Still referred to by its {', '.join(names)}.")
    elif isinstance(error, IntegrityError):
        # Serializers check constraints beforehand and name the field; what gets here was written in between.
        error = Conflict()
    elif isinstance(error, OperationalError) and getattr(error.__cause__, "pgcode", None) in CANCELLED:
        error = QueryTimeout()
    elif isinstance(error, SuspiciousOperation):
        error = ParseError("The request can't be read.")  # more parameters than a page has, and the like
    return rest_exception_handler(error, context)


@csrf_exempt
def api_not_found(_request: HttpRequest) -> JsonResponse:
    """What is answered below /api/ where no route is: JSON like all else, not Django's page."""
    return JsonResponse({"detail": "Not found."}, status=404)
