"""Checks that decide who of some contacts can be in a campaign's audience: the same for its preview and its making.

Reasons to leave contacts out are facts about few of them. The facts are gathered from their own tables; the other
contacts are in the audience, so counting them needs no look at each.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import phonenumbers
from django.db import connection
from django.db.models import Q, QuerySet, TextChoices
from django.utils import timezone

from crm.choices import CampaignPurpose, CampaignStatus, FlagType, MembershipStatus, ReviewState
from crm.contact_querysets import number_begins_with
from crm.models import Campaign, Company, Contact, PhoneLine
from crm.phones import NORTH_AMERICA

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


NOT_CHOSEN = 0  # before all reasons: of a contact that isn't chosen, nothing is counted
RANKS = {reason: rank for rank, reason in enumerate(LeftOut, start=1)}
REASONS = {rank: reason for reason, rank in RANKS.items()}


@dataclass
class _Query:
    """SQL that is put together from parts with their parameters."""

    parts: list[str] = field(default_factory=list)
    params: list[Any] = field(default_factory=list)

    def add(self, sql: str, *params: Any) -> None:
        self.parts.append(sql)
        self.params += params

    @property
    def union(self) -> str:
        return " UNION ALL ".join(self.parts)


@dataclass(frozen=True)
class Judgement:
    """The contacts, of some of a company, that can be in an audience.

    Attributes:
        are_most: whether `chosen` has all contacts of the company, and `left_out` those that aren't chosen, too.
        requires_consent: those without a consent are left out, too.
    """

    are_most: bool
    requires_consent: bool
    _chosen: _Query
    _facts: _Query
    _consents: _Query

    def tables(self, *, with_consents: bool) -> tuple[str, list[Any]]:
        """Return a WITH clause and its parameters.

        Its tables are `chosen` (id, has_consent), `left_out` (contact_id, rank, has_consent: 0 or 1; see RANKS),
        `included` (id), and the consents of the whole company, `linked` and `by_number` (contact_id). A contact that
        only lacks a required consent is in neither `left_out` nor `included`. If `are_most`, `left_out` doesn't know
        who has a consent, and has the rank NOT_CHOSEN, too.

        Args:
            with_consents: False: has_consent is true.
        """
        if self.are_most:  # their number is known without a look at each
            kind, has_consent, consents, joined, of_fact = "NOT MATERIALIZED", _EXISTS, "", "", "0"
        else:  # an index serves each of the two joins if there are few contacts
            kind, joined = "MATERIALIZED", "JOIN chosen ON chosen.id = fact.contact_id"
            has_consent, consents = _JOINED, _JOINS
            of_fact = "max(CASE WHEN chosen.has_consent THEN 1 ELSE 0 END)"
        if not with_consents:
            has_consent, consents, of_fact = "true", "", "1"
        sql = f"""
            WITH linked AS NOT MATERIALIZED ({self._consents.parts[0]}),
            by_number AS NOT MATERIALIZED ({self._consents.parts[1]}),
            consenting AS NOT MATERIALIZED (SELECT contact_id FROM linked UNION ALL SELECT contact_id FROM by_number),
            chosen AS {kind} (
                SELECT contact.id, {has_consent} AS has_consent FROM ({self._chosen.union}) AS contact {consents}
            ),
            left_out AS MATERIALIZED (
                SELECT fact.contact_id, min(fact.rank) AS rank, {of_fact} AS has_consent
                FROM ({self._facts.union}) AS fact {joined}
                GROUP BY fact.contact_id
            ),
            included AS NOT MATERIALIZED (
                SELECT id FROM chosen
                WHERE NOT EXISTS (SELECT 1 FROM left_out WHERE left_out.contact_id = chosen.id)
                {"AND has_consent" if self.requires_consent else ""}
            )
        """  # noqa: S608  # constants, and SQL that Django has made
        return sql, [*self._consents.params, *self._chosen.params, *self._facts.params]


_EXISTS = "EXISTS (SELECT 1 FROM consenting WHERE consenting.contact_id = contact.id)"
_JOINED = "coalesce(linked.contact_id, by_number.contact_id) IS NOT NULL"
_JOINS = """
    LEFT JOIN linked ON linked.contact_id = contact.id
    LEFT JOIN by_number ON by_number.contact_id = contact.id
