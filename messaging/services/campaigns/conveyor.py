"""Room in the outbox for a campaign's messages, and their way into it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Sum

from crm.choices import ActivityType, Direction
from crm.date_ranges import start_of
from crm.models import Activity, Campaign, CampaignCount, CampaignMembership, Conversation, PhoneLine
from messaging.choices import MessageKind, MessageStatus
from messaging.models import Message
from messaging.services.campaigns.member_checks import MemberText
from messaging.services.campaigns.recall import UNSENT
from messaging.services.outbound.claims import CAMPAIGN_PRIORITY, CAMPAIGN_SHARE
from messaging.services.outbound.daily_limits import read_daily_limits

AHEAD_S = 60  # seconds of the pace that wait in the outbox
MAX_QUEUED = 2000  # messages of a line, so that a pause takes them back at once
MAX_TURN = 500
REST = timedelta(seconds=60)  # of a campaign for which nothing is to be done; a changed limit acts then


@dataclass
class Room:
    """Room of a campaign in the outbox now: messages, and their SMS segments within the limits of the day."""

    messages: int
    segments: int
    wait: timedelta
    """The time in which the line sends half of what the outbox holds for it."""

    @property
    def limit(self) -> int:
        """Members of one turn. Each text has a segment at least."""
        return max(min(self.messages, self.segments, MAX_TURN), 0)

    @property
    def is_filled(self) -> bool:
        """Return whether one turn fills it."""
        return self.messages <= MAX_TURN


def read_room(*, campaign: Campaign, now: datetime) -> Room:
    line, pace = campaign.phone_line, settings.SMS_PER_SECOND * CAMPAIGN_SHARE
    if line is None:
        raise ValueError("A running campaign has a phone line.")
    capacity = min(round(pace * AHEAD_S), MAX_QUEUED)
    waiting = _queued_on(line, now)
    messages = capacity - waiting["messages"]
    if campaign.daily_limit is not None:
        messages = min(messages, campaign.daily_limit - _used_today(campaign, now))
    rooms = [limit.limit - limit.sent - waiting["segments"] for limit in read_daily_limits(line=line, now=now)]
    room = Room(messages=messages, segments=min(rooms), wait=timedelta(seconds=max(capacity / 2 / pace, 1)))
    if not room.limit and not waiting["messages"]:  # nothing changes before tomorrow
        room.wait = REST
    return room


def _queued_on(line: PhoneLine, now: datetime) -> dict[str, int]:
    """Count what the line sends within AHEAD_S; a message that waits for tomorrow takes no room."""
    queued = Message.objects.filter(
        phone_line=line,
        priority=CAMPAIGN_PRIORITY,
        status=MessageStatus.QUEUED,
        run_at__lte=now + timedelta(seconds=AHEAD_S),
    )
    return queued.aggregate(messages=Count("*"), segments=Sum("membership__sms_segments", default=0))


def _used_today(campaign: Campaign, now: datetime) -> int:
    """Return how many of today's messages (company's time zone) have left, or are about to."""
    zone = campaign.company.zone
    midnight = start_of(now.astimezone(zone).date(), zone)
    sent = CampaignCount.objects.filter(campaign=campaign, hour__gte=midnight).aggregate(n=Sum("members", default=0))
    on_the_way = CampaignMembership.objects.filter(campaign=campaign, status__in=UNSENT, due_at__isnull=True)
    return int(sent["n"]) + on_the_way.count()


def queue_members(*, campaign: Campaign, texts: Sequence[MemberText], room: Room, now: datetime) -> int:
    """Put the members' messages into the outbox, as far as the day's segments allow. Returns how many."""
    texts = _within(texts, room.segments)
    if not texts:
        return 0
    conversations = _conversations_of(campaign, [text.member.contact_id for text in texts], now)
    activities = Activity.objects.bulk_create(
        Activity(
            company_id=campaign.company_id,
            contact=text.member.contact,
            conversation_id=conversations[text.member.contact_id],
            activity_type=ActivityType.MESSAGE,
            direction=Direction.OUTGOING,
            body=text.body,
            created_at=now,
        )
        for text in texts
    )
    line = campaign.phone_line
    Message.objects.bulk_create(
        Message(
            company_id=campaign.company_id,
            activity=activity,
            contact=text.member.contact,
            phone_line=line,
            membership=text.member,
            direction=Direction.OUTGOING,
            kind=MessageKind.CAMPAIGN,
            from_number=line.number if line else "",
            to_numbers=[text.member.contact.phone],
            body=text.body,
            status=MessageStatus.QUEUED,
            created_at=now,
            run_at=now,
        )
        for text, activity in zip(texts, activities, strict=True)
    )
    for segments in sorted({text.segments for text in texts}):
        ids = [text.member.pk for text in texts if text.segments == segments]
        CampaignMembership.objects.filter(pk__in=ids).update(due_at=None, sms_segments=segments)
    return len(texts)


def _within(texts: Sequence[MemberText], segments: int) -> Sequence[MemberText]:
    """Return the first texts, up to this many segments together; the others stay due.

    The first one may be longer than a day's limit: it is sent as the first of a day.
    """
    used = 0
    for number, text in enumerate(texts):
        used += text.segments
        if number and used > segments:
            return texts[:number]
    return texts


def _conversations_of(campaign: Campaign, contacts: Sequence[int], now: datetime) -> dict[int, int]:
    """Return the conversation of each contact with the campaign's line, created if missing.

    A new one is as old as its message. So it goes with a message that is recalled.
    """
    found = _find_conversations(campaign, contacts)
    missing = [contact for contact in contacts if contact not in found]
    if missing:
        Conversation.objects.bulk_create(
            (
                Conversation(
                    company_id=campaign.company_id,
                    contact_id=contact,
                    phone_line=campaign.phone_line,
                    created_at=now,
                    last_activity_at=now,
                )
                for contact in missing
            ),
            ignore_conflicts=True,  # a webhook event may create one at the same moment
        )
        found |= _find_conversations(campaign, missing)
    return found


def _find_conversations(campaign: Campaign, contacts: Sequence[int]) -> dict[int, int]:
    rows = Conversation.objects.filter(contact__in=contacts, phone_line=campaign.phone_line_id)
    return dict(rows.values_list("contact", "pk"))
