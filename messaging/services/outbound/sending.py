"""Sending queued messages: any number of workers send each message once, at the pace of its line.

Messages of one line are claimed together (`sending`). Group by group they depart (`sent_at`), the provider is called
for each, and the results are recorded. Each step is a short transaction for all of the group, and the calls are outside
of any. If a worker is killed in between, the lease runs out and the outcomes are looked up
(`messaging.services.outbound.unknown_sends`).
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from typing import cast

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from crm.choices import CampaignPurpose
from crm.db.tenancy import all_tenants, tenant
from crm.error_codes import ErrorCode
from crm.models import Contact, PhoneLine
from crm.worker import first_line_of
from messaging.choices import MessageKind
from messaging.models import Message
from messaging.providers.errors import LineSuspended, NotCalled, Rejected, SendError, UnknownOutcome
from messaging.providers.interfaces import Line, SentMessage, SMSClient
from messaging.providers.registry import client_for_sending
from messaging.services.campaigns.recall import lock_campaigns_of, recall_messages, stopped_members
from messaging.services.outbound.call_times import note_call_time, recent_call_s
from messaging.services.outbound.claims import MAX_CLAIMED, STOPPED, claim_messages, release_messages, still_claimed
from messaging.services.outbound.holding import hold_answered
from messaging.services.outbound.message_files import media_urls_of
from messaging.services.outbound.provider_health import record_calls
from messaging.services.outbound.ready_lines import ReadyLine, find_ready_lines
from messaging.services.outbound.recipient_facts import Recipient, read_consents, read_facts
from messaging.services.outbound.reminder_policy import find_reminder_faults
from messaging.services.outbound.second_texts import end_second_texts
from messaging.services.outbound.send_policy import SendBlocked, check_recipient
from messaging.services.outbound.send_results import postpone_message
from messaging.services.outbound.settlement import Outcome, settle

PENDING_HORIZON = timedelta(minutes=10)
BATCH_S = 1.0  # of calls after one claim, so that a reply never waits longer for the line
GROUP_S = 0.1  # of calls after one departure
REST_AFTER_ERROR = timedelta(seconds=60)  # of a line

logger = logging.getLogger(__name__)


def send_next_messages() -> bool:
    """Send the next messages of one line, of any company. Returns False if none may be sent now."""
    for ready in find_ready_lines(timezone.now()):
        try:
            if _send_messages_of(ready):
                return True
        except Exception:
            if not connection.is_usable():
                raise  # the leases end, and the messages are looked up
            logger.exception("Line %d failed. It is tried again later, the other lines go on.", ready.line_id)
            with tenant(ready.company_id):
                line = PhoneLine.objects.filter(pk=ready.line_id)
                line.update(next_send_at=timezone.now() + REST_AFTER_ERROR)
            return True
    return False


def _send_messages_of(ready: ReadyLine) -> bool:
    limit = min(MAX_CLAIMED, int(BATCH_S / recent_call_s(ready.provider)) or 1)
    claim = claim_messages(ready=ready, limit=limit)
    if claim.messages:
        send_claimed(messages=claim.messages)
    return not claim.is_idle


def is_message_due() -> bool:
    return bool(find_ready_lines(timezone.now()))


def has_pending_messages() -> bool:
    """Return whether any message is pending. Messages deferred by quiet hours or their line for long don't count."""
    until = timezone.now() + PENDING_HORIZON
    with all_tenants():
        return Message.objects.queued_until(until).exists() or Message.objects.due_for_lookup(until).exists()


