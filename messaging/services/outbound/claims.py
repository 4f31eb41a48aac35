"""Claims of queued messages: a worker leases messages of one line, so that no other sends them.

All messages of a claim have one lease. Its end, in `run_at`, identifies the claim.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from crm.choices import CampaignStatus
from crm.db.tenancy import tenant
from crm.error_codes import ErrorCode
from crm.models import PhoneLine
from crm.worker import first_line_of
from messaging.choices import AT_ONCE, MessageKind, MessageStatus
from messaging.models import Message
from messaging.services.campaigns.recall import recall_messages
from messaging.services.outbound.campaign_progress import update_memberships
from messaging.services.outbound.daily_limits import DailyLimit, read_daily_limits, utc_day
from messaging.services.outbound.holding import hold_messages, stale_before, stale_reason
from messaging.services.outbound.ready_lines import ReadyLine
from messaging.services.outbound.send_policy import (
    Delay,
    SendBlocked,
    can_be_deferred,
    check_line_and_hours,
    line_delays,
)
from messaging.services.outbound.send_results import block_message, postpone_message, refund_segments
from messaging.sms_segments import count_segments

MAX_CLAIMED = 50
MAX_CHECKED = 500  # of a burst that quiet hours close
MAX_POSTPONED = 2000  # of a burst that the line closes: in one statement
ON_THE_WAY_MAX_AGE = timedelta(minutes=10)  # the time that it names is wrong afterwards
CAMPAIGN_SHARE = 0.8  # of the line's pace, so that replies never wait behind campaigns
RESPONSE_PRIORITY, CAMPAIGN_PRIORITY = 0, 2
STOPPED = (CampaignStatus.PAUSED, CampaignStatus.CANCELLED)

logger = logging.getLogger(__name__)


@dataclass
class Claim:
    """Messages that may leave. `is_idle`: nothing was claimed, held, blocked or postponed."""

    messages: list[Message] = field(default_factory=list)
    is_idle: bool = False


@dataclass
class _Checked:
    """Messages of a claim by what is to be done with them."""

    leaving: list[Message] = field(default_factory=list)
    stale: list[Message] = field(default_factory=list)
    recalled: list[Message] = field(default_factory=list)
    blocked: list[tuple[Message, SendBlocked]] = field(default_factory=list)
    failed: list[tuple[Message, Exception]] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)  # ids of all of them


def claim_messages(*, ready: ReadyLine, limit: int = MAX_CLAIMED) -> Claim:
    """Mark the line's next messages as `sending`, up to one second of its pace, and count them.

    What may not leave now is held, blocked, postponed or recalled. The lock on the line makes all workers keep one
    pace: the next claim waits until `next_send_at`. A line that another worker has locked is left to it.
    """
    with tenant(ready.company_id), transaction.atomic(savepoint=False):
        lines = PhoneLine.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
        line = lines.filter(pk=ready.line_id).select_related("company").first()
        now = timezone.now()  # after the lock was acquired
        if line is None or line.next_send_at > now:
            return Claim(is_idle=True)
        limits = read_daily_limits(line=line, now=now, lock=True)
        delays = line_delays(line=line, limits=limits, body="", now=now)
        postponed = _postpone_all(line, delays, now) if delays else 0
        limit = max(1, min(limit, int(settings.SMS_PER_SECOND)))
        checked = _Checked()
        for priority in ready.priorities:
            room = limit - len(checked.leaving)
            rests = bool(delays) or (priority == CAMPAIGN_PRIORITY and line.next_campaign_send_at > now)
            if room and (priority == RESPONSE_PRIORITY or not rests):
                _check_ready(checked, line, limits, priority, room, now)
        messages = _apply(checked, line, now)
    return Claim(messages=messages, is_idle=not (postponed or checked.seen))


def release_messages(*, messages: Sequence[Message]) -> None:
    """Queue claimed messages again that have not left, for the next claim of their line."""
    with tenant(messages[0].company_id), transaction.atomic(savepoint=False):
        claimed = still_claimed(messages).select_for_update(no_key=True, of=("self",))
        ids = set(claimed.values_list("pk", flat=True))
        Message.objects.filter(pk__in=ids).update(
            status=MessageStatus.QUEUED, tries=F("tries") - 1, run_at=timezone.now()
        )
        if released := [message for message in messages if message.pk in ids]:
            refund_segments(messages=released)


def still_claimed(messages: Sequence[Message]) -> QuerySet:
    """Return those of the messages of one claim that no other worker or command has taken."""
    ids = [message.pk for message in messages]
    return Message.objects.filter(pk__in=ids, status=MessageStatus.SENDING, run_at=messages[0].run_at)


def _postpone_all(line: PhoneLine, delays: Sequence[Delay], now: datetime) -> int:
    """Postpone the line's messages in a set while none may leave. Returns how many. Urgent ones fail one by one."""
    _, reason, until = max(delays, key=lambda delay: delay[2])
    queued = Message.objects.filter(status=MessageStatus.QUEUED, phone_line=line, run_at__lt=until)
    held = hold_messages(messages=queued.filter(run_at__lt=stale_before(now)), reason=stale_reason())
    # The last ones first: one that waits for an earlier one isn't ready, and would be left behind.
    some = queued.exclude(kind__in=AT_ONCE).order_by("-pk").values("pk")[:MAX_POSTPONED]
    return held + Message.objects.filter(pk__in=some).update(run_at=until, error=reason[:300])


