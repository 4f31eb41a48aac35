"""Replies to a contact, and read marks."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from crm.choices import ConversationStatus, Direction
from crm.error_codes import ErrorCode
from crm.models import Contact, Conversation, PhoneLine, User
from crm.refusals import Refusal
from messaging.choices import MessageKind
from messaging.models import Message
from messaging.services.outbound.message_files import attach_files, check_line
from messaging.services.outbound.outbox import queue_message
from messaging.services.scheduled import check_send_at


class LineRequired(Refusal):
    """The phone line of a reply can't be determined."""

    code, attr = ErrorCode.REQUIRED, "phone_line"


def queue_reply(
    *,
    contact: Contact,
    body: str,
    user: User,
    line: PhoneLine | None = None,
    send_at: datetime | None = None,
    hold_if_reply: bool = False,
    attachments: Sequence[int] = (),
) -> Message:
    """Queue a reply to the contact over `line`, else the line of the latest conversation, else the only line.

    With `send_at` it is a scheduled message, which leaves then.

    Raises:
        SendTimeRefused: `send_at` is past, or too far ahead.
        LineRequired: the contact has no conversation, and the company has several phone lines.
        SendBlocked: the send policy blocks the message.
        MediaUnsupported: the line's provider can't send the attachments.
        FilesUnusable: an attachment is no unused upload, or they are too large.
    """
    if send_at is not None:
        check_send_at(send_at)
    line = line or reply_line(contact)
    if line is None:
        raise LineRequired("Required: the contact has no conversation yet.")
    if attachments:
        check_line(line)
    with transaction.atomic():
        message = queue_message(
            contact=contact,
            line=line,
            body=body,
            kind=MessageKind.SCHEDULED if send_at else MessageKind.REPLY,
            user=user,
            send_at=send_at,
            hold_if_reply=hold_if_reply,
        )
        if attachments:
            attach_files(message=message, ids=attachments)
        waiting = Conversation.objects.filter(contact=contact, phone_line=line, status=ConversationStatus.WAITING)
        waiting.update(status=ConversationStatus.OPEN)
    return message


def mark_thread_read(*, contact: Contact) -> int:
    """Mark the contact's incoming messages as read. Returns how many were unread."""
    return Message.objects.unread().filter(contact=contact).update(read_at=timezone.now())


def mark_thread_unread(*, contact: Contact) -> int:
    """Mark the contact's latest incoming message as unread. Returns how many were: 1, or 0 if there is none."""
    incoming = Message.objects.filter(contact=contact, direction=Direction.INCOMING)
    latest = list(incoming.order_by("-created_at", "-id").values_list("pk", flat=True)[:1])
    return Message.objects.filter(pk__in=latest).update(read_at=None)


def reply_line(contact: Contact) -> PhoneLine | None:
    """Return the line of the contact's latest conversation, else the only line of the company."""
    newest = (
        Conversation.objects.filter(contact=contact)
        .order_by("-last_activity_at", "-id")
        .select_related("phone_line")
        .first()
    )
    if newest:
        return newest.phone_line
    lines = list(PhoneLine.objects.order_by("id")[:2])
    return lines[0] if len(lines) == 1 else None
