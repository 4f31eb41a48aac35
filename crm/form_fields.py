"""Form fields of numbers, days and times, for the admin and the API's filters.

Django's own fields read the digits of every script, and years in which a conversion to another time zone fails.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from crm.date_ranges import FIRST_DAY, LAST_DAY, InvalidDay, parse_day
from crm.instants import FIRST_INSTANT, LAST_INSTANT
from crm.phones import InvalidPhone, normalize_phone

MAX_IDS = 100
IN_PLAIN_DIGITS = "Enter a number in the digits 0 to 9."


def as_sentence(error: ValueError) -> str:
    """Return the message of an error that follows the name of a field, as a sentence of its own."""
    text = str(error)
    return f"{text[0].upper()}{text[1:]}."


class DayFormField(forms.DateField):
    """A day, `YYYY-MM-DD`, from 1970 to 2100."""

    def to_python(self, value: Any) -> date | None:
        if value in self.empty_values or isinstance(value, date):
            return super().to_python(value)
        try:
            return parse_day(str(value).strip())
        except InvalidDay as error:
            raise ValidationError(as_sentence(error), "invalid") from error


class TimeFormField(forms.TimeField):
    """A time of day, `HH:MM`, also with seconds."""

    def to_python(self, value: Any) -> Any:
        if not str(value or "").isascii():
            raise ValidationError("Enter a time such as 14:05, in the digits 0 to 9.", "invalid")
        return super().to_python(value)


class InstantFormField(forms.SplitDateTimeField):
    """A day and a time of day, in UTC, from 1970 to 2100."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fields = tuple(
            kind(required=False, disabled=self.disabled, error_messages=plain.error_messages)
            for kind, plain in zip((DayFormField, TimeFormField), self.fields, strict=True)
        )

    def compress(self, data_list: Any) -> datetime | None:
        instant = super().compress(data_list)
        if instant is not None and not FIRST_INSTANT <= instant <= LAST_INSTANT:
            raise ValidationError(f"Must be a time from {FIRST_DAY} to {LAST_DAY}.", "invalid")
        return instant


class WholeNumberFormField(forms.IntegerField):
    """A whole number. Python would also read `1_000`."""

    def to_python(self, value: Any) -> int | None:
        if value not in self.empty_values and not re.fullmatch(r"\s*-?[0-9]+\s*", str(value)):
            raise ValidationError(IN_PLAIN_DIGITS, "invalid")
        return super().to_python(value)


class PhoneFormField(forms.CharField):
    """A phone number in any format, cleaned to E.164."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=64, **kwargs)

    def clean(self, value: Any) -> str:
        typed = super().clean(value)
        try:
            return normalize_phone(typed) if typed else typed
        except InvalidPhone as error:
            raise ValidationError(str(error), "invalid") from error


class RowFormField(forms.ModelChoiceField):
    """A row, chosen from a list or by its typed id."""

    def to_python(self, value: Any) -> Any:
        _check_id(value)
        return super().to_python(value)

    def prepare_value(self, value: Any) -> Any:
        """Show no row for a text that can't be an id: the widget would look for it in the database, and fail."""
        return super().prepare_value(value) if _may_be_id(value) else None


class RowsFormField(forms.ModelMultipleChoiceField):
    """Several rows, chosen from a list."""

    def clean(self, value: Any) -> Any:
        for row_id in value or ():
            _check_id(row_id)
        return super().clean(value)

    def prepare_value(self, value: Any) -> Any:
        shown = [row_id for row_id in value if _may_be_id(row_id)] if isinstance(value, list) else value
        return super().prepare_value(shown)


class RepeatedFormField(forms.Field):
    """A parameter that may be given several times: ids, and words that the field allows."""

    widget = forms.MultipleHiddenInput

    def __init__(self, *, words: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.words = words

    def to_python(self, value: Any) -> list[int | str]:
        return [typed if typed in self.words else self._as_id(typed) for typed in value or ()]

    def _as_id(self, typed: str) -> int:
        if not re.fullmatch("[0-9]{1,18}", typed) or int(typed) == 0:
            words = ", ".join(self.words)
            raise ValidationError(f"Must be an ID{f' or one of: {words}' if words else ''}.", "invalid")
        return int(typed)


class IdsFormField(forms.Field):
    """Ids, separated by commas: at most 100."""

    def to_python(self, value: Any) -> list[int]:
        text = value or ""
        if not text:
            return []
        if not re.fullmatch(r"[0-9]{1,18}(,[0-9]{1,18})*", text) or text.count(",") >= MAX_IDS:
            raise ValidationError(f"Must be IDs separated by commas, such as 1,2,3: at most {MAX_IDS}.", "invalid")
        return [int(typed) for typed in text.split(",")]


def _check_id(typed: Any) -> None:
    if isinstance(typed, str) and typed and not re.fullmatch(r"\s*[0-9]+\s*", typed):
        raise ValidationError(IN_PLAIN_DIGITS, "invalid_choice")
    if not _may_be_id(typed):
        raise ValidationError("No row has this ID; choose another one.", "invalid_choice")


def _may_be_id(value: Any) -> bool:
    """Return whether this is no text, an empty one, or one that an id's column could hold."""
    return not isinstance(value, str) or not value or is_id(value)


def is_id(text: str) -> bool:
    """Return whether an id's column could hold this text."""
    return bool(re.fullmatch(r"\s*[0-9]{1,18}\s*", text))