def send_claimed(*, messages: Sequence[Message]) -> None:
    """Send the messages of one claim, and record the results. What can't leave within BATCH_S is queued again."""
    _, line = recipient_and_line(messages[0])
    try:
        with _released_after_error(messages):
            client = client_for_sending(line=line)
    except LineSuspended as reason:
        settle(outcomes=[(messages[0], reason)])
        if messages[1:]:
            release_messages(messages=messages[1:])
        return
    ends_at, waiting = monotonic() + BATCH_S, list(messages)
    answers: list[object] = []
    while waiting and monotonic() < ends_at:
        size = int(GROUP_S / recent_call_s(line.provider)) or 1
        group, waiting = waiting[:size], waiting[size:]
        leaving, blocked = _let_leave(group)
        called = _call_provider(client, line, leaving, answers, ends_at)
        settle(outcomes=[*blocked, *called])
        not_called = leaving[len(called) :]
        if not_called or (called and is_trouble(called[-1][1])):
            waiting = [*not_called, *waiting]
            break
    if waiting:
        release_messages(messages=waiting)
    record_calls(provider=line.provider, outcomes=answers)


@contextmanager
def _released_after_error(messages: Sequence[Message]) -> Iterator[None]:
    """Queue the messages again after an internal error about their line: none of them has left."""
    try:
        yield
    except SendError:
        raise
    except Exception:
        if connection.is_usable():
            release_messages(messages=messages)
        raise


def _let_leave(messages: Sequence[Message]) -> tuple[list[Message], list[tuple[Message, SendBlocked]]]:
    """Let messages leave in a set. If that fails, let them leave one by one, so that a faulty one waits alone."""
    try:
        return mark_departures(messages=messages)
    except Exception as error:
        if not connection.is_usable():
            raise  # the leases end, and the messages are looked up
        if len(messages) == 1:
            release_messages(messages=messages)
            postpone_message(message=messages[0], error=error)
            return [], []
        logger.info("%d messages leave one by one: %s", len(messages), first_line_of(error))
    leaving, blocked = [], []
    for message in messages:
        own_leaving, own_blocked = _let_leave([message])
        leaving += own_leaving
        blocked += own_blocked
    return leaving, blocked


def mark_departures(*, messages: Sequence[Message]) -> tuple[list[Message], list[tuple[Message, SendBlocked]]]:
    """Let messages of one claim leave: check them a last time and record the moment in `sent_at`.

    A STOP, a reply, a withdrawn consent, the pause of a campaign, or a change of an appointment that was committed
    before that moment is seen: the moment is from before the first statement, and each statement sees all that was
    committed when it began.

    Returns:
        The messages that leave, and those that may no longer be sent. In neither are messages whose claim was lost,
        steps of a sequence that has stopped, and second texts of a member.
    """
    now = timezone.now()
    with tenant(messages[0].company_id), transaction.atomic(savepoint=False):
        claimed = still_claimed(messages).select_for_update(no_key=True, of=("self",))
        rows = claimed.annotate(is_stopped=Exists(stopped_members().filter(pk=OuterRef("membership")))).values_list(
            "pk", "membership__campaign__status", "membership__campaign__purpose", "company__require_marketing_consent",
            "is_stopped",
        )  # fmt: skip
        campaigns, recalled = {}, set()
        for pk, status, purpose, asks, is_stopped in rows:
            campaigns[pk] = purpose == CampaignPurpose.MARKETING and asks
            if status in STOPPED or is_stopped:
                recalled.add(pk)
        if recalled:
            # A cancellation of this moment wouldn't see these members: it comes before, or waits for them.
            lock_campaigns_of(messages=recalled)
            stopped = [message for message in messages if message.pk in recalled]
            release_messages(messages=stopped)
            recall_messages(messages=Message.objects.filter(pk__in=recalled))
        answered = _hold_answered([message for message in messages if message.pk in campaigns])
        own = [message for message in messages if message.pk in campaigns.keys() - recalled - answered]
        if not own:
            return [], []
        facts = read_facts(
            recipients={_recipient(message) for message in own},
            now=now,
            is_campaign=any(message.kind == MessageKind.CAMPAIGN for message in own),
            except_messages=[message.pk for message in own],
        )
        reminders = [message.pk for message in own if message.kind == MessageKind.REMINDER]
        outdated = find_reminder_faults(message_ids=reminders, now=now)
        asking = {message.pk: _recipient(message).phone for message in own if campaigns[message.pk]}
        consents = read_consents(phones=asking.values()) if asking else set()
        leaving, blocked = [], []
        for message in own:
            recipient = _recipient(message)
            try:
                check_recipient(facts=facts[recipient], phone=recipient.phone, kind=message.kind, now=now)
                if message.pk in asking and recipient.phone not in consents:  # withdrawn since it was queued
                    raise SendBlocked(ErrorCode.NO_MARKETING_CONSENT)
                if message.pk in outdated:
                    raise SendBlocked(ErrorCode.REMINDER_OUTDATED, outdated[message.pk])
                leaving.append(message)
            except SendBlocked as reason:
                blocked.append((message, reason))
            except Exception as error:
                release_messages(messages=[message])
                postpone_message(message=message, error=error)
        second = end_second_texts(messages=leaving, blocked={message.pk for message, _ in blocked})
        leaving = [message for message in leaving if message.pk not in second]
        Message.objects.filter(pk__in=[message.pk for message in leaving]).update(sent_at=now)
    for message in leaving:
        message.sent_at = now
    return leaving, blocked


