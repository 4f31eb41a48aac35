"""Sending queued messages: any number of workers send each message once, at the pace of its line.

A message is claimed (`sending`), it departs (`sent_at`), the provider is called, and the result is recorded. That is
three short transactions, and a call outside of any. If a worker is killed in between, the lease runs out and the
outcome is looked up (`messaging.services.outbound.unknown_sends`).
"""

import logging
from datetime import UTC, datetime, timedelta
from typing import cast

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from crm.db.tenancy import all_tenants, all_tenants_autocommit, tenant
from crm.models import Contact, PhoneLine
from crm.services.opt_outs import lock_opt_out
from messaging.choices import MessageStatus
from messaging.models import Message
from messaging.providers.errors import SendError, UnknownOutcome
from messaging.providers.interfaces import Line, SentMessage, SMSClient
from messaging.providers.registry import client_for_sending
from messaging.services.outbound.campaign_progress import update_membership
from messaging.services.outbound.holding import hold_messages, is_stale, stale_reason
from messaging.services.outbound.provider_health import call_provider
from messaging.services.outbound.send_policy import SendBlocked, check_message, recheck_before_send
from messaging.services.outbound.send_results import apply_send_result, block_message, postpone_message
from messaging.sms_segments import count_segments

PENDING_HORIZON = timedelta(minutes=10)

logger = logging.getLogger(__name__)


def send_next_message() -> bool:
    """Send the message that has waited longest, of any company. Returns False if none may be sent now."""
    with all_tenants():
        ready = Message.objects.ready_to_send(timezone.now()).values_list("company_id", "phone_line_id").first()
    if ready is None:
        return False
    company_id, line_id = ready
    with tenant(company_id):
        message = claim_message(line_id=line_id)
    if message is not None:
        outcome = send_to_provider(message=message)
        try:
            apply_send_result(message=message, outcome=outcome)
        except Exception as error:
            if not connection.is_usable():
                raise  # the lease ends, and the message is looked up
            postpone_message(message=message, error=error)
    return True


def is_message_due() -> bool:
    with all_tenants_autocommit():
        return Message.objects.ready_to_send(timezone.now()).exists()


def has_pending_messages() -> bool:
    """Return whether any message is pending. Messages deferred by quiet hours or their line for long don't count."""
    with all_tenants():
        return Message.objects.pending_until(timezone.now() + PENDING_HORIZON).exists()


def claim_message(*, line_id: int) -> Message | None:
    """Mark the line's next message as `sending` and count it.

    Returns None if another worker was faster, or the send policy blocks the message. The lock on the line makes all
    workers keep one pace: the next one waits until `next_send_at` has advanced. The end of the lease, in `run_at`,
    identifies the claim.
    """
    with transaction.atomic():
        lines = PhoneLine.objects.select_for_update(no_key=True, of=("self",)).select_related("company")
        line = lines.get(pk=line_id)
        now = timezone.now()  # after the lock was acquired
        ready = Message.objects.ready_to_send(now).filter(phone_line=line).select_related("contact")
        message = ready.select_for_update(skip_locked=True, no_key=True, of=("self",)).first()
        if message is None:
            return None
        message.phone_line = line
        try:
            with transaction.atomic():
                return message if _may_leave(message, line, now) else None
        except Exception as error:
            if not connection.is_usable():
                raise
            postpone_message(message=message, error=error)
            return None


def _may_leave(message: Message, line: PhoneLine, now: datetime) -> bool:
    """Mark a message as `sending` and count it, or hold or block it. Returns whether it may be sent."""
    if message.run_at is not None and is_stale(message.run_at):
        hold_messages(messages=Message.objects.filter(pk=message.pk), reason=stale_reason())
        return False
    contact, _ = recipient_and_line(message)
    phone, body = message.to_numbers[0], message.body
    try:
        check_message(contact=contact, phone=phone, line=line, kind=message.kind, body=body, now=now)
    except SendBlocked as blocked:
        block_message(message=message, blocked=blocked)
        return False
    _count_sent(line, count_segments(body), now)
    message.status, message.error, message.error_code = MessageStatus.SENDING, "", ""
    message.tries += 1
    message.sent_at = now
    message.run_at = now + timedelta(seconds=settings.WORKER_LEASE_S)
    message.save(update_fields=["status", "error", "error_code", "tries", "sent_at", "run_at"])
    update_membership(message=message)
    return True


def send_to_provider(*, message: Message) -> SentMessage | SendError | SendBlocked | None:
    """Send a claimed message. Returns the outcome; None if the claim was lost.

    No transaction is open during the call, so nobody waits for a slow provider.
    """
    try:
        client = mark_departure(message=message)
        if client is None:
            return None
        _, line = recipient_and_line(message)
        return call_provider(
            provider=line.provider,
            call=lambda: client.send(line=provider_line(line), to=message.to_numbers[0], body=message.body),
        )
    except (SendBlocked, SendError) as outcome:
        return outcome
    except Exception as error:
        if not connection.is_usable():
            raise
        # An internal error during the call: the message may have been sent.
        logger.exception("Message %d failed.", message.pk)
        return UnknownOutcome(f"Sending it failed ({type(error).__name__}).")


def mark_departure(*, message: Message) -> SMSClient | None:
    """Let a claimed message leave: check it a last time and record the moment in `sent_at`. Returns the client.

    The number's opt-out is locked until this is committed. A STOP was thus either committed before and is seen here, or
    it is committed after the message has left. Returns None if the claim was lost.

    Raises:
        SendBlocked: the message may no longer be sent.
        LineSuspended: the company has no provider account.
    """
    with tenant(message.company_id), transaction.atomic():
        # Lock order: message, opt-out, as where results and receipts are recorded.
        claimed = Message.objects.filter(pk=message.pk, status=MessageStatus.SENDING, run_at=message.run_at)
        if not claimed.select_for_update(no_key=True).exists():
            return None
        lock_opt_out(phone=message.to_numbers[0])
        contact, line = recipient_and_line(message)
        now = timezone.now()  # after the locks were acquired
        recheck_before_send(contact=contact, message=message, now=now)
        client = client_for_sending(line=line)
        message.sent_at, message.run_at = now, now + timedelta(seconds=settings.WORKER_LEASE_S)
        message.save(update_fields=["sent_at", "run_at"])
    return client


def recipient_and_line(message: Message) -> tuple[Contact, PhoneLine]:
    """Return the recipient and the line. A queued message has both, unlike one reported by a provider."""
    return cast(Contact, message.contact), cast(PhoneLine, message.phone_line)


def provider_line(line: PhoneLine) -> Line:
    return Line(number=line.number, provider_id=line.provider_id)


def _count_sent(line: PhoneLine, segments: int, now: datetime) -> None:
    today = now.astimezone(UTC).date()
    line.sent_segments = segments + (line.sent_segments if line.sent_on == today else 0)
    line.sent_on = today
    line.next_send_at = now + timedelta(seconds=1) / settings.SMS_PER_SECOND
    line.save(update_fields=["sent_segments", "sent_on", "next_send_at"])
