"""The worker's job of counting calls ahead: which company is next."""

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

LOOK_EVERY_S = 60
_last_s = float("-inf")
_to_close: list[int] = []  # companies that had a day to close, or had moved to another zone, at the last look


def run_next_rollup() -> bool:
    """Bring the rollup of one company up to date. False where none has anything to do.

    Changes are found at once, by their marks; whether days are over is looked for once a minute.
    """
    global _last_s
    if time.monotonic() - _last_s >= LOOK_EVERY_S:
        _last_s = time.monotonic()
        _to_close[:] = find_companies_to_close()
    with all_tenants(), transaction.atomic():
        rollup = _claim(_with_changes())
        while rollup is None and _to_close:
            rollup = _claim(CallRollup.objects.filter(company=_to_close.pop()))
        if rollup is None:
            return False
        if update_call_rollup(company=rollup.company):
            _to_close.append(rollup.company_id)
    return True


def rollups_are_left() -> bool:
    """Whether any rollup is known to be behind."""
    with all_tenants():
        return bool(_to_close) or _with_changes().exists()


def find_companies_to_close() -> list[int]:
    """Companies with a day that is over and not counted, or with days cut in another zone than theirs.

    Each of them has a rollup from then on.
    """
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


def _with_changes() -> QuerySet:
    return CallRollup.objects.filter(Exists(StaleCallHour.objects.filter(company=OuterRef("company"))))


def _claim(rollups: QuerySet) -> CallRollup | None:
    """One that no other worker is at, which has it from now on to itself until the transaction ends."""
    if connection.features.has_select_for_update_skip_locked:  # SQLite has one writer at a time anyway
        rollups = rollups.select_for_update(skip_locked=True)
    return rollups.first()
