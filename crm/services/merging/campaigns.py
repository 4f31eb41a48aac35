"""Merging of campaign memberships: nobody gets a step of a campaign twice, or one after an end."""

from collections import defaultdict
from typing import Any

from crm.choices import MembershipStatus
from crm.models import CampaignMembership
from crm.services.merging.journal import Journal, rows_of
from crm.services.merging.rules import pairs_of

# Of two memberships of one step, the one further on in this order stays: it says more about what the person got.
PROGRESS = (
    MembershipStatus.PENDING,
    MembershipStatus.SKIPPED,
    MembershipStatus.FAILED,
    MembershipStatus.UNDELIVERED,
    MembershipStatus.SENDING,
    MembershipStatus.SENT,
    MembershipStatus.DELIVERED,
    MembershipStatus.REPLIED,
    MembershipStatus.OPTED_OUT,
)
ENDED = {MembershipStatus.REPLIED, MembershipStatus.OPTED_OUT}
REASON = "The contact was merged."


class JoinMemberships:
    """Memberships move. Of two of one step the further one stays; of several pending steps the last."""

    def merge(self, model: Any, journal: Journal) -> None:
        pairs = pairs_of(model, journal, ("campaign", "step"), more=("status",))
        replaced = {}
        for kept, gone in pairs:
            if PROGRESS.index(MembershipStatus(gone[-1])) > PROGRESS.index(MembershipStatus(kept[-1])):
                replaced[kept[0]] = gone[0]
            else:
                replaced[gone[0]] = kept[0]
        shared = _shared_campaigns(journal)
        journal.replace(model, replaced)
        journal.move(model)
        if shared:
            _skip_passed_steps(journal, shared)


def _shared_campaigns(journal: Journal) -> set[int]:
    """Return the campaigns of both contacts."""
    campaigns: dict[int, set[int]] = defaultdict(set)
    both = rows_of(CampaignMembership).filter(contact__in=[journal.kept.pk, journal.gone.pk])
    for contact, campaign in both.values_list("contact", "campaign"):
        campaigns[contact].add(campaign)
    return campaigns[journal.kept.pk] & campaigns[journal.gone.pk]


def _skip_passed_steps(journal: Journal, campaigns: set[int]) -> None:
    """Skip pending steps before the furthest one, and all of them if the person has answered, booked or opted out."""
    rows = journal.of(journal.kept, CampaignMembership).filter(campaign__in=campaigns)
    steps: dict[int, list[tuple[int, int, str, Any]]] = defaultdict(list)
    for campaign, *row in rows.order_by("step").values_list("campaign", "pk", "step", "status", "booked_at"):
        steps[campaign].append(tuple(row))
    passed = [
        pk
        for members in steps.values()
        for pk, step, status, _ in members
        if status == MembershipStatus.PENDING
        and (step < members[-1][1] or any(other[2] in ENDED or other[3] for other in members))
    ]
    if passed:
        journal.change(rows.filter(pk__in=passed), status=MembershipStatus.SKIPPED.value, reason=REASON, due_at=None)
