"""Errors that the API's code raises, each with a code of crm/error_codes.py."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.settings import api_settings

from crm.error_codes import ErrorCode
from crm.refused_writes import RefusedWrite

WHOLE_BODY: str = api_settings.NON_FIELD_ERRORS_KEY  # the `attr` of an invalid body, when it isn't about one field


class CodedError(APIException):
    """An error response with one code, and the facts that a client needs beyond it."""

    def __init__(self, code: ErrorCode, detail: str = "", *, attr: str | None = None, **facts: Any) -> None:
        super().__init__(detail or code.detail, code)
        self.status_code = code.status
        self.attr, self.facts = attr, facts


def invalid(attrs: str | Iterable[str], detail: str = "", *, code: ErrorCode = ErrorCode.INVALID) -> ValidationError:
    """Return the error of a field or parameter, or of several that are invalid for the same reason."""
    names = [attrs] if isinstance(attrs, str) else attrs
    return ValidationError({name: [ErrorDetail(detail or code.detail, code)] for name in names})


def as_error_details(refused: Iterable[RefusedWrite]) -> dict[str, list[ErrorDetail]]:
    """Return constraints that a row violates as a serializer's errors."""
    errors: dict[str, list[ErrorDetail]] = {}
    for each in refused:
        name = WHOLE_BODY if each.field == NON_FIELD_ERRORS else each.field
        errors.setdefault(name, []).append(ErrorDetail(each.sentence, each.code))
    return errors
