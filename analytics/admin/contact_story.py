"""The top of a contact's page: badges, the local time, the latest entries of the timeline, and links to actions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.text import Truncator, capfirst
from django.utils.timezone import now

from analytics.timeline.pagination import Timeline
from analytics.timeline.sources import TimelineEntry
from calls.choices import AppointmentStatus, CallStatus
from calls.models import Appointment, Task
from crm.admin.badges import Badge, badges_of
from crm.choices import Direction, FlagType, MembershipStatus, Role
from crm.db.tenancy import tenant
from crm.models import Contact, Conversation, Invoice, User
from messaging.admin.message_words import STATES
from messaging.admin.recipients import say_local
from messaging.choices import MessageStatus

ENTRIES = 12
ROWS = 5
MAX_TEXT = 300
SIDES: dict[str, str] = {Direction.INCOMING: "from the contact", Direction.OUTGOING: "ours"}
# The page of an entry, by its kind.
PAGES = {
    "message": "messaging_message",
    "call": "calls_call",
    "note": "crm_activity",
    "voicemail": "crm_activity",
    "email": "crm_activity",
    "appointment": "calls_appointment",
    "flag": "crm_contactflag",
    "campaign_send": "crm_campaignmembership",
}


@dataclass(frozen=True)
class Line:
    """One entry of the timeline."""

    when: str
    kind: str
    who: str
    text: str
    badge: tuple[str, str] | None
    url: str


@dataclass(frozen=True)
class Action:
    label: str
    url: str


@dataclass(frozen=True)
class Story:
    contact: Contact
    badges: Sequence[Badge]
    local: str
    zone: str
    lines: Sequence[Line]
    conversations: Iterable[Conversation]
    appointments: Sequence[tuple[str, Appointment]]
    tasks: Sequence[tuple[str, bool, Task]]
    """Open tasks, the most urgent first: when each is due, whether that is past, and its row."""
    invoices: Iterable[Invoice]
    actions: Sequence[Action]


def story_of(contact: Contact, staff: Any) -> Story:
    zone = contact.company.zone
    with tenant(contact.company_id):
        # Staff have no role; they see what the company's manager sees.
        entries = Timeline(contact.pk, user=User(company=contact.company, role=Role.MANAGER)).page(ENTRIES)
        users = User.objects.in_bulk({entry.shown["user"] for entry in entries if entry.shown.get("user")})
    conversations = Conversation.objects.filter(contact=contact).select_related("phone_line", "assignee")
    appointments = Appointment.objects.filter(contact=contact).select_related("assigned_rep")
    tasks = Task.objects.open().filter(contact=contact).select_related("assignee").order_by("due_at", "id")
    moment = now()
    invoices = Invoice.objects.filter(contact=contact).order_by("-due_date", "-id")
    return Story(
        contact=contact,
        badges=badges_of([contact.pk]).get(contact.pk, []),
        local=say_local(contact, moment),
        zone=zone.key,
        lines=[_line(entry, users, zone) for entry in entries],
        conversations=conversations.order_by("-last_activity_at", "-id")[:ROWS],
        appointments=[
            (f"{row.scheduled_start.astimezone(ZoneInfo(row.timezone)):%a %Y-%m-%d %H:%M %Z}", row)
            for row in appointments.order_by("-scheduled_start", "-id")[:ROWS]
        ],
        tasks=[
            (f"{row.due_at.astimezone(zone):%a %Y-%m-%d %H:%M %Z}", row.due_at < moment, row) for row in tasks[:ROWS]
        ],
        invoices=invoices[:ROWS],
        actions=_actions(contact, staff),
    )


def _line(entry: TimelineEntry, users: dict[int, User], zone: ZoneInfo) -> Line:
    shown = entry.shown
    kind = shown["kind"]
    user = users.get(shown.get("user") or 0)
    direction = shown.get("direction")
    return Line(
        when=f"{entry.at.astimezone(zone):%Y-%m-%d %H:%M}",
        kind=capfirst(kind.replace("_send", "").replace("_", " ")),
        who=str(user) if user else SIDES.get(direction or "", ""),
        text=Truncator(_text(kind, shown)).chars(MAX_TEXT),
        badge=_badge(kind, shown),
        url=reverse(f"admin:{PAGES[kind]}_change", args=[shown["id"]]),
    )


def _text(kind: str, shown: dict[str, Any]) -> str:
    match kind:
        case "call":
            seconds = shown["duration_s"]
            length = f"{seconds // 60}:{seconds % 60:02d} minutes. " if seconds else ""
            return length + (shown["summary"] or shown["voicemail_transcript"])
        case "appointment":
            return shown["notes"]
        case "flag":
            return f"{FlagType(shown['flag_type']).label}. {shown['reason']}".strip()
        case "campaign_send":
            return shown["name"]
    body = shown["body"] or ("(picture)" if shown.get("media") else "")
    return f"{body} ({shown['error']})" if shown.get("error") else body


def _badge(kind: str, shown: dict[str, Any]) -> tuple[str, str] | None:
    match kind:
        case "message":
            word = STATES[MessageStatus(shown["status"])]
            return word if shown["direction"] == Direction.OUTGOING else None
        case "call":
            return CallStatus(shown["status"]).label, CallStatus(shown["status"]).color
        case "appointment":
            return AppointmentStatus(shown["status"]).label, shown["status"]
        case "campaign_send":
            return MembershipStatus(shown["status"]).label, shown["status"]
    return None


def _actions(contact: Contact, staff: Any) -> list[Action]:
    """Return what this member of staff may do with the contact."""

    def url(page: str, *args: Any) -> str:
        return reverse(f"admin:{page}", args=args)

    offered = [
        ("crm.change_conversation", "Text", url("crm_conversation_text", contact.pk)),
        ("calls.add_appointment", "Book an appointment", f"{url('calls_appointment_add')}?contact={contact.pk}"),
        ("crm.change_contact", "Add a note", url("crm_contact_note", contact.pk)),
        ("calls.add_task", "Add a task", f"{url('calls_task_add')}?contact={contact.pk}"),
        ("crm.add_contactflag", "Flag", f"{url('crm_contactflag_add')}?contact={contact.pk}"),
        ("calls.change_attachment", "Files", url("calls_attachment_contact", contact.pk)),
        ("crm.change_contact", "Merge", url("crm_contact_merge", contact.pk)),
        ("crm.change_contact", "Export or erase", url("contact_privacy", contact.pk)),
    ]
    return [Action(label, link) for permission, label, link in offered if staff.has_perm(permission)]
