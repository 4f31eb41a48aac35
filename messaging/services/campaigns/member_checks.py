"""Checks of a campaign's due members, for many at once: who gets a message now, who waits, and who is left out."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm.choices import CampaignPurpose, Direction, MembershipStatus
from crm.error_codes import ErrorCode
from crm.models import Campaign, CampaignMembership
from crm.refusals import Refusal
from messaging.choices import MessageKind, MessageStatus
from messaging.models import Message
from messaging.services.campaigns.bodies import read_bodies
from messaging.services.campaigns.due_times import NO_OPEN_HOUR, next_due_at
from messaging.services.campaigns.texts import full_text
from messaging.services.outbound.recipient_facts import (
    POSSIBLY_SENT,
    Recipient,
    RecipientFacts,
    read_consents,
    read_facts,
)
from messaging.services.outbound.send_policy import SendBlocked, check_recipient
from messaging.sms_segments import count_segments

MAX_WAIT = timedelta(days=3)  # for the end of the time between two campaigns
OPT_OUTS = (ErrorCode.OPTED_OUT, ErrorCode.UNDER_REVIEW)

ANSWERED = "The contact has answered."
NO_CONSENT = ErrorCode.NO_MARKETING_CONSENT.detail
LATELY = "The contact had a message of another campaign lately."
NO_STEP = "The campaign has no text for this step."


@dataclass(frozen=True)
class MemberText:
    """The text of a member who gets it now."""

    member: CampaignMembership
    body: str
    segments: int


class _Later(Exception):
    """The member gets the message later."""

    def __init__(self, due_at: datetime) -> None:
        super().__init__()
        self.due_at = due_at


class _Ended(Exception):
    """The member gets no message."""

    def __init__(self, reason: str, status: MembershipStatus = MembershipStatus.SKIPPED) -> None:
        super().__init__(reason)
        self.status = status


class _Checks:
    """Facts that the checks need, read for all members together."""

    def __init__(self, campaign: Campaign, members: Sequence[CampaignMembership], now: datetime) -> None:
        self.campaign, self.now = campaign, now
        is_marketing = campaign.purpose == CampaignPurpose.MARKETING
        self.needs_consent = is_marketing and campaign.company.require_marketing_consent
        contacts = [member.contact_id for member in members]
        recipients = [Recipient(member.contact_id, member.contact.phone) for member in members]
        self.facts = read_facts(recipients=recipients, now=now, is_campaign=True)
        self.texted = _texted(contacts)
        self.bodies = read_bodies(campaign)
        self.answered = _answered(campaign, [member.contact_id for member in members if member.step > 1])
        self.with_consent = read_consents(phones=[recipient.phone for recipient in recipients])
        self.other_campaigns = _latest_of_other_campaigns(campaign, contacts, now)

    def text_of(self, member: CampaignMembership) -> MemberText:
        """Return the member's text. Raises _Later or _Ended."""
        contact = member.contact
        if member.step > 1 and contact.pk in self.answered:
            raise _Ended(ANSWERED)
        self._check_person(self.facts[Recipient(contact.pk, contact.phone)], contact.phone)
        if self.needs_consent and contact.phone not in self.with_consent:
            raise _Ended(NO_CONSENT)
        self._check_interval(contact.pk)
        self._check_hours(member, self.now)
        body = self.bodies.body_of(member.step, member.variant)
        if not body:
            raise _Ended(NO_STEP)
        text = full_text(
            campaign=self.campaign, step_body=body, contact=contact, is_first=contact.pk not in self.texted
        )
        return MemberText(member, text, count_segments(text))

    def _check_person(self, facts: RecipientFacts, phone: str) -> None:
        try:
            check_recipient(facts=facts, phone=phone, kind=MessageKind.CAMPAIGN, now=self.now)
        except SendBlocked as blocked:
            if blocked.retry_at is not None:
                raise _Later(blocked.retry_at) from blocked
            status = MembershipStatus.OPTED_OUT if blocked.code in OPT_OUTS else MembershipStatus.SKIPPED
            raise _Ended(str(blocked), status) from blocked

    def _check_interval(self, contact_id: int) -> None:
        latest = self.other_campaigns.get(contact_id)
        if latest is None:
            return
        due_at = latest + timedelta(days=self.campaign.company.campaign_interval_days or 0)
        if due_at - self.now > MAX_WAIT:
            raise _Ended(LATELY)
        raise _Later(due_at)

    def _check_hours(self, member: CampaignMembership, moment: datetime) -> None:
        due_at = self.hours_from(member, moment)
        if due_at > self.now:
            raise _Later(due_at)

    def hours_from(self, member: CampaignMembership, moment: datetime) -> datetime:
        contact = member.contact
        due_at = next_due_at(
            timezone=contact.timezone,
            state=contact.state,
            phone=contact.phone,
            company=self.campaign.company,
            moment=moment,
        )
        if due_at is None:
            raise _Ended(NO_OPEN_HOUR)
        return due_at