"""


def judge(
    contacts: QuerySet[Contact],
    *,
    company: Company,
    campaign: Campaign | None = None,
    all_but: QuerySet[Contact] | None = None,
    are_members: bool = False,
) -> Judgement:
    """Return the judgement of contacts of the company.

    Args:
        campaign: the one whose members they will be. None: any marketing campaign.
        all_but: the company's other contacts, if these are probably most of them.
        are_members: whether they are its members already. Other campaigns no longer keep them out.
    """
    is_marketing = campaign is None or campaign.purpose == CampaignPurpose.MARKETING
    chosen, facts = _Query(), _facts(company, campaign, timezone.now(), are_members)
    if all_but is not None:
        contacts = Contact.objects.filter(company=company.pk)
        if not all_but.query.is_empty():
            sql, params = _ids(all_but)
            facts.add(f"SELECT id, {NOT_CHOSEN} FROM ({sql}) AS others", *params)  # noqa: S608  # SQL of Django
    sql, params = _ids(contacts)
    chosen.add(sql, *params)
    return Judgement(
        are_most=all_but is not None,
        requires_consent=company.require_marketing_consent and is_marketing,
        _chosen=chosen,
        _facts=facts,
        _consents=_consents(company),
    )


def allow_large_hashes() -> None:
    """Let the statements of this transaction hash a large company's rows in memory, with a second process's help.

    Rows of consents are wide, so that reading the index instead costs half as much as the planner believes.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('work_mem', '64MB', true), set_config('max_parallel_workers_per_gather', '1', true),"
                " set_config('cpu_index_tuple_cost', '0.001', true), set_config('jit', 'off', true)"
            )


def _facts(company: Company, campaign: Campaign | None, now: datetime, are_members: bool) -> _Query:
    facts, this = _Query(), campaign.pk if campaign else None
    facts.add(
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
    abroad, abroad_params = _ids(_numbers_abroad(company, campaign))
    facts.add(f"SELECT id, {RANKS[LeftOut.WRONG_COUNTRY]} FROM ({abroad}) AS abroad", *abroad_params)  # noqa: S608
    facts.add(
        f"""
        SELECT contacts.id, {RANKS[LeftOut.SAME_NUMBER_TWICE]}
        FROM contact_phones AS number JOIN contacts ON contacts.phone = number.phone
        WHERE number.company_id = %s AND number.is_main_elsewhere
            AND contacts.company_id = %s AND contacts.id <> number.contact_id
        """,  # noqa: S608  # constants
        company.pk,
        company.pk,
    )
    if this and not are_members:
        facts.add(
            f"SELECT contact_id, {RANKS[LeftOut.ALREADY_IN_CAMPAIGN]} FROM campaign_memberships"  # noqa: S608
            " WHERE company_id = %s AND campaign_id = %s",
            company.pk,
            this,
        )
    if not are_members:
        facts.add(
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
        facts.add(
            f"SELECT contact_id, {RANKS[LeftOut.CAPPED]} FROM campaign_memberships"  # noqa: S608
            " WHERE company_id = %s AND sent_at > %s",
            company.pk,
            _as_param(now - timedelta(days=company.campaign_interval_days)),
        )
    return facts


def _consents(company: Company) -> _Query:
    """Return the contacts whose main number has a valid consent. A consent that isn't linked is found by its number."""
    consents = _Query()
    consents.add(
        "SELECT main_contact_id AS contact_id FROM marketing_consents"
        " WHERE company_id = %s AND main_contact_id IS NOT NULL",
        company.pk,
    )
    consents.add(
        """
        SELECT contacts.id AS contact_id
        FROM marketing_consents AS consent JOIN contacts ON contacts.phone = consent.phone
        WHERE consent.company_id = %s AND consent.main_contact_id IS NULL AND consent.withdrawn_at IS NULL
            AND contacts.company_id = %s
        """,
        company.pk,
        company.pk,
    )
    return consents


def _numbers_abroad(company: Company, campaign: Campaign | None) -> QuerySet[Contact]:
    """Return the contacts whose numbers the campaign's line, or else each line of the company, can't reach."""
    lines = PhoneLine.objects.filter(company=company).exclude(number="")
    if campaign and campaign.phone_line_id:
        lines = lines.filter(pk=campaign.phone_line_id)
    contacts = Contact.objects.filter(company=company.pk)
    for code in _country_codes(lines.values_list("number", flat=True)):
        at_home = Q(is_abroad=False) if code == NORTH_AMERICA else number_begins_with(code)
        contacts = contacts.exclude(at_home)
    return contacts


def _country_codes(numbers: Iterable[str]) -> set[str]:
    codes = set()
    for number in numbers:
        with suppress(phonenumbers.NumberParseException):
            codes.add(f"+{phonenumbers.parse(number).country_code}")
    return codes or {NORTH_AMERICA}


def _ids(contacts: QuerySet[Contact]) -> tuple[str, tuple[Any, ...]]:
    """Return the statement that selects ids, and its parameters."""
    sql, params = contacts.order_by().values("id").query.sql_with_params()
    return sql, tuple(params)


def _as_param(moment: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)
