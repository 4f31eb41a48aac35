"""What we do in the thread with a contact: answer, and read."""

from django.db import transaction
from django.utils import timezone

from crm.choices import ConversationStatus
from crm.models import Contact, Conversation, PhoneLine, User
from messaging.choices import MessageKind
from messaging.models import Message
from messaging.services.outbound.outbox import queue_text


class LineRequired(Exception):
    """It can't be told over which of the company's lines a reply should go."""


def queue_reply(*, contact: Contact, body: str, user: User, line: PhoneLine | None = None) -> Message:
    """Queue a reply to the contact over `line`, or the line that they spoke over last, or the only one there is.

    Raises:
        LineRequired: there is more than one line, and the contact has spoken over none of them.
        SendBlocked: the text may not go.
    """
    line = line or _line_of(contact)
    if line is None:
        raise LineRequired("Say over which line: the contact has no conversation yet.")
    with transaction.atomic():
        message = queue_text(contact=contact, line=line, body=body, kind=MessageKind.REPLY, user=user)
        waiting = Conversation.objects.filter(contact=contact, phone_line=line, status=ConversationStatus.WAITING)
        waiting.update(status=ConversationStatus.OPEN)
    return message


def mark_thread_read(*, contact: Contact) -> int:
    """Mark every text that came in from the contact as read, and return how many were not."""
    return Message.objects.unread().filter(contact=contact).update(read_at=timezone.now())


def _line_of(contact: Contact) -> PhoneLine | None:
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
