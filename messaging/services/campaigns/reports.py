"""Results of a campaign: replies, bookings and opt-outs by variant, step and hour of sending."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from crm.choices import MembershipStatus
from crm.models import Campaign
from messaging.services.campaigns.bodies import FIRST_STEP
from messaging.services.campaigns.count_rows import CountRow, read_counts
from messaging.services.campaigns.statistics import Proportion
from messaging.services.campaigns.variant_tests import VariantTest, read_test

FAILURES = (MembershipStatus.FAILED, MembershipStatus.UNDELIVERED)


@dataclass(frozen=True)
class Outcome:
    """Results of some of the memberships. The proportions are of `recipients`; failures of all tries."""

    members: int
    recipients: int
    replies: Proportion
    bookings: Proportion
    opt_outs: Proportion
    failures: Proportion
    sms_segments: int


@dataclass(frozen=True)
class CampaignReport:
    """The results of a campaign. Hours are in the company's time zone."""

    by_status: dict[str, int]
    total: Outcome
    by_variant: dict[str, Outcome]
    by_step: dict[int, Outcome]
    by_hour: dict[datetime, Outcome]
    test: VariantTest | None


def read_report(*, campaign: Campaign) -> CampaignReport:
    """Return the results of a campaign, with one statement."""
    rows = read_counts(campaign)
    zone = campaign.company.zone
    sent = [row for row in rows if row.hour]
    by_status = dict.fromkeys(MembershipStatus.values, 0)
    for row in rows:
        by_status[row.status] += row.members
    return CampaignReport(
        by_status=by_status,
        total=_of_contacts(rows),
        by_variant={variant: _of_contacts(part) for variant, part in _split(rows, lambda row: row.variant).items()},
        by_step={step: _of_messages(part) for step, part in _split(rows, lambda row: row.step).items()},
        by_hour={
            hour.astimezone(zone): _of_messages(part) for hour, part in _split(sent, lambda row: row.hour).items()
        },
        test=read_test(rows, at=timezone.now()) if campaign.body_b else None,
    )


def _split(rows: Iterable[CountRow], key: Callable[[CountRow], Any]) -> dict[Any, list[CountRow]]:
    parts: dict[Any, list[CountRow]] = {}
    for row in rows:
        parts.setdefault(key(row), []).append(row)
    return dict(sorted(parts.items()))


def _of_messages(rows: list[CountRow]) -> Outcome:
    """Return the outcome of messages: each is one of a step."""
    return _outcome(rows, first=rows)


def _of_contacts(rows: list[CountRow]) -> Outcome:
    """Return the outcome of contacts: a contact of several steps is one recipient."""
    return _outcome(rows, first=[row for row in rows if row.step == FIRST_STEP])


def _outcome(rows: list[CountRow], *, first: list[CountRow]) -> Outcome:
    sent = [row for row in rows if row.hour]
    recipients = _count(row for row in first if row.hour)
    failed = _count(row for row in rows if row.status in FAILURES)
    undelivered = _count(row for row in sent if row.status in FAILURES)

    def share(part: Iterable[CountRow]) -> Proportion:
        # A contact who has replied to two steps is one recipient who has replied.
        return Proportion(min(_count(part), recipients), recipients)

    return Outcome(
        members=_count(first),
        recipients=recipients,
        replies=share(row for row in sent if row.status == MembershipStatus.REPLIED),
        bookings=share(row for row in sent if row.booked),
        opt_outs=share(row for row in sent if row.status == MembershipStatus.OPTED_OUT),
        failures=Proportion(failed, _count(sent) + failed - undelivered),
        sms_segments=sum(row.sms_segments for row in sent),
    )


def _count(rows: Iterable[CountRow]) -> int:
    return sum(row.members for row in rows)
