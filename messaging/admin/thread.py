"""A conversation as bubbles: what was said, by whom, and what became of each message."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.urls import reverse

from calls.admin.attachments import open_url
from calls.choices import AttachmentStatus, CallStatus
from calls.models import Attachment, Call
from crm.choices import ActivityType, Direction
from crm.models import Activity, Conversation
from messaging.admin.message_words import STATES, say_state
from messaging.choices import MessageKind, MessageStatus
from messaging.models import Message

PAGE = 40
# Who wrote a message that no user wrote.
AUTHORS = {
    MessageKind.CAMPAIGN: "Campaign",
    MessageKind.REMINDER: "Reminder",
    MessageKind.MISSED_CALL: "Text back",
    MessageKind.ON_THE_WAY: "On the way",
    MessageKind.CONFIRMATION: "Confirmation of a STOP or START",
}


@dataclass(frozen=True)
class File:
    """A file of a message: a stored one opens here, others at the provider."""

    url: str
    label: str
    is_picture: bool
    is_ours: bool


@dataclass(frozen=True)
class Bubble:
    pk: int
    side: str
    """The class in conversations.css: incoming, outgoing or note."""
    author: str
    at: datetime
    clock: str
    """The local time."""
    day: str
    """Empty, unless the day before is another one."""
    text: str
    files: list[File]
    badge: tuple[str, str] | None
    why: str
    url: str


@dataclass(frozen=True)
class Thread:
    bubbles: list[Bubble]
    earlier: int | None
    """The activity before which the earlier page ends; None if there is none."""
    is_latest: bool


def read_thread(conversation: Conversation, *, before: int | None, at: int | None, now: datetime) -> Thread:
    """Return a page of the conversation, oldest first, ending before an activity, at one, or at the latest one."""
    rows = Activity.objects.filter(conversation=conversation).select_related("user")
    end = before or at
    last = rows.filter(pk=end).values_list("created_at", "pk").first() if end else None
    if last:
        moment, pk = last
        upto = Q(pk__lt=pk) if before else Q(pk__lte=pk)
        rows = rows.filter(Q(created_at__lt=moment) | upto, created_at__lte=moment)
    page = list(rows.order_by("-created_at", "-id")[: PAGE + 1])
    has_earlier = len(page) > PAGE
    shown = page[:PAGE][::-1]
    return Thread(_bubbles(conversation, shown, now), shown[0].pk if has_earlier else None, last is None)


def _bubbles(conversation: Conversation, activities: list[Activity], now: datetime) -> list[Bubble]:
    zone = conversation.company.zone
    messages = _by_activity(Message.objects.select_related("phone_line"), activities, ActivityType.MESSAGE)
    calls = _by_activity(Call.objects.select_related("assigned_rep"), activities, ActivityType.CALL)
    with_files = [message.activity_id for message in messages.values() if message.media]
    fetched = _fetched_files(with_files)
    bubbles: list[Bubble] = []
    day = ""
    for activity in activities:
        message, call = messages.get(activity.pk), calls.get(activity.pk)
        at = activity.created_at.astimezone(zone)
        bubbles.append(
            Bubble(
                pk=activity.pk,
                side=activity.direction or "note",
                author=_author(conversation, activity, message),
                at=activity.created_at,
                clock=f"{at:%H:%M}",
                day=f"{at:%A %Y-%m-%d}" if f"{at:%Y-%m-%d}" != day else "",
                text=_text(activity, call),
                files=_files(message.media, fetched.get(activity.pk, {})) if message else [],
                badge=_badge(message, call),
                why=say_state(message, zone=zone, now=now) if message else "",
                url=_url(message, call),
            )
        )
        day = f"{at:%Y-%m-%d}"
    return bubbles


def _by_activity(rows: Any, activities: Iterable[Activity], activity_type: str) -> dict[int, Any]:
    """Return the rows of the activities of this type by their ids."""
    ids = [activity.pk for activity in activities if activity.activity_type == activity_type]
    return {row.activity_id: row for row in rows.filter(activity__in=ids)} if ids else {}


def _author(conversation: Conversation, activity: Activity, message: Message | None) -> str:
    if activity.user:
        return str(activity.user)
    if activity.direction == Direction.INCOMING:
        return str(conversation.contact)
    return AUTHORS.get(message.kind if message else "", str(conversation.phone_line))  # type: ignore[call-overload]


def _text(activity: Activity, call: Call | None) -> str:
    if activity.activity_type == ActivityType.MESSAGE:
        return activity.body
    parts = [activity.get_activity_type_display()]
    if call and call.duration_s:
        parts.append(f"{call.duration_s // 60}:{call.duration_s % 60:02d} minutes")
    head = ", ".join(parts)
    return f"{head}\n{activity.body}" if activity.body else head


def _badge(message: Message | None, call: Call | None) -> tuple[str, str] | None:
    if call:
        status = CallStatus(call.status)
        return status.label, status.color
    if message and message.direction == Direction.OUTGOING:
        return STATES[MessageStatus(message.status)]
    return None


def _fetched_files(activity_ids: Sequence[int]) -> dict[int, dict[int, Attachment]]:
    """Return the stored and failed files of messages by the ids of their activities, and by their positions."""
    found: dict[int, dict[int, Attachment]] = {}
    if activity_ids:
        fetched = Attachment.objects.filter(activity__in=activity_ids).exclude(status=AttachmentStatus.PENDING)
        for attachment in fetched.select_related("file"):
            found.setdefault(attachment.activity_id or 0, {})[attachment.position] = attachment
    return found


def _files(media: list[dict[str, str]], fetched: Mapping[int, Attachment]) -> list[File]:
    """Return the files. Of those that aren't stored: with a URL that a browser may open, since events hold any text.

    A file that could not be fetched says why.
    """
    files = []
    for position, at_provider in enumerate(media):
        attachment, url = fetched.get(position), str(at_provider.get("url", ""))
        if attachment and attachment.file:
            is_picture = attachment.file.is_picture
            files.append(File(open_url(attachment), attachment.file.name, is_picture, is_ours=True))
        elif url.startswith(("https://", "http://")):
            kind = at_provider.get("type")
            label = f"File {position + 1}{f' ({kind})' if kind else ''}"
            label += f", not fetched: {attachment.error}" if attachment else ""
            files.append(File(url, label, is_picture=False, is_ours=False))
    return files


def _url(message: Message | None, call: Call | None) -> str:
    row: Any = message or call
    if row is None:
        return ""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
