"""Messages with an unknown outcome: looked up at the provider, never sent again blindly.

No provider accepts an idempotency key, according to their documents.
"""

from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from crm.db.tenancy import all_tenants, all_tenants_autocommit, tenant
from crm.models import Activity
from messaging.area_codes import is_valid_phone
from messaging.choices import OUTCOME_UNKNOWN, MessageStatus
from messaging.models import Message
from messaging.providers.errors import SendError
from messaging.providers.interfaces import SentMessage
from messaging.providers.registry import client_for_sending
from messaging.services.outbound.holding import hold_messages, is_stale, stale_reason
from messaging.services.outbound.provider_health import call_provider
from messaging.services.outbound.send_results import (
    GIVE_UP_AFTER,
    LOOKUP_INTERVAL,
    apply_send_result,
    fail_message,
    postpone_message,
    requeue_message,
)
from messaging.services.outbound.sending import provider_line, recipient_and_line

# A message not listed this long after the call was not accepted. It exceeds the timeout, so no call is still running.
LISTED_WITHIN = timedelta(seconds=75)
SEARCH_MARGIN = timedelta(hours=1)  # for clock differences and earlier attempts


def look_up_next_message() -> bool:
    """Look up one message with an unknown outcome, of any company. Returns False if none is due."""
    message = claim_lookup()
    if message is None:
        return False
    try:
        look_up_message(message=message)
    except Exception as error:
        if not connection.is_usable():
            raise  # the lease ends, and the message is looked up again
        postpone_message(message=message, error=error)
    return True


def is_lookup_due() -> bool:
    with all_tenants_autocommit():
        return Message.objects.due_for_lookup(timezone.now()).exists()


def look_up_message(*, message: Message) -> None:
    """Find out at the provider whether a claimed message was sent, and record the outcome.

    A call that still runs, because the lease is shorter, does no harm: until LISTED_WITHIN the message only waits.
    """
    if not is_valid_phone(message.to_numbers[0]):  # it was valid when the message was claimed
        with tenant(message.company_id):
            fail_message(message=message, reason="The contact was erased before the outcome was known.")
        return
    found = _find_at_provider(message)
    if isinstance(found, SentMessage):
        apply_send_result(message=message, outcome=found)
    else:
        _apply_not_found(message, found)


def claim_lookup() -> Message | None:
    """Lease the message that has waited longest for a lookup. Returns None if none is due."""
    now = timezone.now()
    with all_tenants(), transaction.atomic():
        due = Message.objects.due_for_lookup(now).select_related("phone_line", "contact")
        message = due.select_for_update(skip_locked=True, no_key=True, of=("self",)).first()
        if message is not None:
            message.run_at = now + timedelta(seconds=settings.WORKER_LEASE_S)
            message.save(update_fields=["run_at"])
    return message


def _find_at_provider(message: Message) -> SentMessage | SendError | None:
    """Return the provider's copy of the message, unless it was recorded as another one; None if there is none."""
    try:
        _, line = recipient_and_line(message)
        client = client_for_sending(line=line)
        found = call_provider(
            provider=line.provider,
            call=lambda: client.find_sent(
                line=provider_line(line),
                to=message.to_numbers[0],
                body=message.body,
                since=message.left_at - SEARCH_MARGIN,
            ),
        )
    except SendError as error:
        return error
    with tenant(message.company_id):
        others = Activity.objects.filter(openphone_id__in=[sent.openphone_id for sent in found])
        known = set(others.exclude(pk=message.activity_id).values_list("openphone_id", flat=True))
    return next((sent for sent in found if sent.openphone_id not in known), None)


def _apply_not_found(message: Message, error: SendError | None) -> None:
    """Decide about a message that the provider doesn't list, or whose lookup failed. A lost claim changes nothing."""
    now = timezone.now()
    with tenant(message.company_id), transaction.atomic():
        claimed = Message.objects.filter(pk=message.pk, run_at=message.run_at, status__in=OUTCOME_UNKNOWN)
        row = claimed.select_for_update(no_key=True, of=("self",)).first()
        if row is None:
            return
        if error is not None and now - row.left_at > GIVE_UP_AFTER:
            fail_message(message=row, reason=f"The outcome is unknown; check the message at the provider. ({error})")
        elif error is None and now - row.left_at >= LISTED_WITHIN and row.tries >= settings.WORKER_MAX_TRIES:
            fail_message(
                message=row, reason="The provider neither confirmed nor listed the message; check it at the provider."
            )
        elif error is None and now - row.left_at >= LISTED_WITHIN:
            requeue_message(message=row)
            if is_stale(row.left_at):
                hold_messages(messages=Message.objects.filter(pk=row.pk), reason=stale_reason())
        else:
            later = now + LOOKUP_INTERVAL if error else row.left_at + LISTED_WITHIN
            row.status, row.run_at = MessageStatus.UNKNOWN, later
            row.error = str(error or row.error)[:300]
            row.save(update_fields=["status", "run_at", "error"])
