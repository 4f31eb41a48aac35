"""Query parameters and filters of lists."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from crm.date_ranges import bounds_of
from crm.form_fields import DayFormField, WholeNumberFormField

MAX_ID = 2**63 - 1
FREE_TEXT = {"search"}  # Python reads digits of every script in all others


def check_parameters(request: Request, known: Iterable[str]) -> None:
    """Reject query parameters that are unknown, empty or repeated. Ignoring one would return too many rows.

    Raises:
        ValidationError: names each such parameter.
    """
    errors = {}
    for name, values in request.query_params.lists():
        if name not in known:
            errors[name] = ["Unknown query parameter."]
        elif len(values) > 1:
            errors[name] = ["Must be given once."]
        elif not values[0].strip():
            errors[name] = ["Must not be empty."]
        elif name not in FREE_TEXT and not values[0].isascii():
            errors[name] = ["Must be ASCII; write numbers and days with the digits 0 to 9."]
    if errors:
        raise ValidationError(errors)


def check_days(start: date | None, end: date | None) -> None:
    """Raise ValidationError for a range that ends before it starts: an empty list would look like an answer."""
    if start and end and start > end:
        raise ValidationError({"start_date": ["Must not be after end_date."]})


def read_order(request: Request, orders: dict[str, tuple[str, str]]) -> tuple[str, str]:
    """Return the order that `?order=` names, by default the first. Raises ValidationError for an unknown name."""
    order = request.query_params.get("order", next(iter(orders)))
    if order not in orders:
        raise ValidationError({"order": [f"Must be one of: {', '.join(orders)}."]})
    return orders[order]


class IdFilter(django_filters.Filter):
    """A row's id. An id out of the column's range is a bad request, not a database error."""

    field_class = WholeNumberFormField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=1, max_value=MAX_ID, **kwargs)


class DayFilter(django_filters.DateFilter):
    """A day, `YYYY-MM-DD`, from 1970 to 2100."""

    field_class = DayFormField


@extend_schema_field({"type": "boolean"})
class YesNoFilter(django_filters.TypedChoiceFilter):
    """`true` or `false`. Django's own form field ignores any other word."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        choices = [("true", "true"), ("false", "false")]
        super().__init__(*args, choices=choices, coerce=lambda word: word == "true", **kwargs)


class ContactFilterSet(django_filters.FilterSet):
    """`?contact=`, for every list of rows with a contact."""

    contact = IdFilter(field_name="contact_id")


class DaysFilterSet(ContactFilterSet):
    """`start_date` and `end_date`: days in the company's time zone, both included."""

    start_date = DayFilter(method="within_days", label="First day, in the company's time zone.")
    end_date = DayFilter(method="within_days", label="Last day, included.")
    day_field = "created_at"

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        check_days(self.form.cleaned_data["start_date"], self.form.cleaned_data["end_date"])
        return super().filter_queryset(queryset)

    def within_days(self, queryset: QuerySet, name: str, value: date) -> QuerySet:
        zone = self.request.user.company.zone
        if name == "start_date":
            return queryset.filter(**{f"{self.day_field}__gte": bounds_of(value, None, zone)[0]})
        return queryset.filter(**{f"{self.day_field}__lt": bounds_of(None, value, zone)[1]})
