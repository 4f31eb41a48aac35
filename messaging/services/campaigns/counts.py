"""Counts of a campaign's members: reading, summing up, and a check against the members."""

from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Q, Sum

from crm.choices import MembershipStatus
from crm.db.advisory_locks import advisory_xact_locks
from crm.db.tenancy import all_tenants, current_company_id, tenant
from crm.models import Campaign, CampaignCount

FAILED = (MembershipStatus.FAILED, MembershipStatus.UNDELIVERED)
NEWEST = 10_000  # rows in which campaigns with many new rows are looked for
MANY = 200  # rows of one campaign

_KEYS = "company_id, campaign_id, step, variant, status, booked, hour"
_OF_MEMBERS = """
SELECT company_id, campaign_id, step, variant, status, booked_at IS NOT NULL AS booked, {hour} AS hour,
    1 AS members, sms_segments
FROM campaign_memberships WHERE company_id = %s
"""
_HOUR = {
    "postgresql": "date_trunc('hour', sent_at, 'UTC')",
    "sqlite": "strftime('%%Y-%%m-%%d %%H:00:00', sent_at)",
}


@dataclass(frozen=True)
class Results:
    """A campaign's texts so far: those sent, and what became of them."""

    sent: int
    opted_out: int
    failed: int


def count_results(*, campaign: Campaign) -> Results:
    """Return the campaign's results of all steps, from its counts."""
    sent = Q(hour__isnull=False)
    found = CampaignCount.objects.filter(campaign=campaign).aggregate(
        sent=Sum("members", filter=sent, default=0),
        opted_out=Sum("members", filter=sent & Q(status=MembershipStatus.OPTED_OUT), default=0),
        failed=Sum("members", filter=Q(status__in=FAILED), default=0),
    )
    return Results(**found)


def sum_up_next_counts() -> bool:
    """Replace the rows of campaigns with many new rows by their sums. Returns False if there are none."""
    with all_tenants():
        newest = CampaignCount.objects.order_by("-pk").values("pk")[:NEWEST]
        many = CampaignCount.objects.filter(pk__in=newest).order_by().values_list("company_id", "campaign_id")
        found = list(many.annotate(rows=Count("*")).filter(rows__gt=MANY))
    summed_up = 0
    for company_id, campaign_id, _ in found:
        with tenant(company_id):
            summed_up += sum_up_counts(campaign_id=campaign_id)
    return summed_up > 0


def sum_up_counts(*, campaign_id: int) -> bool:
    """Replace a campaign's rows by their sums, if these are far fewer. Rows that are added meanwhile stay."""
    with transaction.atomic():
        _lock_counts()
        rows = list(CampaignCount.objects.filter(campaign=campaign_id))
        sums: dict[tuple[Any, ...], CampaignCount] = {}
        for row in rows:
            total = sums.setdefault((row.step, row.variant, row.status, row.booked, row.hour), _empty(row))
            total.members += row.members
            total.sms_segments += row.sms_segments
        kept = [total for total in sums.values() if total.members or total.sms_segments]
        if 2 * len(kept) > len(rows):
            return False
        CampaignCount.objects.filter(pk__in=[row.pk for row in rows]).delete()
        CampaignCount.objects.bulk_create(kept)
    return True


def find_wrong_counts() -> list[int]:
    """Return the campaigns of the active company whose counts differ from their members, in one snapshot."""
    differences = f"""
        SELECT campaign_id FROM (
            {_of_members()} UNION ALL
            SELECT {_KEYS}, -members, -sms_segments FROM campaign_counts WHERE company_id = %s
        ) AS row
        GROUP BY {_KEYS} HAVING sum(members) <> 0 OR sum(sms_segments) <> 0
    """  # noqa: S608  # constants of this module
    with connection.cursor() as cursor:
        cursor.execute(differences, [current_company_id()] * 2)
        return sorted({campaign_id for (campaign_id,) in cursor.fetchall()})


def rebuild_counts() -> None:
    """Count the members of the active company's campaigns anew, while others write.

    On PostgreSQL one statement sees one snapshot: what it doesn't count, its writer adds as a difference later.
    """
    insert = f"""
        INSERT INTO campaign_counts ({_KEYS}, members, sms_segments)
        SELECT {_KEYS}, sum(members), sum(sms_segments) FROM ({_of_members()}) AS row GROUP BY {_KEYS}
    """  # noqa: S608
    delete = "DELETE FROM campaign_counts WHERE company_id = %s"
    company_id = current_company_id()
    with transaction.atomic(), connection.cursor() as cursor:
        _lock_counts()
        if connection.vendor == "postgresql":
            cursor.execute(f"WITH gone AS ({delete}) {insert}", [company_id] * 2)
        else:  # the only writer
            cursor.execute(delete, [company_id])
            cursor.execute(insert, [company_id])


def _lock_counts() -> None:
    """Keep summing up and rebuilding apart: neither sees the other's new rows."""
    advisory_xact_locks([("campaign_counts", current_company_id())])


def _empty(row: CampaignCount) -> CampaignCount:
    keys = {name: getattr(row, name) for name in ("company_id", "campaign_id", "step", "variant", "status", "booked")}
    return CampaignCount(**keys, hour=row.hour, members=0, sms_segments=0)


def _of_members() -> str:
    return _OF_MEMBERS.format(hour=_HOUR[connection.vendor])
