"""Outbox: the message rows are the queue."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from crm.choices import ActivityType, Direction
from crm.db.tenancy import current_company_id
from crm.models import Activity, CampaignMembership, Contact, Conversation, PhoneLine, User
from messaging.choices import MessageKind, MessageStatus
from messaging.models import Message
from messaging.services.outbound.send_policy import SendBlocked, can_be_deferred, check_message

__all__ = ["SendBlocked", "queue_message"]


def queue_message(
    *,
    contact: Contact,
    line: PhoneLine,
    body: str,
    kind: MessageKind,
    user: User | None = None,
    membership: CampaignMembership | None = None,
    send_at: datetime | None = None,
    hold_if_reply: bool = False,
) -> Message:
    """Queue a message to the contact's main number. A worker checks the send policy again and sends it.

    A message that may be sent later waits in the queue, except for kinds that leave at once. Whether the hour and the
    line allow a scheduled one is decided at its time.

    Raises:
        SendBlocked: the send policy blocks the message; nothing is queued.
    """
    now = timezone.now()
    run_at, error = now, ""
    try:
        check_message(contact=contact, phone=contact.phone, line=line, kind=kind, body=body, now=now)
    except SendBlocked as blocked:
        if blocked.retry_at is None or not can_be_deferred(kind):
            raise
        run_at, error = blocked.retry_at, str(blocked)
    if send_at is not None:
        run_at, error = send_at, ""
    company_id = current_company_id()
    with transaction.atomic():
        conversation, _ = Conversation.objects.get_or_create(company_id=company_id, contact=contact, phone_line=line)
        Conversation.objects.filter(pk=conversation.pk, last_activity_at__lt=now).update(last_activity_at=now)
        activity = Activity.objects.create(
            company_id=company_id,
            contact=contact,
            conversation=conversation,
            user=user,
            activity_type=ActivityType.MESSAGE,
            direction=Direction.OUTGOING,
            body=body,
            created_at=now,
        )
        return Message.objects.create(
            company_id=company_id,
            activity=activity,
            contact=contact,
            phone_line=line,
            membership=membership,
            direction=Direction.OUTGOING,
            kind=kind,
            from_number=line.number,
            to_numbers=[contact.phone],
            body=body,
            status=MessageStatus.QUEUED,
            error=error,
            created_at=now,
            run_at=run_at,
            send_at=send_at,
            hold_if_reply=hold_if_reply,
        )
