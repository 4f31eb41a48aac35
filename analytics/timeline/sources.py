"""Sources of a timeline, each a query that is served by an index beginning with the contact.

Sources are read as plain rows, like lists: with model instances, a page took three times as long.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from analytics.timeline.entries import SERIALIZERS
from calls.models import Appointment, Call
from crm.api.base.lists import columns_of
from crm.api.base.roles import visible
from crm.choices import ActivityType
from crm.db.prepared import Slot
from crm.models import Activity, CampaignMembership, ContactFlag

# Of the source's row, whichever row is shown.
OF_SOURCE = {"kind", "at", "user"}


@dataclass(frozen=True)
class Column:
    name: str
    path: str
    missing: Any
    """The value in place of NULL."""


@dataclass(frozen=True, eq=False)
class Source:
    """`shown` has, for each kind of entry, the path from the source's row to the row to show, such as `message__`."""

    name: str
    model: Any
    time: str
    """Field with the time by which rows are sorted."""
    rows: Callable[[Slot], Any]
    """Returns the rows of a contact."""
    resource: str
    """The API's resource whose lists show these rows: a user sees in a timeline what they see there."""
    shown: dict[str, str]
    user: str | None = None
    """Field with the user who wrote or called."""
    kind: str | None = None
    """Field with the kind of entry; None if there is one kind."""

    @cached_property
    def columns(self) -> dict[str, list[Column]]:
        """The columns of each kind."""
        return {
            kind: [
                Column(column.name, path + column.source, getattr(fields[column.name], "missing", None))
                for column in columns_of(SERIALIZERS[kind])
                if column.name not in OF_SOURCE
            ]
            for kind, path in self.shown.items()
            for fields in [SERIALIZERS[kind]().fields]
        }

    @cached_property
    def read(self) -> tuple[str, ...]:
        """The columns to read."""
        paths = [column.path for columns in self.columns.values() for column in columns]
        return tuple(dict.fromkeys(filter(None, ["id", self.time, self.user, self.kind, *paths])))

    def rows_for(self, reader: Any) -> Any:
        return visible(self.rows(Slot("contact")), reader, self.resource)

    def entry_of(self, row: dict[str, Any]) -> "TimelineEntry":
        kind = row[self.kind] if self.kind else self.name
        shown = {"kind": kind, "at": row[self.time]}
        if "user" in SERIALIZERS[kind]._declared_fields:
            shown["user"] = row[self.user] if self.user else None
        for column in self.columns[kind]:
            value = row[column.path]
            shown[column.name] = column.missing if value is None else value
        return TimelineEntry(at=row[self.time], source=self.name, key=row["id"], shown=shown)


@dataclass(frozen=True)
class TimelineEntry:
    at: datetime
    source: str
    key: int
    """The id of the source's row, which may differ from that of the row to show."""
    shown: dict[str, Any]


def activities_of(contact: Slot) -> Any:
    return Activity.objects.filter(contact=contact)


def calls_without_activity(contact: Slot) -> Any:
    """Return the calls that no webhook event reported, which therefore have no activity."""
    return Call.objects.filter(contact=contact, activity__isnull=True)


def appointments_of(contact: Slot) -> Any:
    return Appointment.objects.filter(contact=contact)


def flags_of(contact: Slot) -> Any:
    return ContactFlag.objects.filter(contact=contact)


def campaign_sends_of(contact: Slot) -> Any:
    """Return the campaign sends without a message in a conversation: those with one are activities already."""
    return CampaignMembership.objects.filter(contact=contact, sent_at__isnull=False, messages__isnull=True)


ROW_OF_ACTIVITY = dict.fromkeys(ActivityType.values, "") | {"message": "message__", "call": "call__"}

SOURCES = (
    Source(
        "activity", Activity, "created_at", activities_of, "activities", ROW_OF_ACTIVITY, "user_id", "activity_type"
    ),
    Source("appointment", Appointment, "scheduled_start", appointments_of, "appointments", {"appointment": ""}),
    Source("call", Call, "created_at", calls_without_activity, "calls", {"call": ""}),
    Source(
        "campaign_send", CampaignMembership, "sent_at", campaign_sends_of, "campaign-memberships", {"campaign_send": ""}
    ),
    Source("flag", ContactFlag, "created_at", flags_of, "contact-flags", {"flag": ""}),
)
