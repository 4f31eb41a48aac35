"""Sources of a timeline, each a query that is served by an index beginning with the contact."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from calls.models import Appointment, Call
from crm.models import Activity, CampaignMembership, Contact, ContactFlag


@dataclass(frozen=True)
class Source:
    name: str
    time: str
    """Field with the time by which rows are sorted."""
    rows: Callable[[Contact], Any]
    resource: str
    """The API's resource whose lists show these rows: a user sees in a timeline what they see there."""


@dataclass(frozen=True)
class TimelineEntry:
    kind: str
    at: datetime
    row: Any
    """The row to show: a message, a call, a note, …"""
    source: str
    key: int
    """The id of the source's row, which may differ from the row to show."""
    author: int | None = None
    """The id of the user who wrote or called."""


def activities_of(contact: Contact) -> Any:
    return Activity.objects.filter(contact=contact).select_related("message__membership", "call__detail")


def calls_without_activity(contact: Contact) -> Any:
    """Return the calls that no webhook event reported, which therefore have no activity."""
    return Call.objects.filter(contact=contact, activity__isnull=True).select_related("detail")


def appointments_of(contact: Contact) -> Any:
    return Appointment.objects.filter(contact=contact)


def flags_of(contact: Contact) -> Any:
    return ContactFlag.objects.filter(contact=contact)


def campaign_sends_of(contact: Contact) -> Any:
    """Return the campaign sends without a message in a conversation: those with one are activities already."""
    sent = CampaignMembership.objects.filter(contact=contact, sent_at__isnull=False, messages__isnull=True)
    return sent.select_related("campaign")


SOURCES = (
    Source("activity", "created_at", activities_of, "activities"),
    Source("appointment", "scheduled_start", appointments_of, "appointments"),
    Source("call", "created_at", calls_without_activity, "calls"),
    Source("campaign_send", "sent_at", campaign_sends_of, "campaign-memberships"),
    Source("flag", "created_at", flags_of, "contact-flags"),
)


def entry_of(row: Any, source: Source) -> TimelineEntry:
    at = getattr(row, source.time)
    if not isinstance(row, Activity):
        return TimelineEntry(kind=source.name, at=at, row=row, source=source.name, key=row.pk)
    kind = row.activity_type
    shown = getattr(row, kind, row)  # its message or call; a note is the activity itself
    return TimelineEntry(kind=kind, at=at, row=shown, source=source.name, key=row.pk, author=row.user_id)
