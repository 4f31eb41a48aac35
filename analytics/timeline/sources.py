"""Where a timeline's entries come from: one query for each source, served by an index that begins with the contact."""

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
    """The field that says when a row happened; for a visit, when it is to happen."""
    rows: Callable[[Contact], Any]


@dataclass(frozen=True)
class Entry:
    kind: str
    at: datetime
    row: Any
    """What is shown: a text, a call, a note, …"""
    source: str
    key: int
    """The id of the row that the source gave, which may be another one than that shown."""
    author: int | None = None
    """Who of us did it."""


def activities_of(contact: Contact) -> Any:
    """Texts, calls, voicemails, notes and e-mails, with what hangs on them."""
    return Activity.objects.filter(contact=contact).select_related("message__membership", "call__detail")


def untold_calls_of(contact: Contact) -> Any:
    """Calls that no delivery told of, so that they have no activity."""
    return Call.objects.filter(contact=contact, activity__isnull=True).select_related("detail")


def visits_of(contact: Contact) -> Any:
    return Appointment.objects.filter(contact=contact)


def flags_of(contact: Contact) -> Any:
    return ContactFlag.objects.filter(contact=contact)


def campaign_sends_of(contact: Contact) -> Any:
    """What was sent to the contact for campaigns, but for texts in its thread: those stand in the history already."""
    sent = CampaignMembership.objects.filter(contact=contact, sent_at__isnull=False, messages__isnull=True)
    return sent.select_related("campaign")


SOURCES = (
    Source("activity", "created_at", activities_of),
    Source("appointment", "scheduled_start", visits_of),
    Source("call", "created_at", untold_calls_of),
    Source("campaign_send", "sent_at", campaign_sends_of),
    Source("flag", "created_at", flags_of),
)


def entry_of(row: Any, source: Source) -> Entry:
    at = getattr(row, source.time)
    if not isinstance(row, Activity):
        return Entry(kind=source.name, at=at, row=row, source=source.name, key=row.pk)
    kind = row.activity_type
    shown = getattr(row, kind, row)  # its text or call; of a note there is no more
    return Entry(kind=kind, at=at, row=shown, source=source.name, key=row.pk, author=row.user_id)
