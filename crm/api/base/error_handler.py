"""Error responses, all in one shape: `{"type", "errors": [{"code", "detail", "attr"}]}`."""

import logging
from typing import Any, cast

from django.core.exceptions import SuspiciousOperation
from django.db import IntegrityError
from django.db.models import ProtectedError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler
from drf_standardized_errors.types import Error, ErrorResponse
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.errors import WHOLE_BODY, CodedError, CodeOfRow, as_error_details, invalid
from crm.api.base.plain_words import in_plain_words
from crm.api.base.renderers import FastJSONRenderer
from crm.api.base.roles import visible
from crm.encryption import SecretUnreadable
from crm.error_codes import ErrorCode
from crm.models import User
from crm.outages import RETRY_AFTER_S, outage_code
from crm.refusals import Refusal
from crm.refused_writes import RefusedWrite, explain

logger = logging.getLogger(__name__)
OUR_CODES = {"incorrect_type": ErrorCode.WRONG_TYPE}  # what DRF says of an ID in a form, which is a text


class Unavailable(CodedError):
    """The database failed for now, or the server lacks a key."""

    wait = RETRY_AFTER_S  # sent as Retry-After


class ErrorHandler(ExceptionHandler):
    """Turns exceptions of services, of the database and of Django into error responses."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if isinstance(exc, Refusal):
            existing = self._visible_row(exc)
            if exc.code.status == ValidationError.status_code:
                return invalid(exc.attr or WHOLE_BODY, str(exc), code=exc.code, existing=existing)
            return CodedError(exc.code, str(exc), attr=exc.attr, existing=existing, **exc.facts())
        if isinstance(exc, ProtectedError):
            names = sorted({str(type(row)._meta.verbose_name_plural) for row in exc.protected_objects})
            return CodedError(ErrorCode.IN_USE, f"Can't be deleted: it still has {', '.join(names)}.")
        if isinstance(exc, IntegrityError):
            # Serializers check constraints first. Another row was written in between, so the answer is the same.
            refused = explain(exc)
            return _of_refused_write(refused) if refused else exc
        if code := outage_code(exc):
            return Unavailable(code)
        if isinstance(exc, SecretUnreadable):
            logger.error("%s", exc)
            return Unavailable(ErrorCode.SECRET_UNREADABLE)
        if isinstance(exc, SuspiciousOperation):
            return CodedError(ErrorCode.BAD_REQUEST)  # such as too many parameters
        return super().convert_known_exceptions(exc)

    def _visible_row(self, exc: Refusal) -> int | None:
        """Return the id of the row that has the value already, if the user may see it."""
        if exc.existing is None:
            return None
        resource, row = exc.existing
        rows = visible(
            type(row).objects.filter(pk=row.pk), cast(User, cast(Request, self.context["request"]).user), resource
        )
        pk: int | None = rows.values_list("pk", flat=True).first()
        return pk

    def convert_unhandled_exceptions(self, exc: Exception) -> APIException:
        return exc if isinstance(exc, APIException) else CodedError(ErrorCode.ERROR)

    def get_headers(self, exc: APIException) -> dict[str, str]:
        etag = getattr(exc, "etag", None)
        return super().get_headers(exc) | ({"ETag": etag} if etag else {})

    def get_response(self, exc: APIException, data: dict[str, Any]) -> Response:
        request = self.context["request"]
        if request is not None:  # also of the OpenAPI document, which has other media types
            request.accepted_renderer, request.accepted_media_type = FastJSONRenderer(), FastJSONRenderer.media_type
        return super().get_response(exc, data)

    def report_exception(self, exc: APIException, response: Response) -> None:
        if exc.status_code == ErrorCode.ERROR.status:  # an outage isn't a fault of the program
            super().report_exception(exc, response)


class ErrorFormatter(ExceptionFormatter):
    """The shape of drf-standardized-errors, and beside `errors` what a client needs to continue."""

    def get_errors(self) -> list[Error]:
        detail: Any = self.exc.detail
        if isinstance(detail, dict) and isinstance(detail.get("detail"), str):  # of simplejwt: with its own code
            code = str(detail.get("code", detail["detail"].code))
            return [Error(code, in_plain_words(str(detail["detail"])), None)]
        errors = super().get_errors()
        attr = getattr(self.exc, "attr", None)
        return [
            Error(OUR_CODES.get(error.code, error.code), in_plain_words(error.detail), attr or error.attr)
            for error in errors
        ]

    def format_error_response(self, error_response: ErrorResponse) -> dict[str, Any]:
        body: dict[str, Any] = super().format_error_response(error_response)
        for error in body["errors"]:
            if isinstance(error["code"], CodeOfRow):
                error["existing"] = error["code"].existing
        return body | getattr(self.exc, "facts", {})


def _of_refused_write(refused: RefusedWrite) -> APIException:
    if refused.code.status == ValidationError.status_code:
        return ValidationError(as_error_details([refused]))
    return CodedError(refused.code, refused.sentence)


@csrf_exempt
def api_not_found(_request: HttpRequest) -> JsonResponse:
    """Answer unknown URLs below /api/ like the API, instead of with Django's page."""
    return JsonResponse(ErrorCode.NOT_FOUND.body(), status=404)
