"""Checks that decide who of some contacts can be in a campaign's audience: the same for its preview and its making.

One statement judges all contacts. Facts about few contacts (flags, memberships) are gathered first, so that each
contact costs one look into a hash table.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import phonenumbers
from django.db import connection
from django.db.models import QuerySet, TextChoices
from django.utils import timezone

from crm.choices import CampaignPurpose, CampaignStatus, FlagType, MembershipStatus, ReviewState
from crm.models import Campaign, Company, PhoneLine
from crm.querysets import LAST_CHARACTER

HOME = "+1"  # of companies whose lines' numbers are unknown
WAITING = (MembershipStatus.PENDING, MembershipStatus.SENDING)
UNDER_WAY = (CampaignStatus.RUNNING, CampaignStatus.PAUSED)


class LeftOut(TextChoices):
    """Reasons to leave a contact out of an audience. The first one that applies is counted."""

    DO_NOT_CONTACT = "do_not_contact", "Do not contact"
    OPTED_OUT = "opted_out", "Opted out"
    UNDER_REVIEW = "under_review", "Possible opt-out, under review"
    INVALID_NUMBER = "invalid_number", "Invalid number"
    WRONG_COUNTRY = "wrong_country", "Number of another country"
    SAME_NUMBER_TWICE = "same_number_twice", "Number of another contact"
    ALREADY_IN_CAMPAIGN = "already_in_campaign", "Already in this campaign"
    IN_RUNNING_CAMPAIGN = "in_running_campaign", "Waits for a message of another campaign"
    CAPPED = "capped", "Had a campaign message lately"
    NO_CONSENT = "no_consent", "No consent to marketing messages"


RANKS = {reason: rank for rank, reason in enumerate(LeftOut, start=1)}
REASONS = {rank: reason for reason, rank in RANKS.items()}
IN = 0  # the rank of a contact that is in the audience


@dataclass(frozen=True)
class Judgement:
    """A query with a row for each contact: `id`, `rank` (see RANKS, or IN) and `has_consent`."""

    sql: str
    params: tuple[Any, ...]


@dataclass
class _Query:
    """SQL that is put together from parts with their parameters."""

    parts: list[str] = field(default_factory=list)
    params: list[Any] = field(default_factory=list)

    def add(self, sql: str, *params: Any) -> None:
        self.parts.append(sql)
        self.params += params

    def add_facts(self, sql: str, *params: Any) -> None:
        """Add rows of contacts with their rank."""
        self.add(f"{'UNION ALL ' if self.parts else ''}{sql}", *params)


def judge(
    contacts: QuerySet, *, company: Company, campaign: Campaign | None = None, are_members: bool = False
) -> Judgement:
    """Return the query that judges contacts of the company.

    Args:
        campaign: the one whose members they will be. None: any marketing campaign.
        are_members: whether they are its members already. Other campaigns no longer keep them out.
    """
    now = timezone.now()
    chosen, chosen_params = contacts.order_by().values("id", "phone").query.sql_with_params()
    facts = _facts(company, campaign, now, are_members)
    at_home, home_params = _number_begins_with(_country_codes(company, campaign))
    last_flag, last_fact = RANKS[LeftOut.INVALID_NUMBER], RANKS[LeftOut.CAPPED]
    needs_consent = company.require_marketing_consent and (
        campaign is None or campaign.purpose == CampaignPurpose.MARKETING
    )
    no_consent = f"WHEN consent.phone IS NULL THEN {RANKS[LeftOut.NO_CONSENT]}"
    sql = f"""
        SELECT chosen.id, consent.phone IS NOT NULL AS has_consent, CASE
            WHEN fact.rank <= {last_flag} THEN fact.rank
            WHEN NOT ({at_home}) THEN {RANKS[LeftOut.WRONG_COUNTRY]}
            WHEN number.contact_id <> chosen.id THEN {RANKS[LeftOut.SAME_NUMBER_TWICE]}
            WHEN fact.rank <= {last_fact} THEN fact.rank
            {no_consent if needs_consent else ""}
            ELSE {IN} END AS rank
        FROM ({chosen}) AS chosen
        LEFT JOIN (SELECT contact_id, min(rank) AS rank FROM ({" ".join(facts.parts)}) AS facts GROUP BY contact_id)
            AS fact ON fact.contact_id = chosen.id
        LEFT JOIN contact_phones AS number ON number.company_id = %s AND number.phone = chosen.phone
        LEFT JOIN marketing_consents AS consent
            ON consent.company_id = %s AND consent.phone = chosen.phone AND consent.withdrawn_at IS NULL
    """  # noqa: S608  # constants, and SQL that Django has made
    return Judgement(sql, (*home_params, *chosen_params, *facts.params, company.pk, company.pk))


def allow_large_hashes() -> None:
    """Let the statements of this transaction hash a large company's rows in memory, with a second process's help."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('work_mem', '64MB', true), set_config('max_parallel_workers_per_gather', '2', true)"
            )


