"""Filters of the admin's list of messages."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import now

from crm.admin.base.range_filters import RangeFilter
from crm.admin.base.served import fixed_columns
from crm.form_fields import is_id
from messaging.choices import TEXT_STATES, MessageStatus

TIME = "activity__created_at"


class HeldFilter(admin.SimpleListFilter):
    """Held messages only. A filter by any status would read the whole table."""

    title = "waiting for a decision"
    parameter_name = "held"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Held")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet:
        return queryset.filter(status=MessageStatus.HELD) if self.value() == "1" else queryset


class LostFilter(admin.SimpleListFilter):
    """Messages of the last day that were not sent or not delivered, which have an index."""

    title = "delivery"
    parameter_name = "lost"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("day", "Not delivered, last 24 hours")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet:
        return queryset.lost_since(now() - timedelta(days=1)) if self.value() == "day" else queryset


class MessageDays(RangeFilter):
    """Filters a company's messages by the days of their activities, of which an index has the order."""

    @classmethod
    def has_index(cls, model: Any, column: str, fixed: Collection[str]) -> bool:  # noqa: ARG003  # the base's arguments
        return "company" in fixed

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        company = request.GET.get("company__id__exact", "")
        if is_id(company):  # the index begins with the company of the activity
            queryset = queryset.filter(activity__company=company)
        rows = super().queryset(request, queryset)
        return queryset if rows is None else rows


class StateFilter(admin.SimpleListFilter):
    """Outgoing messages in a state, among few: those of a company's days, or of a contact."""

    title = "state"
    parameter_name = "state"
    is_served = False

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        fixed = fixed_columns(request)
        has_days = any(name.startswith(TIME) and value for name, value in request.GET.items())
        self.is_served = "contact" in fixed or ("company" in fixed and has_days)
        shown = self.is_served or self.value() is not None
        return [(state, label) for state, (label, _) in TEXT_STATES.items()] if shown else []

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet | None:
        state = self.value()
        if state is None:
            return None
        if not self.is_served or state not in TEXT_STATES:
            return queryset.none()
        return queryset.in_text_state(state)
