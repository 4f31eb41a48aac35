"""Preview of a campaign's start: who gets it, who is left out, when, at what cost, and what to think about first."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from crm.choices import CampaignPurpose, MembershipStatus
from crm.error_codes import ErrorCode
from crm.models import Campaign, Contact
from crm.recurrence import InvalidRule
from crm.refusals import Refusal
from messaging.services.campaigns.audience import add_audience
from messaging.services.campaigns.audience_checks import LeftOut, allow_large_hashes, judge
from messaging.services.campaigns.audience_counts import count_audience
from messaging.services.campaigns.bodies import FIRST_STEP, read_bodies
from messaging.services.campaigns.due_times import count_by_due_hour
from messaging.services.campaigns.estimates import Estimate, check_estimate, estimate_campaign
from messaging.services.campaigns.readiness import NotReady, check_start
from messaging.services.campaigns.recurrence import describe_rule, upcoming_runs
from messaging.services.outbound.claims import CAMPAIGN_SHARE
from messaging.sms_segments import find_ucs_2_characters

SHOWN_RUNS = 3


@dataclass(frozen=True)
class StartPreview:
    """Effects of a start, if it were now.

    Attributes:
        starts_at: its scheduled time, or now.
        refusal: why it can't start.
        members: contacts who wait for it and would get it.
        joining: contacts whom the campaign's segment adds at the start.
        left_out: the other members and contacts of the segment, by reason.
        estimate: of the members and those who join.
        due_hours: members by the hour from which they may get it.
        sending_time: at the line's pace, all hours being open.
    """

    starts_at: datetime
    refusal: Refusal | None
    members: int
    joining: int
    left_out: dict[LeftOut, int]
    estimate: Estimate
    due_hours: dict[datetime, int]
    sending_time: timedelta
    warnings: list[str]


def preview_start(*, campaign: Campaign) -> StartPreview:
    """Preview the start of a campaign, with a constant number of statements. Nothing is changed."""
    now = timezone.now()
    starts_at = max(campaign.scheduled_at or now, now)
    with transaction.atomic():
        allow_large_hashes()
        members, without_consent, left_out = _judge_members(campaign)
        joining = 0
        if campaign.segment is not None:
            audience = add_audience(campaign=campaign, segment=campaign.segment, dry_run=True)
            joining = audience.added
            left_out.update({LeftOut(reason): number for reason, number in audience.left_out.items()})
    left_out.pop(LeftOut.ALREADY_IN_CAMPAIGN, None)
    estimate = estimate_campaign(campaign=campaign)
    return StartPreview(
        starts_at=starts_at,
        refusal=_refusal(campaign, estimate, joining, now),
        members=members,
        joining=joining,
        left_out={reason: left_out[reason] for reason in LeftOut if left_out[reason]},
        estimate=estimate,
        due_hours=count_by_due_hour(campaign=campaign, now=starts_at),
        sending_time=timedelta(seconds=(members + joining) / (settings.SMS_PER_SECOND * CAMPAIGN_SHARE)),
        warnings=_warnings(campaign, estimate, without_consent, starts_at),
    )


def _judge_members(campaign: Campaign) -> tuple[int, int, Counter[LeftOut]]:
    """Return how many of those who wait may get it, how many of them without a recorded consent, and the others."""
    waiting = campaign.memberships.filter(status=MembershipStatus.PENDING)
    contacts = Contact.objects.filter(company=campaign.company_id, pk__in=waiting.values("contact"))
    counts = count_audience(judge(contacts, company=campaign.company, campaign=campaign, are_members=True))
    left_out = Counter({LeftOut(reason): number for reason, number in counts.left_out.items() if number})
    return counts.included, counts.without_consent, left_out


def _refusal(campaign: Campaign, estimate: Estimate, joining: int, now: datetime) -> Refusal | None:
    try:
        check_start(campaign=campaign, now=now)
        if not estimate.members and not joining and (campaign.segment_id is None or campaign.scheduled_at is None):
            raise NotReady(ErrorCode.NO_MEMBERS)
        check_estimate(estimate)
    except Refusal as refusal:
        return refusal
    return None


def _warnings(campaign: Campaign, estimate: Estimate, without_consent: int, starts_at: datetime) -> list[str]:
    warnings = []
    if campaign.recurrence:
        warnings += _say_recurrence(campaign, starts_at)
    if without_consent and campaign.purpose == CampaignPurpose.MARKETING:
        warnings.append(
            f"{without_consent:,} of the contacts have no recorded consent to marketing messages. "
            "The company's settings let them get it."
        )
    if estimate.test and not estimate.test.is_enough:
        warnings.append(
            f"The A/B test is too small for a verdict: each text has {estimate.test.members_per_variant:,} contacts, "
            f"and needs {estimate.test.needed_per_variant:,}."
        )
    for name, body in read_bodies(campaign).named.items():
        if characters := find_ucs_2_characters(body):
            warnings.append(
                f"{' '.join(characters[:5])} in {name} shortens each segment from 160 characters to 70: it costs more."
            )
    if (days := _days(campaign, estimate)) > 1:
        warnings.append(f"The daily limits spread the messages over {days:,} days or more.")
    return warnings


def _say_recurrence(campaign: Campaign, starts_at: datetime) -> list[str]:
    zone = campaign.company.zone
    try:
        runs = upcoming_runs(rule=campaign.recurrence, first=starts_at, number=SHOWN_RUNS, zone=zone)
    except InvalidRule:
        return []  # it is a refusal
    times = ", ".join(f"{run.astimezone(zone):%a %Y-%m-%d %H:%M}" for run in runs) or "none"
    return [f"It repeats {describe_rule(campaign.recurrence)}. Next runs ({zone}): {times}."]


def _days(campaign: Campaign, estimate: Estimate) -> int:
    """Return the days that the first message of everybody takes at least."""
    first = [part for part in estimate.parts.values() if part.step == FIRST_STEP]
    segments, messages = sum(part.sms_segments for part in first), sum(part.members for part in first)
    limits = [campaign.company.daily_segment_limit, campaign.phone_line and campaign.phone_line.daily_cap]
    days = [ceil(segments / limit) for limit in limits if limit]
    return max([*days, ceil(messages / campaign.daily_limit) if campaign.daily_limit else 0], default=0)