def _facts(company: Company, campaign: Campaign | None, now: datetime, are_members: bool) -> _Query:
    facts, this = _Query(), campaign.pk if campaign else None
    facts.add_facts(
        f"""
        SELECT contact_id, CASE WHEN flag_type = %s THEN {RANKS[LeftOut.DO_NOT_CONTACT]}
            WHEN flag_type = %s THEN {RANKS[LeftOut.INVALID_NUMBER]}
            WHEN review_state = %s THEN {RANKS[LeftOut.UNDER_REVIEW]} ELSE {RANKS[LeftOut.OPTED_OUT]} END AS rank
        FROM contact_flags
        WHERE company_id = %s AND flag_type IN (%s, %s, %s) AND (expires_at IS NULL OR expires_at > %s)
        """,  # noqa: S608  # constants
        FlagType.DO_NOT_CONTACT,
        FlagType.INVALID_NUMBER,
        ReviewState.PENDING,
        company.pk,
        FlagType.DO_NOT_CONTACT,
        FlagType.INVALID_NUMBER,
        FlagType.OPTED_OUT,
        _as_param(now),
    )
    if this and not are_members:
        facts.add_facts(
            f"SELECT contact_id, {RANKS[LeftOut.ALREADY_IN_CAMPAIGN]} FROM campaign_memberships"  # noqa: S608
            " WHERE company_id = %s AND campaign_id = %s",
            company.pk,
            this,
        )
    if not are_members:
        facts.add_facts(
            f"""
            SELECT membership.contact_id, {RANKS[LeftOut.IN_RUNNING_CAMPAIGN]}
            FROM campaigns JOIN campaign_memberships AS membership ON membership.campaign_id = campaigns.id
            WHERE campaigns.company_id = %s AND membership.company_id = %s AND campaigns.id <> %s
                AND campaigns.status IN (%s, %s) AND membership.status IN (%s, %s)
            """,  # noqa: S608  # constants
            company.pk,
            company.pk,
            this or 0,
            *UNDER_WAY,
            *WAITING,
        )
    if company.campaign_interval_days:
        facts.add_facts(
            f"SELECT contact_id, {RANKS[LeftOut.CAPPED]} FROM campaign_memberships"  # noqa: S608
            " WHERE company_id = %s AND sent_at > %s",
            company.pk,
            _as_param(now - timedelta(days=company.campaign_interval_days)),
        )
    return facts


def _country_codes(company: Company, campaign: Campaign | None) -> set[str]:
    """Return the beginnings of numbers that the campaign's line, or else any line of the company, can reach."""
    lines = PhoneLine.objects.filter(company=company).exclude(number="")
    if campaign and campaign.phone_line_id:
        lines = lines.filter(pk=campaign.phone_line_id)
    codes = set()
    for number in lines.values_list("number", flat=True):
        with suppress(phonenumbers.NumberParseException):
            codes.add(f"+{phonenumbers.parse(number).country_code}")
    return codes or {HOME}


def _number_begins_with(codes: Iterable[str]) -> tuple[str, list[str]]:
    """Return the condition that the contact's number begins with one of these, compared byte by byte."""
    phone = 'chosen.phone COLLATE "C"' if connection.vendor == "postgresql" else "chosen.phone"
    ranges = [(code, code + LAST_CHARACTER) for code in sorted(codes)]
    return " OR ".join([f"({phone} >= %s AND {phone} < %s)"] * len(ranges)), [each for pair in ranges for each in pair]


def _as_param(moment: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)
