"""Removal of changes that no cursor can reach."""

from datetime import timedelta

from django.utils.timezone import now

from crm.changes.cursors import LIFETIME
from crm.db.tenancy import all_tenants
from crm.models import Change

# Longer than a cursor lives: a transaction may write a change and commit it later, after a cursor was given.
KEPT = LIFETIME + timedelta(hours=2)
BATCH = 5000


def remove_expired_changes() -> None:
    """Delete changes by age, the oldest first, in transactions of one batch."""
    while _remove_batch() == BATCH:
        pass


def _remove_batch() -> int:
    """Delete the expired ones of the first changes, and return how many there were."""
    with all_tenants():
        first = list(Change.objects.oldest(BATCH).values_list("pk", flat=True))
        if not first:
            return 0
        deleted, _ = Change.objects.filter(pk__lte=first[-1], at__lt=now() - KEPT).delete()
        return deleted
