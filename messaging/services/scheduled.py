"""Scheduled messages: those that users let leave later. They change and cancel them while they are queued."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from crm.choices import Role
from crm.db.tenancy import tenant
from crm.error_codes import ErrorCode
from crm.models import Activity, User
from crm.refusals import Refusal
from messaging.choices import WRITTEN_BY_USERS, MessageKind, MessageStatus, OwnCode
from messaging.models import Message
from messaging.services.outbound.holding import cancel_messages, release_messages

MAX_AHEAD = timedelta(days=366)
WAITING = (MessageStatus.QUEUED, MessageStatus.HELD)


class SendTimeRefused(Refusal):
    """The chosen time is past, or too far ahead."""

    code, attr = ErrorCode.OUT_OF_RANGE, "send_at"


class NotScheduled(Refusal):
    """The message is no scheduled message that waits: a worker has claimed it, or a person has decided about it."""

    code = ErrorCode.NOT_SCHEDULED


class NotQueued(Refusal):
    """The message doesn't wait: it leaves, has left, or has failed."""

    code = ErrorCode.NOT_QUEUED


class NotWrittenByUser(Refusal):
    """The message is the product's own, such as a campaign's or a reminder: it is a manager's to cancel."""

    code = ErrorCode.PERMISSION_DENIED


class NotHeld(Refusal):
    """The message isn't held because the contact has replied."""

    code = ErrorCode.NOT_HELD


def check_send_at(send_at: datetime) -> None:
    """Check the time that a user has chosen. Raises SendTimeRefused."""
    now = timezone.now()
    if send_at <= now:
        raise SendTimeRefused("Must be in the future.")
    if send_at > now + MAX_AHEAD:
        raise SendTimeRefused(f"Must be within {MAX_AHEAD.days} days.")


def change_scheduled(*, message: Message, body: str | None = None, send_at: datetime | None = None) -> None:
    """Change the text or the time of a scheduled message while it is queued.

    Raises:
        SendTimeRefused: the time is past, or too far ahead.
        NotScheduled: it is no scheduled message, or is no longer queued.
    """
    values: dict[str, Any] = {} if body is None else {"body": body}
    if send_at is not None:
        check_send_at(send_at)
        values |= {"send_at": send_at, "run_at": send_at, "error": "", "error_code": ""}
    queued = Message.objects.filter(pk=message.pk, status=MessageStatus.QUEUED, kind=MessageKind.SCHEDULED)
    if not (queued.update(**values) if values else queued.exists()):
        raise NotScheduled
    if body is not None:
        Activity.objects.filter(pk=message.activity_id).update(body=body)


def cancel_message(*, message: Message, user: User) -> None:
    """Never send a message that is queued or held. Managers cancel any, others what a user has written.

    Raises:
        NotQueued: it doesn't wait.
        NotWrittenByUser: only a manager may cancel it.
    """
    if message.kind not in WRITTEN_BY_USERS and user.role != Role.MANAGER and message.status in WAITING:
        raise NotWrittenByUser("No user has written this message, so only a manager may cancel it.")
    reason = f"{user.get_full_name() or user.username} cancelled it."
    with tenant(message.company_id):
        if not cancel_messages(messages=Message.objects.filter(pk=message.pk), statuses=WAITING, reason=reason):
            raise NotQueued


def send_anyway(*, message: Message) -> None:
    """Queue a message again that was held because the contact has replied. Raises NotHeld."""
    held = Message.objects.filter(pk=message.pk, error_code=OwnCode.REPLIED)
    if not release_messages(messages=held):
        raise NotHeld
