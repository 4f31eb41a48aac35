"""Worker job that keeps the rollups of all companies up to date."""

import time

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.timezone import now

from analytics.models import CallRollup, StaleCallHour
from analytics.models.stale_hour_triggers import FRESH
from analytics.rollups.coverage import DAY
from analytics.rollups.update import update_call_rollup
from crm.db.tenancy import all_tenants
from crm.models import Company

DUE_CHECK_INTERVAL_S = 60
_checked_at_s = float("-inf")
_due_companies: list[int] = []  # as of the last check


def run_next_rollup() -> bool:
    """Update the rollup of one company. Returns whether a company had something to count.

    Stale hours are found at once. Days that have ended are looked for once a minute.
    """
    global _checked_at_s
    if time.monotonic() - _checked_at_s >= DUE_CHECK_INTERVAL_S:
        _checked_at_s = time.monotonic()
        _due_companies[:] = find_due_companies()
    with all_tenants(), transaction.atomic():
        rollup = _claim(_with_stale_hours())
        while rollup is None and _due_companies:
            rollup = _claim(CallRollup.objects.filter(company=_due_companies.pop()))
        if rollup is None:
            return False
        if update_call_rollup(company=rollup.company):
            _due_companies.append(rollup.company_id)
    return True


def has_pending_rollups() -> bool:
    """Return whether a rollup is known to be behind."""
    with all_tenants():
        return bool(_due_companies) or _with_stale_hours().exists()


def find_due_companies() -> list[int]:
    """Return the companies with an uncounted past day or a changed time zone, and create missing rollups."""
    with all_tenants():
        rollups = {rollup.company_id: rollup for rollup in CallRollup.objects.all()}
        due = []
        for company in Company.objects.only("timezone"):
            rollup = rollups.get(company.pk)
            closed = (now() - FRESH).astimezone(company.zone).date() - DAY
            if (
                rollup is None
                or rollup.timezone != company.timezone
                or (rollup.rolled_up_until or closed - DAY) < closed
            ):
                due.append(company)
        missing = [CallRollup(company=company) for company in due if company.pk not in rollups]
        CallRollup.objects.bulk_create(missing, ignore_conflicts=True)
    return [company.pk for company in due]


def _with_stale_hours() -> QuerySet:
    return CallRollup.objects.filter(Exists(StaleCallHour.objects.filter(company=OuterRef("company"))))


def _claim(rollups: QuerySet) -> CallRollup | None:
    """Lock one rollup that no other worker holds, until the transaction ends."""
    if connection.features.has_select_for_update_skip_locked:  # SQLite has one writer at a time anyway
        rollups = rollups.select_for_update(skip_locked=True)
    return rollups.first()
