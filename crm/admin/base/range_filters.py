"""Filters of lists by days: presets, and from one day to another."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import DateTimeField, QuerySet
from django.http import HttpRequest

from crm.admin.base.served import fixed_columns, is_served
from crm.date_ranges import InvalidDay, bounds_of, parse_day, today_in
from crm.form_fields import as_sentence, is_id
from crm.instants import InvalidInstant, parse_instant
from crm.models import Company

Days = tuple[date | None, date | None]  # both included; None leaves a side open
UTC = ZoneInfo("UTC")
ANY = "any"
ENDS = ("from", "to", "gte", "lt")
IGNORED = {"p", "e", "o"}  # parameters that choose a page or an order

PRESETS = {
    "today": "Today", "yesterday": "Yesterday", "tomorrow": "Tomorrow", "last-7-days": "Last 7 days",
    "next-7-days": "Next 7 days", "this-month": "This month", "coming": "From today on",
}  # fmt: skip
PAST = ("today", "yesterday", "last-7-days", "this-month")
FUTURE = ("today", "tomorrow", "next-7-days", "coming", "last-7-days", "this-month")
SOONEST_FIRST = ("today", "tomorrow", "next-7-days", "coming")


def days_of(preset: str, today: date) -> Days:
    day = timedelta(days=1)
    match preset:
        case "yesterday":
            return today - day, today - day
        case "tomorrow":
            return today + day, today + day
        case "last-7-days":
            return today - 6 * day, today
        case "next-7-days":
            return today, today + 6 * day
        case "this-month":
            return today.replace(day=1), (today.replace(day=1) + 31 * day).replace(day=1) - day
        case "coming":
            return today, None
    return today, today


def zone_of(request: HttpRequest) -> ZoneInfo:
    """Return the zone of the company that the list is filtered by, else UTC. Asked once for a request."""
    if not hasattr(request, "list_zone"):
        company = request.GET.get("company__id__exact", "")
        found = Company.objects.filter(pk=company).first() if is_id(company) else None
        request.list_zone = found.zone if found else UTC  # type: ignore[attr-defined]
    zone: ZoneInfo = request.list_zone  # type: ignore[attr-defined]
    return zone


class RangeFilter(admin.FieldListFilter):
    """Filters by days in the zone of the chosen company, where an index is in the order of the column.

    `?created_at=today` stays the present day in a saved view. Links may also give instants: `?created_at__gte=`.
    """

    template = "admin/range_filter.html"
    presets: ClassVar[tuple[str, ...]] = PAST
    default: ClassVar[str] = ""
    """The preset of a list that nothing else filters."""

    def __init__(
        self, field: Any, request: HttpRequest, params: Any, model: Any, model_admin: Any, field_path: str
    ) -> None:
        self.first, self.last = f"{field_path}__from", f"{field_path}__to"
        self.instants = f"{field_path}__gte", f"{field_path}__lt"
        given = {name: params.pop(name)[-1] for name in (field_path, self.first, self.last) if name in params}
        super().__init__(field, request, params, model, model_admin, field_path)
        self.preset = self._preset_of(field_path, request)
        self.typed = {name: given.get(name, "").strip() for name in (self.first, self.last)}
        self.zone = zone_of(request)
        self.is_active = bool(self.preset or any(self.typed.values()) or self.used_parameters)
        small = model_admin.sortable_by is None
        self.is_served = small or self.has_index(model, field_path, fixed_columns(request))
        self.error = "" if self.is_served or not self.is_active else "Choose a company or a contact as well."

    @classmethod
    def has_index(cls, model: Any, column: str, fixed: Collection[str]) -> bool:
        """Return whether an index has the order of the column, among rows with fixed values of others."""
        return is_served(model, column, fixed)

    @classmethod
    def _preset_of(cls, column: str, request: HttpRequest) -> str:
        is_plain = not request.GET.keys() - IGNORED
        preset = request.GET.get(column, cls.default if is_plain else "")
        return "" if preset == ANY else preset

    @classmethod
    def order(cls, column: str, _: type["RangeFilter"], request: HttpRequest) -> str:
        """Return the order of a list that is filtered by this column; empty if it isn't."""
        if preset := cls._preset_of(column, request):
            return column if preset in SOONEST_FIRST else f"-{column}"
        return f"-{column}" if any(f"{column}__{end}" in request.GET for end in ENDS) else ""

    def expected_parameters(self) -> list[str | None]:
        return [*self.instants]

    @property
    def zone_name(self) -> str:
        return self.zone.key

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        if not self.is_active:
            return None
        if self.error:
            return queryset.none()
        try:
            conditions = self._given() if self.used_parameters else self._conditions(*self._days())
        except (InvalidDay, InvalidInstant) as error:
            self.error = as_sentence(error)
            return queryset.none()
        return queryset.filter(**conditions)

    def _given(self) -> dict[str, date | datetime]:
        """Return the conditions of a link, each with its time as this product writes it."""
        return {name: self._read(self._text_of(name)) for name in self.instants if name in self.used_parameters}

    def _text_of(self, name: str) -> str:
        value: Any = self.used_parameters.get(name, "")
        return str(value[-1] if isinstance(value, list) else value)

    def _read(self, text: str) -> date | datetime:
        is_time = isinstance(self.field, DateTimeField)
        return parse_instant(text, default_zone=UTC) if is_time else parse_day(text)

    def _days(self) -> Days:
        if self.preset:
            if self.preset not in PRESETS:
                raise IncorrectLookupParameters(f"{self.preset} is no preset.")
            return days_of(self.preset, today_in(self.zone))
        first, last = (parse_day(typed) if typed else None for typed in self.typed.values())
        if first and last and last < first:
            raise InvalidDay("the first day must be before the last one")
        return first, last

    def _conditions(self, first: date | None, last: date | None) -> Mapping[str, Any]:
        ends: dict[str, date | datetime | None]
        if isinstance(self.field, DateTimeField):
            start, end = bounds_of(first, last, self.zone)
            ends = {"gte": start, "lt": end}
        else:
            ends = {"gte": first, "lte": last}
        return {f"{self.field_path}__{lookup}": value for lookup, value in ends.items() if value is not None}

    def choices(self, changelist: Any) -> Iterator[Any]:
        own = [self.field_path, self.first, self.last, *self.instants]
        kept = changelist.get_filters_params().items()
        self.hidden = [(name, value) for name, values in kept if name not in own for value in values]
        if changelist.query:
            self.hidden.append(("q", changelist.query))
        everything = changelist.get_query_string({self.field_path: ANY if self.default else None}, [self.field_path])
        yield {"selected": not self.is_active, "query_string": everything, "display": "Any time"}
        if self.used_parameters:
            here = changelist.get_query_string()
            yield {"selected": True, "query_string": here, "display": " to ".join(self._shown())}
        if not self.is_served:
            return
        for name in self.presets:
            link = changelist.get_query_string({self.field_path: name}, [self.field_path])
            yield {"selected": self.preset == name, "query_string": link, "display": PRESETS[name]}

    def _shown(self) -> list[str]:
        return [self._show(self._text_of(name)) for name in self.instants]

    def _show(self, text: str) -> str:
        try:
            end = self._read(text)
        except (InvalidDay, InvalidInstant):
            return text or "…"
        return f"{end.astimezone(self.zone):%Y-%m-%d %H:%M}" if isinstance(end, datetime) else str(end)


class CalendarFilter(RangeFilter):
    """Filters by days that may be to come. Rows of today and later are listed the soonest first."""

    presets = FUTURE