def _hold_answered(messages: Sequence[Message]) -> set[int]:
    """Hold those of these claimed messages that a reply holds back. Returns their ids.

    A reply that came while they were queued has held them already. This one came after the claim.
    """
    asking = [message for message in messages if message.hold_if_reply]
    if not asking:
        return set()
    ids = set(Message.objects.filter(pk__in=[message.pk for message in asking]).answered().values_list("pk", flat=True))
    if ids:
        release_messages(messages=[message for message in asking if message.pk in ids])
        hold_answered(messages=Message.objects.filter(pk__in=ids))
    return ids


def recipient_and_line(message: Message) -> tuple[Contact, PhoneLine]:
    """Return the recipient and the line. A queued message has both, unlike one reported by a provider."""
    return cast(Contact, message.contact), cast(PhoneLine, message.phone_line)


def provider_line(line: PhoneLine) -> Line:
    return Line(number=line.number, provider_id=line.provider_id)


def is_trouble(outcome: Outcome) -> bool:
    """Return whether further messages of the line should wait: the fault may not be this message's alone."""
    return isinstance(outcome, SendError) and not isinstance(outcome, Rejected)


def _call_provider(
    client: SMSClient, line: PhoneLine, messages: Sequence[Message], answers: list[object], ends_at: float
) -> list[tuple[Message, Outcome]]:
    """Call the provider for one message after the other, until there is trouble or the time is over.

    No transaction is open during the calls, so nobody waits for a slow provider.
    """
    called: list[tuple[Message, Outcome]] = []
    for message in messages:
        began, outcome = monotonic(), _call_for(client, line, message, answers)
        note_call_time(line.provider, monotonic() - began)
        called.append((message, outcome))
        if is_trouble(outcome) or monotonic() > ends_at:
            break
    return called


def _call_for(client: SMSClient, line: PhoneLine, message: Message, answers: list[object]) -> SentMessage | SendError:
    outcome: SentMessage | SendError
    try:
        media = {"media_urls": media_urls_of(message)} if message.media else {}
        to, sender = message.to_numbers[0], provider_line(line)
    except Exception as error:
        if not connection.is_usable():
            raise
        logger.exception("Message %d failed.", message.pk)
        return NotCalled(error)
    if message.media and len(media["media_urls"]) != len(message.media):
        return Rejected("A file of the message was deleted. Send it again with other files.")
    try:
        outcome = client.send(line=sender, to=to, body=message.body, **media)
    except NotCalled as error:
        logger.error("Message %d failed.", message.pk, exc_info=error)
        return error
    except SendError as error:
        outcome = error
    except Exception as error:
        if not connection.is_usable():
            raise
        # An internal error during the call: the message may have been sent.
        logger.exception("Message %d failed.", message.pk)
        return UnknownOutcome(f"Sending it failed ({type(error).__name__}).")
    answers.append(outcome)
    return outcome


def _recipient(message: Message) -> Recipient:
    return Recipient(cast(int, message.contact_id), message.to_numbers[0])
