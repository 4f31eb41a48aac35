"""The automatic text to who rang and was not answered, where the company wants one."""

import logging

from django.db import connection, transaction
from django.utils import timezone

from calls.choices import TextBack
from calls.models import MissedCaller
from calls.services.missed_calls import MAX_TEXT_BACK_AGE
from crm.db.audit_context import acting_as
from crm.db.tenancy import all_tenants, tenant
from messaging.choices import MessageKind
from messaging.services.outbound.outbox import SendBlocked, queue_text

logger = logging.getLogger(__name__)


class _Settled(Exception):
    """Another worker was faster, or the caller has been reached meanwhile."""


def queue_next_text_back() -> bool:
    """Queue the text to the missed caller who waits longest for one, of any company. False if none does.

    The text and the mark that it is queued are one transaction, and the mark is only ever set on one that is still
    due: of two workers with the same caller one queues the text, the other undoes its own. Conversation first, place
    in the queue last, as those do it who record calls and texts, so that nobody waits for one another both ways.
    """
    with all_tenants():
        caller = MissedCaller.objects.texts_due().first()
    if caller is None:
        return False
    with tenant(caller.company_id), acting_as(None, "text back"):
        queue_text_back(caller=caller)
    return True


def text_backs_are_left() -> bool:
    """Whether any missed caller has still to be sent a text."""
    with all_tenants():
        return MissedCaller.objects.texts_due().exists()


def queue_text_back(*, caller: MissedCaller) -> None:
    """Queue the text to this missed caller, or note why none goes out. None waits for the next morning."""
    body, line = caller.company.missed_call_text, caller.phone_line
    if not body or line is None:
        _mark(caller, TextBack.OFF)
        return
    if caller.last_missed_at < timezone.now() - MAX_TEXT_BACK_AGE:
        _mark(caller, TextBack.OFF, "It would have come too late.")
        return
    try:
        with transaction.atomic():
            message = queue_text(contact=caller.contact, line=line, body=body, kind=MessageKind.MISSED_CALL)
            if message.run_at is not None and message.run_at > timezone.now() + MAX_TEXT_BACK_AGE:
                raise SendBlocked(message.error, retry_at=message.run_at)
            if not _mark(caller, TextBack.QUEUED):
                raise _Settled
    except _Settled:
        pass
    except SendBlocked as refusal:
        _mark(caller, TextBack.REFUSED, str(refusal))
    except Exception as error:
        if not connection.is_usable():
            raise  # the database went away, and the text stays due
        logger.exception("The text to missed caller %d failed.", caller.pk)
        _mark(caller, TextBack.REFUSED, type(error).__name__)


def _mark(caller: MissedCaller, text_back: TextBack, reason: str = "") -> bool:
    """False if nothing was due any more."""
    due = MissedCaller.objects.texts_due().filter(pk=caller.pk)
    return bool(due.order_by().update(text_back=text_back, text_back_reason=reason[:300]))
