"""Query parameters and filters of lists."""

from collections.abc import Container, Iterable
from datetime import date
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request

from crm.api.base.errors import invalid
from crm.date_ranges import bounds_of
from crm.error_codes import ErrorCode
from crm.form_fields import (
    MAX_IDS,
    DayFormField,
    IdsFormField,
    PhoneFormField,
    RepeatedFormField,
)
from crm.models import Contact, ContactPhone
from crm.search_keys import SHORTEST, is_long_enough
from crm.services.merging.tombstones import stand_ins

MAX_ID = 2**63 - 1
MEANING = {"me": "the signed-in user", "none": "rows without one"}
FREE_TEXT = {"search", "number", "source", "tag"}  # Python reads digits of every script in all others
OF_FIELD = "field."  # parameters about a custom field, which any text may be a value of


def check_parameters(request: Request, known: Iterable[str], *, repeatable: Container[str] = ()) -> None:
    """Reject query parameters that are unknown, empty or repeated. Ignoring one would return too many rows.

    Raises:
        ValidationError: names each such parameter.
    """
    errors = {}
    for name, values in request.query_params.lists():
        if name not in known:
            errors[name] = [ErrorDetail(ErrorCode.UNKNOWN_PARAMETER.detail, ErrorCode.UNKNOWN_PARAMETER)]
        elif len(values) > 1 and name not in repeatable:
            errors[name] = [ErrorDetail("Must be given once.", ErrorCode.INVALID)]
        elif not all(value.strip() for value in values):
            errors[name] = [ErrorDetail("Must not be empty.", ErrorCode.BLANK)]
        elif not _is_free_text(name) and not all(value.isascii() for value in values):
            detail = "Must be ASCII; write numbers and days with the digits 0 to 9."
            errors[name] = [ErrorDetail(detail, ErrorCode.INVALID)]
    if errors:
        raise ValidationError(errors)


def _is_free_text(name: str) -> bool:
    return name in FREE_TEXT or name.startswith(OF_FIELD)


def check_days(start: date | None, end: date | None) -> None:
    """Raise ValidationError for a range that ends before it starts: an empty list would look like an answer."""
    if start and end and start > end:
        raise invalid("start_date", code=ErrorCode.END_BEFORE_START)


class DayFilter(django_filters.DateFilter):
    """A day, `YYYY-MM-DD`, from 1970 to 2100."""

    field_class = DayFormField


@extend_schema_field({"type": "boolean"})
class YesNoFilter(django_filters.TypedChoiceFilter):
    """`true` or `false`. Django's own form field ignores any other word."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        choices = [("true", "true"), ("false", "false")]
        message = {"invalid_choice": "Must be true or false."}
        super().__init__(*args, choices=choices, coerce=lambda word: word == "true", error_messages=message, **kwargs)


class ChoicesFilter(django_filters.MultipleChoiceFilter):
    """One of a column's choices; repeated, any of them."""

    takes_several = True

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        message = f"Must be one of: {', '.join(value for value, _ in choices)}."
        super().__init__(*args, choices=choices, error_messages={"invalid_choice": message}, **kwargs)

    def filter(self, queryset: QuerySet, value: list[str]) -> QuerySet:
        return queryset.filter(**{f"{self.field_name}__in": value}) if value else queryset


class RowFilter(django_filters.Filter):
    """The id of a row that a column refers to; repeated, any of them.

    Args:
        me: whether `me` stands for the signed-in user.
        none: whether `none` stands for rows without one.
    """

    field_class = RepeatedFormField
    takes_several = True

    def __init__(self, *args: Any, me: bool = False, none: bool = False, **kwargs: Any) -> None:
        words = [word for word, allowed in (("me", me), ("none", none)) if allowed]
        super().__init__(*args, words=words, **kwargs)
        value = {"type": "string", "pattern": f"^({'|'.join(['[0-9]+', *words])})$"}
        text = f"IDs{''.join(f', or {word}: {MEANING[word]}' for word in words)}. Repeat it for any of several."
        extend_schema_field({"type": "array", "items": value, "description": text})(self)

    def filter(self, queryset: QuerySet, value: list[int | str]) -> QuerySet:
        if not value:
            return queryset
        ids = [self.parent.request.user.pk if key == "me" else key for key in value if key != "none"]
        chosen = Q(**{f"{self.field_name}__in": ids}) if ids else Q()
        if "none" in value:
            chosen |= Q(**{f"{self.field_name}__isnull": True})
        return queryset.filter(chosen)


