"""What became of a text that was to leave, written down. A delivery from the provider may have been faster."""

from datetime import UTC, datetime, timedelta
from typing import cast

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from crm.choices import ConversationStatus, MembershipStatus
from crm.db.audit_context import acting_as
from crm.db.tenancy import tenant
from crm.models import Activity, CampaignMembership, Conversation, PhoneLine
from crm.services.opt_outs import record_opt_out
from messaging.choices import MessageKind, MessageStatus
from messaging.models import Message
from messaging.models.messages import ON_ITS_WAY
from messaging.providers.sms_client import LineSuspended, OptedOut, RateLimited, SendError, SentText, UnknownOutcome
from messaging.services.outbound.campaign_progress import follow_membership
from messaging.services.outbound.send_policy import RecipientOptedOut, SendBlocked, can_be_deferred
from messaging.sms_segments import count_segments

FIRST_LOOK = timedelta(seconds=15)  # after no answer came: by then the provider lists what it took
OUTCOME_UNKNOWN = (MessageStatus.SENDING, MessageStatus.UNKNOWN)


def apply_send_result(*, message: Message, outcome: SentText | SendError | SendBlocked | None) -> None:
    """Write down what calling the provider, or asking it later, has shown of a text that was claimed.

    What a delivery has said meanwhile stays: it comes from the provider as well, and knows more.
    """
    if outcome is None:
        return
    with tenant(message.company_id), transaction.atomic(), acting_as(None, "sending texts"):
        # In the order in which deliveries lock them.
        activity = Activity.objects.select_for_update(no_key=True, of=("self",)).get(pk=message.activity_id)
        messages = Message.objects.select_for_update(no_key=True, of=("self",))
        message = messages.get(pk=message.pk)
        if isinstance(outcome, SentText):
            _settle_sent(message, activity, outcome)
        elif message.status in OUTCOME_UNKNOWN:
            _settle_unsent(message, outcome)


def block_text(*, message: Message, refusal: SendBlocked, code: str = "") -> None:
    """The gate does not let a queued or claimed text pass: it waits, where that helps, or has failed."""
    if refusal.retry_at is not None and can_be_deferred(message.kind):
        _move(message, MessageStatus.QUEUED, str(refusal), code=code, run_at=refusal.retry_at)
        return
    _move(message, MessageStatus.FAILED, str(refusal), code=code)
    opted_out = isinstance(refusal, RecipientOptedOut)
    _pass_over(message, MembershipStatus.OPTED_OUT if opted_out else MembershipStatus.SKIPPED)


def fail_text(*, message: Message, reason: str, code: str = "") -> None:
    """It has not left, or nobody can find out: a person has to look at it."""
    _move(message, MessageStatus.FAILED, reason, code=code)
    follow_membership(message=message)


def requeue_text(*, message: Message) -> None:
    """The provider doesn't have it: it goes through the gate once more."""
    _give_back_segments(message)
    _move(message, MessageStatus.QUEUED, message.error, run_at=timezone.now())


def _settle_sent(message: Message, activity: Activity, sent: SentText) -> None:
    if activity.openphone_id is None:
        try:
            with transaction.atomic():
                activity.openphone_id = sent.openphone_id
                activity.save(update_fields=["openphone_id"])
        except IntegrityError:  # a delivery told of it in other words, and was taken for another text
            message.error = f"The provider tells of it as another text, {sent.openphone_id}."
            message.save(update_fields=["error"])
    if message.status not in ON_ITS_WAY:
        return
    is_final = sent.status in (MessageStatus.DELIVERED, MessageStatus.FAILED, MessageStatus.UNDELIVERED)
    _move(message, sent.status if is_final else MessageStatus.SENT, message.error, code=sent.error_code)
    follow_membership(message=message)
    conversation = Conversation.objects.filter(activities=activity, last_activity_at__lt=message.created_at)
    if message.kind == MessageKind.REPLY:
        conversation.filter(status=ConversationStatus.WAITING).update(status=ConversationStatus.OPEN)
    conversation.update(last_activity_at=message.created_at)


def _settle_unsent(message: Message, outcome: SendError | SendBlocked) -> None:
    now = timezone.now()
    line = PhoneLine.objects.filter(pk=cast(int, message.phone_line_id))  # a text of ours has one
    if isinstance(outcome, UnknownOutcome):
        _move(message, MessageStatus.UNKNOWN, str(outcome), code=outcome.code, run_at=now + FIRST_LOOK)
        return
    _give_back_segments(message)
    message.tries -= 1  # none that could have sent it
    if isinstance(outcome, RateLimited):
        later = now + timedelta(seconds=outcome.wait_s)
        line.filter(next_send_at__lt=later).update(next_send_at=later)
        _move(message, MessageStatus.QUEUED, str(outcome), run_at=later)
    elif isinstance(outcome, LineSuspended):
        line.update(paused_until=outcome.until, pause_reason=str(outcome)[:200])
        block_text(message=message, refusal=SendBlocked(str(outcome), retry_at=outcome.until), code=outcome.code)
    elif isinstance(outcome, SendBlocked):
        block_text(message=message, refusal=outcome)
    elif isinstance(outcome, OptedOut):
        record_opt_out(phone=message.to_numbers[0], words=str(outcome), source="provider", occurred_at=now)
        _move(message, MessageStatus.FAILED, str(outcome), code=outcome.code)
        _pass_over(message, MembershipStatus.OPTED_OUT)
    else:
        fail_text(message=message, reason=str(outcome), code=outcome.code)


def _move(message: Message, status: str, error: str, *, code: str = "", run_at: datetime | None = None) -> None:
    message.status, message.error, message.error_code, message.run_at = status, error[:300], code, run_at
    message.save(update_fields=["status", "error", "error_code", "tries", "run_at"])


def _give_back_segments(message: Message) -> None:
    """Nothing has left."""
    segments = count_segments(message.body)
    PhoneLine.objects.filter(
        pk=cast(int, message.phone_line_id),
        sent_on=message.created_at.astimezone(UTC).date(),
        sent_segments__gte=segments,
    ).update(sent_segments=F("sent_segments") - segments)


def _pass_over(message: Message, status: MembershipStatus) -> None:
    """Say in the campaign's results why this contact gets no text."""
    unsent = [MembershipStatus.PENDING, MembershipStatus.SENDING]
    CampaignMembership.objects.filter(messages=message, status__in=unsent).update(
        status=status, reason=message.error[:200]
    )
