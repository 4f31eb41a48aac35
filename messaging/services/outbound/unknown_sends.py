"""Texts of which nobody knows whether they have left: looked up at the provider, never just sent again.

No provider takes a key by which it would know a repeated text (provider's documents: no idempotency key).
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from crm.db.tenancy import all_tenants, tenant
from crm.models import Activity
from crm.services.opt_outs import lock_opt_out
from messaging.choices import MessageStatus
from messaging.models import Message
from messaging.providers.registry import client_for_sending
from messaging.providers.sms_client import SendError, SentText
from messaging.services.outbound.send_policy import is_valid_phone
from messaging.services.outbound.send_results import OUTCOME_UNKNOWN, apply_send_result, fail_text, requeue_text
from messaging.services.outbound.sending import as_provider_knows, recipient_and_line

LOOK_AGAIN = timedelta(seconds=60)
# A text that is not listed so long after the call was not taken. No call lasts as long, so that none is under way.
LISTED_WITHIN = timedelta(seconds=75)
GIVE_UP = timedelta(days=1)
EARLIER = timedelta(hours=1)  # for clocks that differ, and for a try before the last

logger = logging.getLogger(__name__)


def look_up_next_text() -> bool:
    """Find out what became of one text of which nobody knows, of any company. False if none is due."""
    message = claim_lookup()
    if message is None:
        return False
    with tenant(message.company_id):
        phone = message.to_numbers[0]
        if not is_valid_phone(phone):  # it was valid when the text was claimed
            fail_text(message=message, reason="The person was erased before it was known whether it has left.")
            return True
        # Who stands in the middle of sending it holds this lock, on PostgreSQL: looked for is what they have done.
        lock_opt_out(phone=phone)
        found = _ask_provider(message)
    if isinstance(found, SentText):
        apply_send_result(message=message, outcome=found)
    else:
        _conclude(message, found)
    return True


def claim_lookup() -> Message | None:
    """The text that has waited longest, leased to the caller; None if none is due."""
    now = timezone.now()
    with all_tenants(), transaction.atomic():
        due = Message.objects.to_look_up(now).select_related("phone_line", "contact")
        message = due.select_for_update(skip_locked=True, no_key=True, of=("self",)).first()
        if message is not None:
            message.run_at = now + timedelta(seconds=settings.WORKER_LEASE_S)
            message.save(update_fields=["run_at"])
    return message


def _ask_provider(message: Message) -> SentText | SendError | None:
    """The text as the provider has it; None if it has not. One that is known as another text of ours is that one."""
    try:
        _, line = recipient_and_line(message)
        found = client_for_sending(line=line).find_sent(
            line=as_provider_knows(line),
            to=message.to_numbers[0],
            body=message.body,
            since=message.created_at - EARLIER,
        )
    except SendError as error:
        return error
    except Exception as error:
        if not connection.is_usable():
            raise
        logger.warning("Looking up text %d failed: %s", message.pk, type(error).__name__)
        return SendError(f"Looking it up failed ({type(error).__name__}).")
    others = Activity.objects.filter(openphone_id__in=[text.openphone_id for text in found])
    known = set(others.exclude(pk=message.activity_id).values_list("openphone_id", flat=True))
    return next((text for text in found if text.openphone_id not in known), None)


def _conclude(message: Message, error: SendError | None) -> None:
    """The provider doesn't list the text, or can't be asked. Nothing is done if somebody else knows more by now."""
    now = timezone.now()
    with tenant(message.company_id), transaction.atomic():
        mine = Message.objects.filter(pk=message.pk, run_at=message.run_at, status__in=OUTCOME_UNKNOWN)
        row = mine.select_for_update(no_key=True, of=("self",)).first()
        if row is None:
            return
        if error is not None and now - row.created_at > GIVE_UP:
            fail_text(message=row, reason=f"Nobody knows whether it has left: look at the provider. ({error})")
        elif error is None and now - row.created_at >= LISTED_WITHIN and row.tries >= settings.WORKER_MAX_TRIES:
            fail_text(message=row, reason="The provider gave no answer, and doesn't list it: look there.")
        elif error is None and now - row.created_at >= LISTED_WITHIN:
            requeue_text(message=row)
        else:
            later = now + LOOK_AGAIN if error else row.created_at + LISTED_WITHIN
            row.status, row.run_at = MessageStatus.UNKNOWN, later
            row.save(update_fields=["status", "run_at"])
