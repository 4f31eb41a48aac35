"""Query parameters that narrow a list. One that the route doesn't know is refused, never passed over."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import django_filters
from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from crm.date_ranges import FIRST_DAY, LAST_DAY, bounds_of

MAX_ID = 2**63 - 1


def check_parameters(request: Request, known: Iterable[str]) -> None:
    """Raises ValidationError naming each query parameter that is unknown, empty, or given more than once.

    Passing over any of them would answer with more rows than were asked for.
    """
    errors = {}
    for name, values in request.query_params.lists():
        if name not in known:
            errors[name] = ["This route knows no such parameter."]
        elif len(values) > 1:
            errors[name] = ["Give it once."]
        elif not values[0].strip():
            errors[name] = ["It is empty."]
    if errors:
        raise ValidationError(errors)


def read_order(request: Request, orders: dict[str, tuple[str, str]]) -> tuple[str, str]:
    """The order that `?order=` names, the first of `orders` by default. Raises ValidationError for another."""
    order = request.query_params.get("order", next(iter(orders)))
    if order not in orders:
        raise ValidationError({"order": [f"Must be one of: {', '.join(orders)}."]})
    return orders[order]


class IdFilter(django_filters.Filter):
    """A row's id. One that can't exist in the database is a bad request, not an error from the database."""

    field_class = forms.IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=1, max_value=MAX_ID, **kwargs)


class DayFilter(django_filters.DateFilter):
    """A day, `YYYY-MM-DD`, within the years that calendars agree on."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        validators = [MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)]
        super().__init__(*args, input_formats=["%Y-%m-%d"], validators=validators, **kwargs)


@extend_schema_field({"type": "boolean"})
class YesNoFilter(django_filters.TypedChoiceFilter):
    """`true` or `false`. Django's own form field would take any other word for no filter."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        choices = [("true", "true"), ("false", "false")]
        super().__init__(*args, choices=choices, coerce=lambda word: word == "true", **kwargs)


class ContactFilterSet(django_filters.FilterSet):
    """`?contact=`, which every list of rows that have a contact takes."""

    contact = IdFilter(field_name="contact_id")


class DaysFilterSet(ContactFilterSet):
    """`start_date` and `end_date`: days of the company, both included, cut in its time zone."""

    start_date = DayFilter(method="within_days", label="First day, in the company's time zone.")
    end_date = DayFilter(method="within_days", label="Last day, included.")
    day_field = "created_at"

    def within_days(self, queryset: QuerySet, name: str, value: date) -> QuerySet:
        zone = self.request.user.company.zone
        if name == "start_date":
            return queryset.filter(**{f"{self.day_field}__gte": bounds_of(value, None, zone)[0]})
        return queryset.filter(**{f"{self.day_field}__lt": bounds_of(None, value, zone)[1]})
