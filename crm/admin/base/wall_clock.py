"""Form fields of instants that staff type in a row's own time zone."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar, cast
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError

from crm.admin.base.forms import RowForm
from crm.date_ranges import FIRST_DAY, LAST_DAY


def shown_in(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return the local date and time without an offset, which a form shows as it is."""
    return instant.astimezone(zone).replace(tzinfo=None)


def read_in(typed: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant of a typed date and time. Of an hour that comes twice, the first is meant.

    Raises:
        ValidationError: the clock skips this time, or the day is out of the range of `crm.date_ranges`.
    """
    if not FIRST_DAY <= typed.date() <= LAST_DAY:  # a conversion of Python's first or last day could fail
        raise ValidationError(f"Must be a day from {FIRST_DAY} to {LAST_DAY}.")
    local = typed.replace(tzinfo=zone)
    if shown_in(local.astimezone(ZoneInfo("UTC")), zone) != typed.replace(tzinfo=None):
        later = (local + timedelta(hours=1)).strftime("%H:%M")
        raise ValidationError(f"The clock in {zone.key} skips this time; enter {later} or later.")
    return local


def describe_moment(instant: datetime | None, zone: ZoneInfo) -> str:
    """Return `2026-03-08 14:05, America/Denver`. Of an hour that comes twice, it says which one."""
    if instant is None:
        return ""
    local = instant.astimezone(zone)
    comes_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    which = f", the {'second' if local.fold else 'first'} time" if comes_twice else ""
    return f"{local:%Y-%m-%d %H:%M}, {zone.key}{which}"


def as_typed(value: Any) -> datetime | None:
    """Return what was typed into Django's field, which takes it for UTC."""
    return value.replace(tzinfo=None) if isinstance(value, datetime) else None


class LocalTimeWidget(forms.SplitDateTimeWidget):
    """The browser's own inputs: the shortcuts of Django's widget, such as Now, are in UTC."""

    def __init__(self) -> None:
        super().__init__(
            date_attrs={"type": "date"}, time_attrs={"type": "time"}, date_format="%Y-%m-%d", time_format="%H:%M"
        )


class LocalTimeFormField(forms.SplitDateTimeField):
    """A time of a form without a row, typed in a zone that the form sets, to the minute."""

    widget = LocalTimeWidget
    zone = ZoneInfo("UTC")

    def compress(self, data_list: Any) -> datetime | None:
        typed = as_typed(super().compress(data_list))
        return read_in(typed, self.zone) if typed else None

    def set_zone(self, zone: ZoneInfo, *, also: str = "") -> None:
        """Type and show the time in this zone, which the help text names."""
        self.zone, self.help_text = zone, f"Local time in {zone.key}.{also}"
        for box, part in zip(cast(LocalTimeWidget, self.widget).widgets, ("date", "time"), strict=True):
            box.attrs["aria-label"] = f"{self.label}: {part}"


class LocalTimesForm(RowForm):
    """Form whose times are typed and shown in the row's time zone, to the minute."""

    local_times: ClassVar[tuple[str, ...]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = self.present_zone()
        for name in self.local_times:
            if name in self.fields:
                self.fields[name].widget = LocalTimeWidget()
                self.fields[name].help_text = f"Local time in {zone or 'the time zone of the company'}."
                if zone and isinstance(self.initial.get(name), datetime):
                    shown = shown_in(self.initial[name], ZoneInfo(zone))
                    self.initial[name] = shown.replace(second=0, microsecond=0)
        self.name_parts()

    def present_zone(self) -> str:
        """Return the name of the saved row's time zone, "" for a new row."""
        raise NotImplementedError

    def read_times(self, cleaned: dict[str, Any], zone: ZoneInfo, also: Iterable[str] = ()) -> None:
        """Replace the typed times by their instants. An unchanged one keeps its instant: an hour may come twice a year.

        Args:
            also: the fields on which the time zone depends.
        """
        for name in self.local_times:
            typed = as_typed(cleaned.get(name))
            if typed is None:
                continue
            if self.instance.pk and not {name, *also} & set(self.changed_data):
                rows = type(self.instance)._default_manager
                cleaned[name] = rows.values_list(name, flat=True).get(pk=self.instance.pk)
                continue
            try:
                cleaned[name] = read_in(typed, zone)
            except ValidationError as error:
                self.add_error(name, error)
