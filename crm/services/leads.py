"""Leads that people claim and release, and the stages of a lead."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.shortcuts import get_object_or_404

from crm.choices import CLOSED_LEADS, Role, assignable_roles
from crm.error_codes import ErrorCode
from crm.models import AuditEntry, Lead, User
from crm.refusals import Refusal


class Claimed(Refusal):
    """A colleague works on the lead."""

    code = ErrorCode.CLAIMED


class LeadClosed(Refusal):
    """The lead is won or lost, so it stays with the user who worked on it."""

    code = ErrorCode.LEAD_CLOSED


class NotYourLead(Refusal):
    """The lead is a colleague's, and the user isn't a manager."""

    code = ErrorCode.NOT_YOURS

    def __init__(self, lead: Lead) -> None:
        super().__init__(f"{lead.assignee} works on this lead.")


@dataclass(frozen=True)
class Stage:
    """A status that a lead got. Without a user, a program gave it; without a name, it is unknown who did."""

    status: str
    at: datetime
    user: int | None
    user_name: str


def first_assignee(user: User | None, *, company_id: int) -> User | None:
    """Return who works on a new lead: the manager or CSR who makes it, unless a program with an API token does."""
    if user is None or user.company_id != company_id or hasattr(user, "api_token"):
        return None
    return user if user.role in {*map(str, assignable_roles("lead", "assignee"))} else None


def claim_lead(*, lead: Lead, user: User) -> None:
    """Assign an open lead without an assignee to the user. Of two users at the same time, one gets it.

    Raises:
        Claimed: a colleague has it.
        LeadClosed: it is won or lost.
    """
    with transaction.atomic():
        row = _locked(lead)
        if row.assignee_id not in (None, user.pk):
            raise Claimed(f"{row.assignee} works on this lead already.")
        if row.assignee_id is None:
            if row.status in CLOSED_LEADS:
                raise LeadClosed
            Lead.objects.filter(pk=row.pk).update(assignee=user)


def release_lead(*, lead: Lead, user: User) -> None:
    """Put the own lead back into the pool; a manager does so with anybody's.

    Raises:
        LeadClosed: it is won or lost.
        NotYourLead: it is a colleague's.
    """
    with transaction.atomic():
        row = _locked(lead)
        if row.status in CLOSED_LEADS:
            raise LeadClosed
        if row.assignee_id not in (None, user.pk) and user.role != Role.MANAGER:
            raise NotYourLead(row)
        Lead.objects.filter(pk=row.pk).update(assignee=None)


def _locked(lead: Lead) -> Lead:
    """Lock the row until the transaction ends, and return it as it is now. Raises Http404 if it is gone."""
    rows = Lead.objects.select_for_update(no_key=True, of=("self",)).select_related("assignee")
    return get_object_or_404(rows, pk=lead.pk)


def read_stages(*, lead: Lead) -> list[Stage]:
    """Return the statuses of a lead from its audit entries, oldest first."""
    entries = AuditEntry.objects.filter(table_name=Lead._meta.db_table, row_id=lead.pk).order_by("at", "id")
    stages: list[Stage] = []
    first: str | None = lead.status
    for changes, at, user, name in entries.values_list("changes", "at", "actor_id", "actor"):
        if "status" in changes:
            before, status = changes["status"]
            first = first if stages else before
            stages.append(Stage(status, at, user, name))
    # A lead that was written without an entry, as those of the demo, had its first status since it was created.
    return stages if first is None else [Stage(first, lead.created_at, None, ""), *stages]
