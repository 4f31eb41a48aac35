"""Errors that the API's code raises, each with a code of crm/error_codes.py."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.settings import api_settings

from crm.error_codes import ErrorCode
from crm.refused_writes import RefusedWrite

WHOLE_BODY: str = api_settings.NON_FIELD_ERRORS_KEY  # the `attr` of an invalid body, when it isn't about one field


class CodeOfRow(str):
    """The code of an error about a value that an existing row has. DRF keeps nothing of an error but text and code."""

    existing: int

    @classmethod
    def of(cls, code: ErrorCode, existing: int | None) -> "CodeOfRow | ErrorCode":
        if existing is None:
            return code
        made = cls(code.value)
        made.existing = existing
        return made


class CodedError(APIException):
    """An error response with one code, and the facts that a client needs beyond it."""

    def __init__(
        self, code: ErrorCode, detail: str = "", *, attr: str | None = None, existing: int | None = None, **facts: Any
    ) -> None:
        super().__init__(detail or code.detail, CodeOfRow.of(code, existing))
        self.status_code = code.status
        self.attr, self.facts = attr, facts


def invalid(
    attrs: str | Iterable[str],
    detail: str = "",
    *,
    code: ErrorCode = ErrorCode.INVALID,
    existing: int | None = None,
) -> ValidationError:
    """Return the error of a field or parameter, or of several that are invalid for the same reason."""
    names = [attrs] if isinstance(attrs, str) else attrs
    error = ErrorDetail(detail or code.detail, CodeOfRow.of(code, existing))
    return ValidationError({name: [error] for name in names})


def as_error_details(
    refused: Iterable[RefusedWrite], existing: Mapping[str, int] | None = None
) -> dict[str, list[ErrorDetail]]:
    """Return constraints that a row violates as a serializer's errors.

    Args:
        existing: ids of the rows that have the unique values already, by constraint.
    """
    known = existing or {}
    errors: dict[str, list[ErrorDetail]] = {}
    for each in refused:
        name = WHOLE_BODY if each.field == NON_FIELD_ERRORS else each.field
        errors.setdefault(name, []).append(
            ErrorDetail(each.sentence, CodeOfRow.of(each.code, known.get(each.constraint)))
        )
    return errors
