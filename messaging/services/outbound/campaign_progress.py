"""Progress of campaign memberships: the only writer of what their messages say about them."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Case, F, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from crm.choices import MembershipStatus, OptOutState
from crm.models import CampaignMembership
from crm.models.campaigns import SENT
from crm.services.opt_outs import REASONS
from messaging.choices import LOST, MessageKind, MessageStatus
from messaging.models import Message
from messaging.services.campaigns.recall import UNSENT, delete_queued, stopped_members, without_texts

REPLY_WINDOW = timedelta(hours=72)
BOOKING_WINDOW = timedelta(days=14)

# In chronological order. Statuses not listed here are never changed.
_STAGES = (
    MembershipStatus.PENDING,
    MembershipStatus.SENDING,
    MembershipStatus.SENT,
    MembershipStatus.FAILED,
    MembershipStatus.UNDELIVERED,
    MembershipStatus.DELIVERED,
    MembershipStatus.REPLIED,
)
_STAGE_OF = {
    MessageStatus.SENDING: MembershipStatus.SENDING,
    MessageStatus.SENT: MembershipStatus.SENT,
    MessageStatus.FAILED: MembershipStatus.FAILED,
    MessageStatus.UNDELIVERED: MembershipStatus.UNDELIVERED,
    MessageStatus.DELIVERED: MembershipStatus.DELIVERED,
}
_AFTER_SENDING = _STAGES[_STAGES.index(MembershipStatus.SENT) :]

# Contacts who replied, booked or opted out get no further step.
_NEXT_STEPS = """
INSERT INTO campaign_memberships
    (company_id, campaign_id, contact_id, step, variant, status, reason, due_at, sms_segments, created_at)
SELECT member.company_id, member.campaign_id, member.contact_id, next.step, member.variant, 'pending', '',
    {due_at}, 0, %(now)s
FROM campaign_memberships member
JOIN campaigns ON campaigns.id = member.campaign_id AND campaigns.status IN ('running', 'paused')
JOIN campaign_steps next ON next.campaign_id = member.campaign_id AND next.step = member.step + 1
WHERE member.id IN ({ids}) AND member.status IN ('sent', 'delivered') AND member.booked_at IS NULL
    AND member.reason = ''
ON CONFLICT (campaign_id, contact_id, step) DO NOTHING
"""
_DUE_AT = {
    "postgresql": "member.sent_at + next.delay_minutes * interval '1 minute'",
    "sqlite": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', member.sent_at, next.delay_minutes || ' minutes')",
}


def update_memberships(*, messages: Iterable[Message]) -> None:
    """Advance the messages' campaign memberships to the statuses of the messages, in a few statements for all.

    None ever moves back, or is lost while another text of it has left or may leave. A step that was sent makes the
    contact's next one, if the campaign has one.
    """
    ids: dict[tuple[MembershipStatus, str], list[int]] = defaultdict(list)
    for message in messages:
        status = _STAGE_OF.get(MessageStatus(message.status))
        if message.membership_id is not None and status is not None:
            ids[status, message.error[:200]].append(message.membership_id)
    for (status, reason), members in ids.items():
        behind = CampaignMembership.objects.filter(pk__in=members, status__in=_STAGES[: _STAGES.index(status)])
        if status in LOST:
            behind = without_texts(behind)
        if status not in SENT:
            behind.update(status=status, reason=reason)
            continue
        # Else that of a lookup, of a text that has left all the same, would seem to end the sequence.
        own = Value(reason if status == MembershipStatus.UNDELIVERED else "")
        kept = Case(When(pk__in=stopped_members(), then=F("reason")), default=own)
        if behind.update(status=status, reason=kept, sent_at=Coalesce("sent_at", timezone.now())):
            _add_next_steps(members)


def end_memberships(*, messages: Collection[int], status: MembershipStatus, reason: str) -> None:
    """Record why the contacts of these messages, which failed before they left, get none."""
    unsent = without_texts(CampaignMembership.objects.filter(messages__in=messages, status__in=UNSENT))
    unsent.update(status=status, reason=reason[:200])


def mark_membership_replied(*, message: Message) -> None:
    """Mark the membership of the latest campaign message before this one, of its conversation, as replied.

    The campaign message left within REPLY_WINDOW before it. The contact gets no further step of any campaign.
    """
    member = _latest_membership(message)
    replied = CampaignMembership.objects.filter(pk__in=member, status__in=_AFTER_SENDING)
    replied.update(status=MembershipStatus.REPLIED, reason="")
    stop_sequences(contact_id=message.contact_id, reason="The contact has replied.")


def mark_membership_opted_out(*, message: Message) -> None:
    """Mark the membership of the campaign message that this one, an opt-out, answers as opted out."""
    member = _latest_membership(message)
    answered = CampaignMembership.objects.filter(pk__in=member, status__in=_AFTER_SENDING)
    answered.update(status=MembershipStatus.OPTED_OUT, reason=REASONS[OptOutState.OPTED_OUT])


def on_booking(*, contact_id: int, at: datetime, **_signal: Any) -> None:
    """Record a booking at the contact's latest campaign membership, sent within BOOKING_WINDOW before it."""
    sent = CampaignMembership.objects.filter(contact=contact_id, sent_at__range=(at - BOOKING_WINDOW, at))
    latest = sent.order_by("-sent_at", "-id").values("pk")[:1]
    CampaignMembership.objects.filter(pk__in=latest, booked_at__isnull=True).update(booked_at=at)
    stop_sequences(contact_id=contact_id, reason="The contact has booked.")


def stop_sequences(*, contact_id: int | None, reason: str) -> None:
    """Send the contact no further step of any campaign. One that a worker is sending may be the last."""
    further = CampaignMembership.objects.filter(contact=contact_id, status__in=UNSENT, step__gte=2)
    ids = list(further.values_list("pk", flat=True))
    if not ids:
        return
    pending = further.filter(pk__in=ids, status=MembershipStatus.PENDING)
    queued = Message.objects.filter(membership__in=ids)
    delete_queued(messages=queued)  # first messages, then memberships: as a worker locks them
    held = queued.filter(membership__in=pending)  # released later, it would leave after all
    delete_queued(messages=held, status=MessageStatus.HELD)
    # It waits for a feeder that is queuing their messages, so these are found afterwards.
    pending.update(status=MembershipStatus.SKIPPED, reason=reason, due_at=None)
    delete_queued(messages=queued)
    sending = further.filter(pk__in=ids)
    without_texts(sending).update(status=MembershipStatus.SKIPPED, reason=reason, due_at=None)
    sending.update(reason=reason)  # its departure sees it


def _latest_membership(message: Message) -> list[int]:
    """Return the membership of the latest campaign message within REPLY_WINDOW before this one, in its conversation."""
    campaign_messages = Message.objects.filter(
        contact=message.contact_id,
        phone_line=message.phone_line_id,
        kind=MessageKind.CAMPAIGN,
        membership__sent_at__range=(message.created_at - REPLY_WINDOW, message.created_at),
    )
    return list(campaign_messages.order_by("-membership__sent_at", "-id").values_list("membership__pk", flat=True)[:1])


def _add_next_steps(members: list[int]) -> None:
    with connection.cursor() as cursor:
        ids = ", ".join(map(str, members))
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        cursor.execute(_NEXT_STEPS.format(due_at=_DUE_AT[connection.vendor], ids=ids), {"now": now})
