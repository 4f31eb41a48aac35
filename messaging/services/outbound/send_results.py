"""Results of send attempts. A webhook event may have reported the outcome first."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from crm.choices import ConversationStatus, Direction, MembershipStatus
from crm.db.audit_context import acting_as
from crm.db.tenancy import tenant
from crm.error_codes import ErrorCode
from crm.models import Activity, Conversation, PhoneLine
from crm.refused_writes import is_refused_by
from crm.worker import backoff
from messaging.choices import OUTCOME_UNKNOWN, MessageKind, MessageStatus
from messaging.models import Message
from messaging.models.messages import OUTBOX_STATUSES
from messaging.providers.error_codes import ABOUT_NUMBER, MEANINGS, Effect
from messaging.providers.errors import LineSuspended, NotCalled, RateLimited, SendError, UnknownOutcome
from messaging.providers.interfaces import SentMessage
from messaging.services.outbound.campaign_progress import end_memberships, update_memberships
from messaging.services.outbound.code_effects import apply_error_code
from messaging.services.outbound.daily_limits import utc_day
from messaging.services.outbound.send_policy import SendBlocked, can_be_deferred
from messaging.sms_segments import count_segments

FIRST_LOOKUP_AFTER = timedelta(seconds=15)  # by then the provider lists an accepted message
LOOKUP_INTERVAL = timedelta(seconds=60)
GIVE_UP_AFTER = timedelta(days=1)
BEHIND = timedelta(seconds=1)  # after all messages that wait for the end of the pause
PAUSE_GOES_ON = timedelta(days=1)  # after its end, if nothing was sent since: the line was only tried again
SENT = (MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.UNDELIVERED)

logger = logging.getLogger(__name__)


def apply_send_result(*, message: Message, outcome: SentMessage | SendError | SendBlocked | None) -> None:
    """Record the result of a send attempt or a lookup.

    A status from a webhook event stays: it comes from the provider as well, and is newer. None means a lost claim.
    """
    if outcome is None:
        return
    with tenant(message.company_id), transaction.atomic(), acting_as(None, "sending messages"):
        # Lock order: activity, message, as in webhook processing.
        activity = Activity.objects.select_for_update(no_key=True, of=("self",)).get(pk=message.activity_id)
        messages = Message.objects.select_for_update(no_key=True, of=("self",))
        message = messages.get(pk=message.pk)
        if isinstance(outcome, SentMessage):
            _apply_sent(message, activity, outcome)
        elif message.status in OUTCOME_UNKNOWN:
            _apply_not_sent(message, outcome)


def block_message(*, message: Message, blocked: SendBlocked, code: str = "") -> None:
    """Defer a blocked message if waiting helps, else mark it failed."""
    if blocked.retry_at is not None and can_be_deferred(message.kind):
        _set_status(message, MessageStatus.QUEUED, str(blocked), code=code, run_at=blocked.retry_at)
        return
    _set_status(message, MessageStatus.FAILED, str(blocked), code=code)
    opted_out = blocked.code in (ErrorCode.OPTED_OUT, ErrorCode.UNDER_REVIEW)
    status = MembershipStatus.OPTED_OUT if opted_out else MembershipStatus.SKIPPED
    end_memberships(messages=[message.pk], status=status, reason=message.error)


def fail_message(*, message: Message, reason: str, code: str = "") -> None:
    """Mark a message as failed: it was not sent, or the outcome can't be found out."""
    _set_status(message, MessageStatus.FAILED, reason, code=code)
    update_memberships(messages=[message])


def requeue_message(*, message: Message) -> None:
    """Queue a message again that the provider doesn't have. The send policy applies again."""
    refund_segments(messages=[message])
    _set_status(message, MessageStatus.QUEUED, message.error, run_at=timezone.now())


def refund_segments(*, messages: Sequence[Message]) -> None:
    """Subtract the segments of messages of one claim that were not sent from their line's daily count."""
    segments = sum(count_segments(message.body) for message in messages)
    line = PhoneLine.objects.filter(
        pk=cast(int, messages[0].phone_line_id), sent_on=utc_day(messages[0].left_at), sent_segments__gte=segments
    )
    line.update(sent_segments=F("sent_segments") - segments)


def postpone_message(*, message: Message, error: Exception) -> None:
    """Record an internal error with a single UPDATE, so that it can't fail for the same reason.

    A queued message waits longer after each error and fails after WORKER_MAX_TRIES: it was not sent. Any other may have
    been sent: it is looked up later, and fails a day after the send attempt.
    """
    logger.error("Message %d failed.", message.pk, exc_info=error)
    now, message.error = timezone.now(), f"An internal error ({type(error).__name__})."
    with tenant(message.company_id):
        row = Message.objects.filter(pk=message.pk)
        status, tries, left_at = row.values_list("status", "tries", Coalesce("sent_at", "created_at")).get()
        if status == MessageStatus.QUEUED:
            tries += 1
            gives_up, run_at = tries >= settings.WORKER_MAX_TRIES, now + backoff(tries)
        elif status in OUTCOME_UNKNOWN:
            status, message.error = MessageStatus.UNKNOWN, f"{message.error} The message may have been sent."
            gives_up, run_at = now - left_at > GIVE_UP_AFTER, now + LOOKUP_INTERVAL
        else:
            return
        row.update(status=MessageStatus.FAILED if gives_up else status, tries=tries, run_at=run_at, error=message.error)
        if gives_up:
            _fail_membership(message)


