"""Text backs: automatic messages to missed callers, if the company wants them."""

import logging

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from calls.choices import TextBack
from calls.models import MissedCaller
from calls.services.missed_calls import MAX_TEXT_BACK_AGE
from crm.db.audit_context import acting_as
from crm.db.tenancy import all_tenants, all_tenants_autocommit, tenant
from messaging.choices import MessageKind
from messaging.services.outbound.outbox import SendBlocked, queue_message

logger = logging.getLogger(__name__)


class _NoLongerDue(Exception):
    """Another worker was faster, or the caller has been reached."""


class _TooLate(Exception):
    """The send policy allows the text back only when it would be too late. The text says why."""


def queue_next_text_back() -> bool:
    """Queue the text back that has been due longest, of any company. Returns False if none is due.

    The message and the status are one transaction, and the status is set only while the text back is due. Of two
    workers with the same caller, one queues the message and the other rolls back. Lock order: conversation, then missed
    caller, as in the recording of calls and messages, so that no deadlock arises.
    """
    with all_tenants():
        caller = MissedCaller.objects.text_backs_due().first()
    if caller is None:
        return False
    try:
        with tenant(caller.company_id), acting_as(None, "text back"):
            queue_text_back(caller=caller)
    except Exception as error:
        if not connection.is_usable():
            raise  # the database failed; the text back stays due
        logger.exception("Text back to missed caller %d failed.", caller.pk)
        # No second try: a later text back would confuse the caller.
        with tenant(caller.company_id):
            _mark(caller, TextBack.FAILED, f"It failed ({type(error).__name__}).")
    return True


def is_text_back_due() -> bool:
    with all_tenants_autocommit():
        return MissedCaller.objects.text_backs_due().exists()


def has_pending_text_backs() -> bool:
    with all_tenants():
        return MissedCaller.objects.text_backs_due().exists()


def queue_text_back(*, caller: MissedCaller) -> None:
    """Queue the text back, or record why there is none. It never waits for the next morning."""
    body, line = caller.company.text_after_missed_call(caller.last_missed_at), caller.phone_line
    if not body or line is None:
        _mark(caller, TextBack.OFF)
        return
    if caller.last_missed_at < timezone.now() - MAX_TEXT_BACK_AGE:
        _mark(caller, TextBack.OFF, "The call was missed too long ago.")
        return
    try:
        with transaction.atomic():
            message = queue_message(contact=caller.contact, line=line, body=body, kind=MessageKind.MISSED_CALL)
            if message.run_at is not None and message.run_at > timezone.now() + MAX_TEXT_BACK_AGE:
                raise _TooLate(message.error)
            if not _mark(caller, TextBack.QUEUED):
                raise _NoLongerDue
    except _NoLongerDue:
        pass
    except (SendBlocked, _TooLate) as reason:
        _mark(caller, TextBack.REFUSED, str(reason))


def drop_text_backs(*, callers: QuerySet[MissedCaller], reason: str) -> int:
    """Send no text back to those of these callers for whom one is due. Returns how many."""
    due = MissedCaller.objects.text_backs_due().filter(pk__in=callers.values("pk"))
    return due.order_by().update(text_back=TextBack.OFF, text_back_reason=reason)


def _mark(caller: MissedCaller, text_back: TextBack, reason: str = "") -> bool:
    """Set the status. Returns False if the text back is no longer due."""
    due = MissedCaller.objects.text_backs_due().filter(pk=caller.pk)
    return bool(due.order_by().update(text_back=text_back, text_back_reason=reason[:300]))
