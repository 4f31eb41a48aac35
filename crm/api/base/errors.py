"""Error responses: 400 by field name, 404 for missing and other companies' rows, 409 with a reason."""

from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import IntegrityError
from django.db.models import ProtectedError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler as rest_exception_handler

from crm.api.base.etags import Stale
from crm.outages import RETRY_AFTER_S, outage_message
from crm.refused_writes import Cause, RefusedWrite, explain


class Conflict(APIException):
    """The request is valid but conflicts with the current data."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "This conflicts with the current data."
    default_code = "conflict"

    def __init__(self, detail: str | None = None, *, code: str | None = None, attr: str | None = None, **more: Any):
        """Create the error. With a `code` the response has the shape of coded errors, and `more`."""
        super().__init__(detail, code)
        self.body = None
        if code:
            self.body = {
                "type": "client_error",
                "errors": [{"code": code, "detail": str(self.detail), "attr": attr}],
                **more,
            }


class Unavailable(APIException):
    """The database failed for now. DRF sends `wait` as Retry-After."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "unavailable"
    wait = RETRY_AFTER_S


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return DRF's response, or the response to a database error."""
    if isinstance(error, ProtectedError):
        names = sorted({str(type(row)._meta.verbose_name_plural) for row in error.protected_objects})
        error = Conflict(f"Can't be deleted: it still has {', '.join(names)}.")
    elif isinstance(error, IntegrityError):
        # Serializers check constraints first. Another row was written in between, so the answer is the same.
        refused = explain(error)
        if refused is None:
            return None  # a fault of ours: 500, logged with its traceback
        error = _as_api_error(refused)
    elif message := outage_message(error):
        error = Unavailable(message)
    elif isinstance(error, SuspiciousOperation):
        error = ParseError("The request isn't valid.")  # such as too many parameters
    response = rest_exception_handler(error, context)
    if response and isinstance(error, Stale):
        response["ETag"] = error.etag
    if response and isinstance(error, Conflict) and error.body:
        response.data = error.body
    return response


def _as_api_error(refused: RefusedWrite) -> APIException:
    if refused.cause in (Cause.VALUE, Cause.MISSING):
        return ValidationError({refused.field: [refused.sentence]})
    return Conflict(refused.sentence)


@csrf_exempt
def api_not_found(_request: HttpRequest) -> JsonResponse:
    """Answer unknown URLs below /api/ with JSON instead of Django's page."""
    return JsonResponse({"detail": "Not found."}, status=404)
