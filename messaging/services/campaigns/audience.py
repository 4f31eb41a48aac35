"""The audience of a campaign: contacts that are made its members."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import CharField, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from crm.choices import CampaignStatus, MembershipStatus, Variant
from crm.error_codes import ErrorCode
from crm.models import Campaign, CampaignMembership, Contact, Segment
from crm.refusals import Refusal
from crm.services.merging.tombstones import refuse_merged
from messaging.services.campaigns.audience_checks import Judgement, allow_large_hashes, judge
from messaging.services.campaigns.audience_counts import count_audience
from messaging.services.campaigns.states import lock_campaign
from messaging.services.segments.compile import Definition, contacts_in, exclusions_in

OPEN = (CampaignStatus.DRAFT, CampaignStatus.SCHEDULED)
MAX_NAMED = 20

# A contact's variant in a campaign never changes, and says nothing about its variant in another one. The square of a
# number modulo a prime mixes the ids, and fits a bigint on both databases.
_PRIME = 2**31 - 1
_MIXED = f"((contact.id %% {_PRIME} * 48271 + %s) %% {_PRIME})"
_VARIANT = f"CASE WHEN {_MIXED} * {_MIXED} %% {_PRIME} %% 2 = 0 THEN '{Variant.A}' ELSE '{Variant.B}' END"


class AudienceClosed(Refusal):
    """The campaign has started or ended, so its audience is fixed."""

    code = ErrorCode.AUDIENCE_CLOSED


class UnknownContacts(Refusal):
    """Some contacts don't exist in the company."""

    code, attr = ErrorCode.DOES_NOT_EXIST, "contacts"

    def __init__(self, ids: Sequence[int]) -> None:
        more = f" and {len(ids) - MAX_NAMED:,} more" if len(ids) > MAX_NAMED else ""
        super().__init__(f"There are no contacts with these IDs: {', '.join(map(str, ids[:MAX_NAMED]))}{more}.")


def check_open(*, campaign: Campaign) -> None:
    """Raise AudienceClosed unless contacts may join the campaign."""
    if campaign.status not in OPEN:
        raise AudienceClosed


@dataclass(frozen=True)
class Audience:
    """Contacts that were added, or would be, and those left out by reason."""

    added: int
    left_out: dict[str, int]


def add_audience(
    *,
    campaign: Campaign,
    contacts: Sequence[int] | None = None,
    segment: Segment | None = None,
    definition: Definition | None = None,
    dry_run: bool = False,
) -> Audience:
    """Make contacts members of a campaign, as far as they may get its message. Present members stay as they are.

    Args:
        contacts: ids; or else a segment, or a valid definition of one.
        dry_run: only count.

    Raises:
        AudienceClosed: the campaign isn't a draft or scheduled.
        AlreadyMerged: one of the contacts was merged into another one.
        UnknownContacts: the company has no contacts with some of the ids.
    """
    with transaction.atomic():
        campaign = lock_campaign(campaign.pk)
        check_open(campaign=campaign)
        allow_large_hashes()
        if contacts is not None:
            chosen = _existing(contacts, campaign.company_id)
            judgement = judge(chosen, company=campaign.company, campaign=campaign)
        else:
            judgement = _judge_definition(definition if segment is None else segment.definition, campaign)
        counts = count_audience(judgement)
        added = counts.included if dry_run else _insert(judgement, campaign)
    return Audience(added, counts.left_out)


def contacts_to_join(*, campaign: Campaign, segment: Segment) -> QuerySet[Contact]:
    """Return the contacts whom the campaign's segment would add if it started now, each with its `variant`."""
    allow_large_hashes()
    judgement = _judge_definition(segment.definition, campaign)
    tables, params = judgement.tables(with_consents=judgement.requires_consent)
    variant, mixed = _variant_of(campaign)
    included = f"contacts.id IN ({tables} SELECT id FROM included)"  # noqa: S608  # SQL of the judgement
    own_variant = RawSQL(variant.replace("contact.id", "contacts.id"), mixed, CharField())  # noqa: S611  # constants
    return Contact.objects.extra(where=[included], params=params).annotate(variant=own_variant)  # noqa: S610


def add_member(*, campaign_id: int, contact: Contact) -> CampaignMembership:
    """Make one contact a member of a campaign, unless it has started. Raises AudienceClosed."""
    with transaction.atomic():
        campaign = lock_campaign(campaign_id)
        check_open(campaign=campaign)
        member = CampaignMembership.objects.create(
            company_id=campaign.company_id, campaign_id=campaign_id, contact=contact
        )
        split_variants(campaign=campaign, contact=contact)
        member.refresh_from_db()
    return member


def split_variants(*, campaign: Campaign, contact: Contact | None = None) -> None:
    """Give each member, or this one, the variant that the texts ask for. Nobody has got one of them yet."""
    variant, mixed = _variant_of(campaign)
    variant = variant.replace("contact.id", "contact_id")
    one = "AND contact_id = %s" if contact else ""
    sql = f"""
        UPDATE campaign_memberships SET variant = {variant}
        WHERE campaign_id = %s {one} AND variant <> {variant}
    """  # noqa: S608  # constants
    with connection.cursor() as cursor:
        cursor.execute(sql, [*mixed, campaign.pk, *([contact.pk] if contact else []), *mixed])


def _judge_definition(definition: Any, campaign: Campaign) -> Judgement:
    return judge(
        contacts_in(definition, company_id=campaign.company_id),
        company=campaign.company,
        campaign=campaign,
        all_but=exclusions_in(definition, company_id=campaign.company_id),
    )


def _variant_of(campaign: Campaign) -> tuple[str, list[int]]:
    """Return the variant of a contact, as SQL with its parameters."""
    if not campaign.body_b:
        return f"'{Variant.A}'", []
    return _VARIANT, [campaign.pk * 69621 % _PRIME] * 2


def _existing(ids: Sequence[int], company_id: int) -> QuerySet[Contact]:
    chosen = Contact.objects.filter(pk__in=set(ids), company=company_id)
    if unknown := sorted(set(ids).difference(chosen.values_list("pk", flat=True))):
        refuse_merged(unknown)
        raise UnknownContacts(unknown)
    return chosen


def _insert(judgement: Judgement, campaign: Campaign) -> int:
    """Insert the memberships and return their number."""
    variant, mixed = _variant_of(campaign)
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    tables, params = judgement.tables(with_consents=judgement.requires_consent)
    sql = f"""
        INSERT INTO campaign_memberships
            (company_id, campaign_id, contact_id, step, variant, status, reason, sms_segments, created_at, updated_at)
        {tables}
        SELECT %s, %s, contact.id, 1, {variant}, '{MembershipStatus.PENDING}', '', 0, %s, %s
        FROM included AS contact WHERE true
        ON CONFLICT (campaign_id, contact_id, step) DO NOTHING
    """  # noqa: S608  # constants, and SQL of the judgement
    with connection.cursor() as cursor:
        cursor.execute(sql, [*params, campaign.company_id, campaign.pk, *mixed, now, now])
        return cursor.rowcount
