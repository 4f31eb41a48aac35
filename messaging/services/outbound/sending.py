"""Sending what is queued: by any number of workers, each text once, at the pace of its line.

A text is marked and committed before its provider is called, and settled after. A worker that is killed in between
leaves a mark that runs out; what became of the text is then looked up (`messaging.services.outbound.unknown_sends`).
"""

import logging
from datetime import UTC, datetime, timedelta
from typing import cast

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from crm.db.tenancy import all_tenants, tenant
from crm.models import Activity, Contact, PhoneLine
from crm.services.opt_outs import lock_opt_out
from messaging.choices import MessageStatus
from messaging.models import Message
from messaging.providers.registry import client_for_sending
from messaging.providers.sms_client import Line, SendError, SentText, UnknownOutcome
from messaging.services.outbound.campaign_progress import follow_membership
from messaging.services.outbound.send_policy import SendBlocked, check_text, recheck_before_send
from messaging.services.outbound.send_results import apply_send_result, block_text
from messaging.sms_segments import count_segments

SOON = timedelta(minutes=10)

logger = logging.getLogger(__name__)


def send_next_text() -> bool:
    """Send the text that has waited longest, of any company. False if none may go now."""
    with all_tenants():
        ready = Message.objects.ready_to_leave(timezone.now()).values_list("company_id", "phone_line_id").first()
    if ready is None:
        return False
    company_id, line_id = ready
    with tenant(company_id):
        message = claim_text(line_id=line_id)
    if message is not None:
        apply_send_result(message=message, outcome=call_provider(message=message))
    return True


def texts_are_left() -> bool:
    """Whether any text is on its way. Those held until later, for quiet hours or by their line, are left to them."""
    with all_tenants():
        return Message.objects.on_their_way(timezone.now() + SOON).exists()


def claim_text(*, line_id: int) -> Message | None:
    """The line's next text, marked as leaving and counted. None if another worker was faster, or the gate refuses it.

    The lock on the line makes any number of workers keep one pace: none looks before the one ahead has moved
    `next_send_at` on. The lease, in `run_at`, is what the caller knows the text by.
    """
    with transaction.atomic():
        lines = PhoneLine.objects.select_for_update(no_key=True, of=("self",)).select_related("company")
        line = lines.get(pk=line_id)
        now = timezone.now()  # once the lock is ours
        ready = Message.objects.ready_to_leave(now).filter(phone_line=line).select_related("contact")
        message = ready.select_for_update(skip_locked=True, no_key=True, of=("self",)).first()
        if message is None:
            return None
        message.phone_line = line
        contact, _ = recipient_and_line(message)
        phone, body = message.to_numbers[0], message.body
        try:
            check_text(contact=contact, phone=phone, line=line, kind=message.kind, body=body, now=now)
        except SendBlocked as refusal:
            block_text(message=message, refusal=refusal)
            return None
        _count(line, count_segments(body), now)
        message.status, message.error, message.error_code = MessageStatus.SENDING, "", ""
        message.tries += 1
        message.created_at = now
        message.run_at = now + timedelta(seconds=settings.WORKER_LEASE_S)
        message.save(update_fields=["status", "error", "error_code", "tries", "created_at", "run_at"])
        Activity.objects.filter(pk=message.activity_id).update(created_at=now)
        follow_membership(message=message)
    return message


def call_provider(*, message: Message) -> SentText | SendError | SendBlocked | None:
    """Hand a claimed text to its provider. Returns what came of it; None if the claim has gone to another.

    The number's row in the ledger of opt-outs is locked while the provider is called: entering the tenant begins a
    transaction on PostgreSQL. A STOP that is taken at this instant either was committed before, and is seen here, or
    waits until the text has left, which a client's time limit bounds. SQLite has one writer, which must not wait for a
    network: there the ledger is read just before the call.
    """
    phone = message.to_numbers[0]
    with tenant(message.company_id):
        lock_opt_out(phone=phone)
        if not Message.objects.filter(pk=message.pk, status=MessageStatus.SENDING, run_at=message.run_at).exists():
            return None
        try:
            contact, line = recipient_and_line(message)
            recheck_before_send(contact=contact, message=message, now=timezone.now())
            return client_for_sending(line=line).send(line=as_provider_knows(line), to=phone, body=message.body)
        except (SendBlocked, SendError) as outcome:
            return outcome
        except Exception as error:
            if not connection.is_usable():
                raise
            # A fault of ours in the middle of the call: it may have left.
            logger.warning("Text %d failed: %s", message.pk, type(error).__name__)
            return UnknownOutcome(f"Sending it failed ({type(error).__name__}).")


def recipient_and_line(message: Message) -> tuple[Contact, PhoneLine]:
    """To whom and over which line. A text that we have queued has both, unlike one that we are told of."""
    return cast(Contact, message.contact), cast(PhoneLine, message.phone_line)


def as_provider_knows(line: PhoneLine) -> Line:
    return Line(number=line.number, provider_id=line.provider_id)


def _count(line: PhoneLine, segments: int, now: datetime) -> None:
    today = now.astimezone(UTC).date()
    line.sent_segments = segments + (line.sent_segments if line.sent_on == today else 0)
    line.sent_on = today
    line.next_send_at = now + timedelta(seconds=1) / settings.SMS_PER_SECOND
    line.save(update_fields=["sent_segments", "sent_on", "next_send_at"])