def _fail_membership(message: Message) -> None:
    try:
        with transaction.atomic():
            end_memberships(messages=[message.pk], status=MembershipStatus.FAILED, reason=message.error)
    except Exception:
        logger.exception("The campaign of message %d doesn't know that it failed.", message.pk)


def _apply_sent(message: Message, activity: Activity, sent: SentMessage) -> None:
    if activity.openphone_id is None:
        try:
            with transaction.atomic():
                activity.openphone_id = sent.openphone_id
                activity.save(update_fields=["openphone_id"])
        except IntegrityError as error:
            if not is_refused_by(error, "activities_company_id_openphone_id_unique"):
                raise
            # A webhook event with another body was recorded as another message.
            message.error = f"The provider reported it as another message, {sent.openphone_id}."
            message.save(update_fields=["error"])
    if message.status not in (*OUTBOX_STATUSES, MessageStatus.HELD):  # held while the provider was called
        return
    reason = "" if message.status == MessageStatus.HELD else message.error
    is_final = sent.status in (MessageStatus.DELIVERED, MessageStatus.FAILED, MessageStatus.UNDELIVERED)
    _set_status(message, sent.status if is_final else MessageStatus.SENT, reason, code=sent.error_code)
    if sent.status in (MessageStatus.FAILED, MessageStatus.UNDELIVERED):
        apply_error_code(message=message, code=sent.error_code)
    update_memberships(messages=[message])
    conversation = Conversation.objects.filter(activities=activity, last_activity_at__lt=message.left_at)
    if message.kind == MessageKind.REPLY:
        conversation.filter(status=ConversationStatus.WAITING).update(status=ConversationStatus.OPEN)
    conversation.update(last_activity_at=message.left_at)


def _apply_not_sent(message: Message, outcome: SendError | SendBlocked) -> None:
    now = timezone.now()
    line = PhoneLine.objects.filter(pk=cast(int, message.phone_line_id))  # set on each outgoing message
    if isinstance(outcome, UnknownOutcome):
        _set_status(message, MessageStatus.UNKNOWN, str(outcome), code=outcome.code, run_at=now + FIRST_LOOKUP_AFTER)
        return
    refund_segments(messages=[message])
    if isinstance(outcome, LineSuspended):
        _suspend_line(message, outcome)
        return
    if isinstance(outcome, NotCalled):
        if message.tries >= settings.WORKER_MAX_TRIES:
            fail_message(message=message, reason=str(outcome))
            return
        _set_status(message, MessageStatus.QUEUED, str(outcome), run_at=now + backoff(message.tries))
        return
    message.tries -= 1  # this attempt can't have sent it
    if isinstance(outcome, RateLimited):
        later = now + timedelta(seconds=outcome.wait_s)
        line.filter(next_send_at__lt=later).update(next_send_at=later)
        _set_status(message, MessageStatus.QUEUED, str(outcome), run_at=later)
    elif isinstance(outcome, SendBlocked):
        block_message(message=message, blocked=outcome)
    else:
        _set_status(message, MessageStatus.FAILED, str(outcome), code=outcome.code)
        effect = MEANINGS[outcome.code].effect if outcome.code in MEANINGS else None
        if effect in ABOUT_NUMBER:  # not the line: the answer has said that the fault is the message's
            apply_error_code(message=message, code=outcome.code)
        if effect == Effect.OPT_OUT:
            end_memberships(messages=[message.pk], status=MembershipStatus.OPTED_OUT, reason=message.error)
        update_memberships(messages=[message])


def _suspend_line(message: Message, outcome: LineSuspended) -> None:
    """Pause the line. The refused message goes behind the others, which may have no such fault.

    If it is refused again after others have left, the fault is its own. Its tries count how often it was refused.
    """
    line = PhoneLine.objects.get(pk=cast(int, message.phone_line_id))
    has_sent = line.paused_until is None or _has_sent_since(line, line.paused_until)
    if message.tries > 1 and line.paused_until and has_sent:
        fail_message(message=message, reason=str(outcome), code=outcome.code)
        return
    tried_again_within = None if has_sent else timezone.now() - PAUSE_GOES_ON
    PhoneLine.objects.filter(pk=line.pk).pause(until=outcome.until, reason=str(outcome), ended_after=tried_again_within)
    behind = SendBlocked(ErrorCode.LINE_PAUSED, str(outcome), retry_at=outcome.until + BEHIND)
    block_message(message=message, blocked=behind, code=outcome.code)


def _has_sent_since(line: PhoneLine, moment: datetime) -> bool:
    # Through activities, which have an index by company and time. A message that waited longer is not looked for.
    written_after = moment - timedelta(days=7)
    sent = Message.objects.filter(activity__company=line.company_id, activity__created_at__gte=written_after)
    sent = sent.filter(phone_line=line).left_after(moment)
    return sent.filter(direction=Direction.OUTGOING, status__in=SENT).exists()


def _set_status(message: Message, status: str, error: str, *, code: str = "", run_at: datetime | None = None) -> None:
    message.status, message.error, message.error_code, message.run_at = status, error[:300], code, run_at
    message.save(update_fields=["status", "error", "error_code", "tries", "run_at"])