def _check_ready(
    checked: _Checked, line: PhoneLine, limits: Sequence[DailyLimit], priority: int, room: int, now: datetime
) -> None:
    """Check the next messages of a priority. If none of them may leave, check many more at once."""
    ready: Any = Message.objects.ready_on_line(line_id=line.pk, priority=priority, now=now).select_related("contact")
    ready = ready.annotate(campaign_status=F("membership__campaign__status"))
    before = len(checked.leaving)
    for count in (room, MAX_CHECKED):
        some = ready.exclude(pk__in=checked.seen).select_for_update(skip_locked=True, no_key=True, of=("self",))[:count]
        messages = list(some)
        for message in messages:
            message.phone_line = line
            if len(checked.leaving) < before + room:
                _check(checked, message, limits, now)
        if len(checked.leaving) > before or len(messages) < count:
            return


def _check(checked: _Checked, message: Any, limits: Sequence[DailyLimit], now: datetime) -> None:
    """Add the message to those that are treated alike. An internal error concerns this message alone."""
    if any(message.contact_id == other.contact_id for other in checked.leaving):
        return  # its own turn comes when the outcome of the other is known
    checked.seen.add(message.pk)
    try:
        if message.kind == MessageKind.ON_THE_WAY and now - message.created_at > ON_THE_WAY_MAX_AGE:
            raise SendBlocked(ErrorCode.ON_THE_WAY_TOO_LATE)
        if message.run_at < stale_before(now):
            checked.stale.append(message)
        elif message.campaign_status in STOPPED:
            checked.recalled.append(message)
        else:
            check_line_and_hours(
                contact=message.contact,
                phone=message.to_numbers[0],
                line=message.phone_line,
                limits=limits,
                kind=message.kind,
                body=message.body,
                now=now,
            )
            segments = count_segments(message.body)
            for limit in limits:
                limit.sent += segments
            checked.leaving.append(message)
    except SendBlocked as blocked:
        checked.blocked.append((message, blocked))
    except Exception as error:
        checked.failed.append((message, error))


def _apply(checked: _Checked, line: PhoneLine, now: datetime) -> list[Message]:
    """Write what was decided about the messages. Returns those that are `sending` now."""
    for message, error in checked.failed:
        postpone_message(message=message, error=error)
    if checked.stale:
        hold_messages(messages=_rows(checked.stale), reason=stale_reason())
    if checked.recalled:
        recall_messages(messages=_rows(checked.recalled))
    postponed: dict[tuple[datetime, str], list[Message]] = defaultdict(list)
    for message, blocked in checked.blocked:
        if blocked.retry_at is not None and can_be_deferred(message.kind):
            postponed[blocked.retry_at, str(blocked)[:300]].append(message)
        else:
            block_message(message=message, blocked=blocked)
    for (run_at, reason), messages in postponed.items():
        _rows(messages).update(run_at=run_at, error=reason, error_code="")
    return _mark_sending_together(checked.leaving, line, now)


def _mark_sending_together(messages: list[Message], line: PhoneLine, now: datetime) -> list[Message]:
    """Mark the messages in a set. If that fails, mark them one by one, so that a faulty one waits alone."""
    if not messages:
        return []
    try:
        with transaction.atomic():
            _mark_sending(messages, line, now)
        return messages
    except Exception as error:
        if not connection.is_usable():
            raise
        if len(messages) == 1:
            postpone_message(message=messages[0], error=error)
            return []
        logger.info("%d messages are claimed one by one: %s", len(messages), first_line_of(error))
        return [one for message in messages for one in _mark_sending_together([message], line, now)]


def _mark_sending(messages: list[Message], line: PhoneLine, now: datetime) -> None:
    lease_end = now + timedelta(seconds=settings.WORKER_LEASE_S)
    _rows(messages).update(
        status=MessageStatus.SENDING, tries=F("tries") + 1, error="", error_code="", sent_at=now, run_at=lease_end
    )
    for message in messages:
        message.status, message.error, message.sent_at, message.run_at = MessageStatus.SENDING, "", now, lease_end
    update_memberships(messages=messages)
    _count_sent(line, messages, now)


def _count_sent(line: PhoneLine, messages: Sequence[Message], now: datetime) -> None:
    second, campaigns = timedelta(seconds=1), sum(message.kind == MessageKind.CAMPAIGN for message in messages)
    segments, today = sum(count_segments(message.body) for message in messages), utc_day(now)
    line.sent_segments = segments + (line.sent_segments if line.sent_on == today else 0)
    line.sent_on = today
    line.next_send_at = max(line.next_send_at, now) + second * len(messages) / settings.SMS_PER_SECOND
    if campaigns:
        rest = second * campaigns / (settings.SMS_PER_SECOND * CAMPAIGN_SHARE)
        line.next_campaign_send_at = max(line.next_campaign_send_at, now) + rest
    line.save(update_fields=["sent_segments", "sent_on", "next_send_at", "next_campaign_send_at"])


def _rows(messages: Iterable[Message]) -> QuerySet:
    return Message.objects.filter(pk__in=[message.pk for message in messages])
