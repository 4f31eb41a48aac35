"""Worker job that keeps the rollups of all companies up to date."""

import logging
import time
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.timezone import now

from analytics.models import CallRollup, StaleCallHour
from analytics.models.stale_hour_triggers import FRESH
from analytics.rollups.coverage import DAY
from analytics.rollups.update import update_call_rollup
from crm.db.tenancy import all_tenants, all_tenants_autocommit
from crm.models import Company
from crm.worker import backoff

DUE_CHECK_INTERVAL_S = 60
MAX_COUNTED_TRIES = 32_767  # of the column
_checked_at_s = float("-inf")
_due_companies: list[int] = []  # as of the last check

logger = logging.getLogger(__name__)


def run_next_rollup() -> bool:
    """Update the rollup of one company. Returns whether a company had something to count.

    Stale hours are found at once. Days that have ended are looked for once a minute.
    """
    global _checked_at_s
    if time.monotonic() - _checked_at_s >= DUE_CHECK_INTERVAL_S:
        _checked_at_s = time.monotonic()
        _due_companies[:] = find_due_companies()
    rollup = None
    try:
        with all_tenants(), transaction.atomic():
            rollup = _claim(_behind())
            while rollup is None and _due_companies:
                rollup = _claim(CallRollup.objects.filter(company=_due_companies.pop()))
            if rollup is None:
                return False
            if update_call_rollup(company=rollup.company):
                _due_companies.append(rollup.company_id)
    except Exception as error:
        if rollup is None or not connection.is_usable():
            raise
        _record_failure(rollup, error)
    return True


def is_rollup_due() -> bool:
    """Return whether a rollup may be behind."""
    if _due_companies or time.monotonic() - _checked_at_s >= DUE_CHECK_INTERVAL_S:
        return True
    with all_tenants_autocommit():
        return _behind().due(now()).exists()


def has_pending_rollups() -> bool:
    """Return whether a rollup is known to be behind. One that has failed too often is left to the operator."""
    with all_tenants():
        behind = _behind() | CallRollup.objects.filter(company__in=_due_companies)
        return behind.filter(tries__lt=settings.WORKER_MAX_TRIES).exists()


def find_due_companies() -> list[int]:
    """Return the companies with an uncounted past day or a changed time zone, and create missing rollups."""
    with all_tenants():
        rollups = {rollup.company_id: rollup for rollup in CallRollup.objects.all()}
        due = []
        for company in Company.objects.only("timezone"):
            rollup = rollups.get(company.pk)
            if rollup is None or rollup.timezone != company.timezone or _has_uncounted_day(rollup, company):
                due.append(company)
        missing = [CallRollup(company=company) for company in due if company.pk not in rollups]
        CallRollup.objects.bulk_create(missing, ignore_conflicts=True)
    return [company.pk for company in due]


def _has_uncounted_day(rollup: CallRollup, company: Company) -> bool:
    try:
        closed = (now() - FRESH).astimezone(company.zone).date() - DAY
    except Exception:  # its update will record the reason
        return True
    return (rollup.rolled_up_until or closed - DAY) < closed


def _behind() -> Any:
    """Return rollups with stale hours, and those whose last update has failed."""
    stale = StaleCallHour.objects.filter(company=OuterRef("company"))
    return CallRollup.objects.filter(Q(tries__gt=0) | Exists(stale))


def _claim(rollups: Any) -> CallRollup | None:
    """Lock one rollup that no other worker holds, until the transaction ends: the one updated longest ago."""
    rollups = rollups.due(now()).order_by("run_at", "pk")
    if connection.features.has_select_for_update_skip_locked:  # SQLite has one writer at a time anyway
        rollups = rollups.select_for_update(skip_locked=True)
    return rollups.first()


def _record_failure(rollup: CallRollup, error: Exception) -> None:
    """Make the rollup wait, longer after each failure. Until then the dashboard counts its days from the calls."""
    tries = rollup.tries + 1
    if rollup.tries == 0:
        logger.error("The rollup of company %d failed. It is tried again later.", rollup.company_id, exc_info=error)
    with all_tenants():
        CallRollup.objects.filter(pk=rollup.pk).update(
            tries=min(tries, MAX_COUNTED_TRIES),
            run_at=now() + backoff(tries),
            error=f"{type(error).__name__}: {error}"[:300],
        )