class ContactFilter(RowFilter):
    """The id of a contact; repeated, any of them. A merged contact's leads to the one that stayed."""

    def filter(self, queryset: QuerySet, value: list[int]) -> QuerySet:  # type: ignore[override]
        return super().filter(queryset, [*stand_ins(value)])


@extend_schema_field(
    {
        "type": "string",
        "pattern": "^[0-9]+(,[0-9]+)*$",
        "description": f"These rows alone: IDs separated by commas, at most {MAX_IDS}.",
    }
)
class IdsFilter(django_filters.Filter):
    """Ids, separated by commas."""

    field_class = IdsFormField

    def filter(self, queryset: QuerySet, value: list[int]) -> QuerySet:
        return queryset.filter(pk__in=value) if value else queryset


class ContactSearchFilter(django_filters.CharFilter):
    """Rows of contacts that a search finds. `field_name` is the column of the contact."""

    def __init__(self, **kwargs: Any) -> None:
        label = "The beginnings of names or of the email address, a phone number in any format, or its last digits."
        super().__init__(max_length=200, label=label, **kwargs)

    def filter(self, queryset: QuerySet, value: str) -> QuerySet:
        if not value:
            return queryset
        if not is_long_enough(value):
            detail = f"Must have a word of at least {SHORTEST} letters or digits."
            raise invalid("search", detail, code=ErrorCode.MIN_LENGTH)
        return self.of_contacts(queryset, Contact.objects.search(value).values("pk"))

    def of_contacts(self, queryset: QuerySet, contacts: QuerySet) -> QuerySet:
        return queryset.filter(**{f"{self.field_name}__in": contacts})


class OwnerSearchFilter(ContactSearchFilter):
    """Rows of phone numbers whose present owners a search finds. `field_name` is the column of the number."""

    def of_contacts(self, queryset: QuerySet, contacts: QuerySet) -> QuerySet:
        numbers = ContactPhone.objects.filter(contact__in=contacts)
        return queryset.filter(**{f"{self.field_name}__in": numbers.values("phone")})


class PhoneFilter(django_filters.CharFilter):
    """A phone number in any format."""

    field_class = PhoneFormField


class ListFilterSet(django_filters.FilterSet):
    """Filters of every list: `ids`, and the days of the time that the list is ordered by.

    `start_date` and `end_date` are days in the company's time zone, both included.
    """

    ids = IdsFilter()
    start_date = DayFilter(method="within_days", label="First day, in the company's time zone.")
    end_date = DayFilter(method="within_days", label="Last day, included.")
    day_field = "created_at"

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        # A form with fields for all filters would take a tenth of a request's time.
        self.__dict__["base_filters"] = {name: each for name, each in self.base_filters.items() if name in (data or {})}
        super().__init__(data, **kwargs)

    @classmethod
    def repeatable(cls) -> set[str]:
        """Return the names of the parameters that may be given several times."""
        return {name for name, each in cls.base_filters.items() if getattr(each, "takes_several", False)}

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        check_days(self.form.cleaned_data.get("start_date"), self.form.cleaned_data.get("end_date"))
        return super().filter_queryset(queryset)

    def within_days(self, queryset: QuerySet, name: str, value: date) -> QuerySet:
        zone = self.request.user.company.zone
        if name == "start_date":
            return queryset.filter(**{f"{self.day_field}__gte": bounds_of(value, None, zone)[0]})
        return queryset.filter(**{f"{self.day_field}__lt": bounds_of(None, value, zone)[1]})


class ContactFilterSet(ListFilterSet):
    """Filters of every list of rows with a contact: `contact`, and `search` for the contact's name or number."""

    contact = ContactFilter(field_name="contact")
    search = ContactSearchFilter(field_name="contact")