def check_members(*, campaign: Campaign, members: Sequence[CampaignMembership], now: datetime) -> list[MemberText]:
    """Return the texts of the members who get one now. The others get a later time, or an end with its reason."""
    if not members:
        return []
    checks = _Checks(campaign, members, now)
    texts: list[MemberText] = []
    later: list[CampaignMembership] = []
    ended: dict[tuple[MembershipStatus, str], list[int]] = defaultdict(list)
    for member in members:
        try:
            try:
                texts.append(checks.text_of(member))
            except _Later as wait:
                member.due_at = checks.hours_from(member, wait.due_at)
                later.append(member)
        except _Ended as end:
            ended[end.status, str(end)[:200]].append(member.pk)
        except Refusal as refusal:  # the text can't be made for this contact
            ended[MembershipStatus.SKIPPED, str(refusal)[:200]].append(member.pk)
    CampaignMembership.objects.bulk_update(later, ["due_at"])
    for (status, reason), ids in ended.items():
        CampaignMembership.objects.filter(pk__in=ids).update(status=status, reason=reason, due_at=None)
    return texts


def _texted(contacts: Sequence[int]) -> set[int]:
    """Return the contacts to whom a message may have left."""
    sent = Message.objects.filter(contact__in=contacts, direction=Direction.OUTGOING, status__in=POSSIBLY_SENT)
    return set(sent.order_by().values_list("contact", flat=True).distinct())


def _answered(campaign: Campaign, contacts: Sequence[int]) -> set[int]:
    """Return those of these contacts who have written or booked since the campaign's first message to them."""
    if not contacts:
        return set()
    before = campaign.memberships.filter(contact__in=contacts, sent_at__isnull=False).order_by("-sent_at")
    found = list(before.values_list("contact", "sent_at", "status", "booked_at"))
    first_sent = {contact: sent_at for contact, sent_at, _, _ in found if sent_at}  # the last in the list is the first
    ends = (MembershipStatus.REPLIED, MembershipStatus.OPTED_OUT)
    answered = {contact for contact, _, status, booked_at in found if status in ends or booked_at is not None}
    since = min(first_sent.values(), default=campaign.created_at)
    incoming = Message.objects.filter(contact__in=first_sent, direction=Direction.INCOMING, created_at__gt=since)
    written = incoming.values_list("contact", "created_at")
    return answered | {contact for contact, at in written if at > first_sent[contact]}


def _latest_of_other_campaigns(campaign: Campaign, contacts: Sequence[int], now: datetime) -> dict[int, datetime]:
    """Return when each contact got the latest message of another campaign, within the company's interval.

    A test send is none: who has tested the text may be in the audience.
    """
    days = campaign.company.campaign_interval_days
    if not days:
        return {}
    since = now - timedelta(days=days)
    others = Message.objects.filter(
        contact__in=contacts,
        kind=MessageKind.CAMPAIGN,
        status__in=[MessageStatus.QUEUED, *POSSIBLY_SENT],
        created_at__gte=since,
        membership__isnull=False,
    ).exclude(membership__campaign=campaign)
    return dict(others.order_by("created_at").values_list("contact", "created_at"))
