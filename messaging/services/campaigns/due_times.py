"""Due times of a campaign's members: from when on each may get the message, by zone and law.

Members are grouped by what decides their hours, so that a hundred thousand take a few statements. A group has one area
code; the feeder and the sender check the exact number again.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Count, F, Min
from django.db.models.functions import Substr

from crm.choices import MembershipStatus
from crm.models import Campaign, CampaignMembership, Company
from messaging.services.outbound.recipient_hours import next_allowed

NO_OPEN_HOUR = "No hour is allowed in all time zones of this number; set the contact's time zone."
AREA = len("+1303")
GROUPS_OF_A_STATEMENT = 2000

Item = TypeVar("Item")
# A group of contacts: time zone, state, and the beginning of the number.
Group = tuple[str, str, str]

_SET_DUE_TIMES = """
WITH hours (timezone, state, area, due_at) AS (VALUES {groups})
UPDATE campaign_memberships SET due_at = CASE
    WHEN campaign_memberships.step > 1 AND campaign_memberships.due_at > hours.due_at THEN campaign_memberships.due_at
    ELSE hours.due_at END
FROM contacts, hours
WHERE campaign_memberships.campaign_id = %s AND campaign_memberships.status = 'pending'
    AND contacts.company_id = %s AND contacts.id = campaign_memberships.contact_id
    AND contacts.timezone = hours.timezone
    AND contacts.state = hours.state AND substr(contacts.phone, 1, %s) = hours.area
"""


def set_due_times(*, campaign: Campaign, now: datetime) -> None:
    """Set the due time of each pending member, none of whose messages is in the outbox.

    A further message of a sequence keeps a later time: its delay isn't over.
    """
    groups = {group: due_at for group, due_at, _ in _find_groups(campaign, now)}
    for some in _chunks([group for group in groups.items() if group[1] is not None]):
        values: list[str | datetime | int | None] = []
        for group, due_at in some:
            values += [*group, connection.ops.adapt_datetimefield_value(due_at)]
        sql = _SET_DUE_TIMES.format(groups=", ".join(["(%s, %s, %s, %s)"] * len(some)))
        with connection.cursor() as cursor:
            cursor.execute(sql, [*values, campaign.pk, campaign.company_id, AREA])
    for (timezone, state, area), due_at in groups.items():
        if due_at is None:  # rarely: the zones of the number and of the address are never awake together
            never = _pending(campaign).filter(
                contact__timezone=timezone, contact__state=state, contact__phone__startswith=area
            )
            never.update(status=MembershipStatus.SKIPPED, reason=NO_OPEN_HOUR, due_at=None)


def count_by_due_hour(*, campaign: Campaign, now: datetime) -> dict[datetime, int]:
    """Return how many pending members may get the message from which hour on, if it started now, in order of time.

    Those who may never get it aren't counted. Hours are in the company's time zone.
    """
    counts: Counter[datetime] = Counter()
    for _, due_at, number in _find_groups(campaign, now):
        if due_at is not None:
            counts[due_at.astimezone(campaign.company.zone).replace(minute=0, second=0, microsecond=0)] += number
    return dict(sorted(counts.items()))


def _find_groups(campaign: Campaign, now: datetime) -> list[tuple[Group, datetime | None, int]]:
    """Return each group of pending members, with its due time and size. Without a due time: no hour is allowed."""
    rows = (
        _pending(campaign)
        .order_by()
        .values_list(F("contact__timezone"), F("contact__state"), Substr("contact__phone", 1, AREA))
        .annotate(phone=Min("contact__phone"), number=Count("*"))
    )
    company = campaign.company
    return [
        (
            (timezone, state, area),
            next_due_at(timezone=timezone, state=state, phone=phone, company=company, moment=now),
            number,
        )
        for timezone, state, area, phone, number in rows
    ]


def _pending(campaign: Campaign) -> Any:
    return CampaignMembership.objects.filter(campaign=campaign, status=MembershipStatus.PENDING)


def next_due_at(*, timezone: str, state: str, phone: str, company: Company, moment: datetime) -> datetime | None:
    """Return when a contact may get a campaign's message, from `moment` on."""
    return next_allowed(timezone=timezone, state=state, phone=phone, company=company, marketing=True, moment=moment)


def _chunks(groups: list[Item]) -> Iterator[list[Item]]:
    for start in range(0, len(groups), GROUPS_OF_A_STATEMENT):
        yield groups[start : start + GROUPS_OF_A_STATEMENT]
