"""Results of send attempts, recorded for many messages at once where they are plain: the provider has accepted them."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db import connection
from django.db.models import Case, CharField, Value, When

from crm.choices import ConversationStatus
from crm.db.audit_context import program_transaction
from crm.models import Activity, Conversation
from crm.worker import first_line_of
from messaging.choices import MessageKind, MessageStatus
from messaging.models import Message
from messaging.providers.errors import SendError
from messaging.providers.interfaces import SentMessage
from messaging.services.outbound.campaign_progress import update_memberships
from messaging.services.outbound.send_policy import SendBlocked
from messaging.services.outbound.send_results import apply_send_result, postpone_message

FINAL = (MessageStatus.DELIVERED, MessageStatus.FAILED, MessageStatus.UNDELIVERED)
# The set holds locks of many conversations. It gives way before PostgreSQL looks for a deadlock (1 s).
LOCK_TIMEOUT = "300ms"

Outcome = SentMessage | SendError | SendBlocked
Sent = dict[int, tuple[Message, SentMessage]]  # by the activity's id

logger = logging.getLogger(__name__)


def settle(*, outcomes: Sequence[tuple[Message, Outcome]]) -> None:
    """Record the outcomes of messages of one claim.

    Any that isn't plain, as when a webhook event has reported it first, is recorded by itself, after the others.
    """
    plain: Sent = {
        message.activity_id: (message, outcome)
        for message, outcome in outcomes
        if isinstance(outcome, SentMessage) and outcome.status not in FINAL and not outcome.error_code
    }
    settled = _settle_together(plain) if plain else set()
    for message, outcome in outcomes:
        if message.pk not in settled:
            _settle_alone(message, outcome)


def _settle_alone(message: Message, outcome: Outcome) -> None:
    try:
        apply_send_result(message=message, outcome=outcome)
    except Exception as error:
        if not connection.is_usable():
            raise  # the lease ends, and the message is looked up
        postpone_message(message=message, error=error)


def _settle_together(sent: Sent) -> set[int]:
    """Record that the messages were sent, in one transaction. Returns the ids of those that it was recorded for."""
    company_id = next(iter(sent.values()))[0].company_id
    try:
        with program_transaction("sending messages", company_id=company_id, lock_timeout=LOCK_TIMEOUT):
            return _settle_plain(sent)
    except Exception as error:
        if not connection.is_usable():
            raise
        if len(sent) > 1:
            logger.info("%d sent messages are recorded one by one: %s", len(sent), first_line_of(error))
        return set()


def _settle_plain(sent: Sent) -> set[int]:
    # Lock order: activity, message, as in webhook processing.
    activities = Activity.objects.filter(pk__in=sent, openphone_id__isnull=True).order_by("pk")
    conversations = dict(activities.select_for_update(no_key=True).values_list("pk", "conversation"))
    waiting = Message.objects.filter(activity__in=conversations, status=MessageStatus.SENDING).order_by("pk")
    found = dict(waiting.select_for_update(no_key=True, of=("self",)).values_list("activity", "membership"))
    plain = {activity: sent[activity] for activity in found}
    if not plain:
        return set()
    ids = [When(pk=activity, then=Value(outcome.openphone_id)) for activity, (_, outcome) in plain.items()]
    Activity.objects.filter(pk__in=plain).update(openphone_id=Case(*ids, output_field=CharField()))
    messages = [message for message, _ in plain.values()]
    for message in messages:
        message.membership_id = found[message.activity_id]  # a merge may have replaced it since the claim
    settled = {message.pk for message in messages}
    Message.objects.filter(pk__in=settled).update(status=MessageStatus.SENT, error="", error_code="", run_at=None)
    for message in messages:
        message.status, message.error = MessageStatus.SENT, ""
    update_memberships(messages=messages)
    _update_conversations({activity: conversations[activity] for activity in plain}, messages)
    return settled


def _update_conversations(conversations: dict[int, int], messages: Sequence[Message]) -> None:
    """Move the last activity forward, and reopen conversations that waited for a reply."""
    left: dict[datetime, list[int]] = defaultdict(list)
    for message in messages:
        left[message.left_at].append(conversations[message.activity_id])
    replied = [conversations[one.activity_id] for one in messages if one.kind == MessageKind.REPLY]
    if replied:
        waiting = Conversation.objects.filter(pk__in=replied, status=ConversationStatus.WAITING)
        for left_at, ids in left.items():
            waiting.filter(pk__in=ids, last_activity_at__lt=left_at).update(status=ConversationStatus.OPEN)
    for left_at, ids in left.items():  # those of one departure left at one time
        Conversation.objects.filter(pk__in=ids, last_activity_at__lt=left_at).update(last_activity_at=left_at)
