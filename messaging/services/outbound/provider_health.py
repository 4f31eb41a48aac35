"""Health of the providers' APIs, as the workers see it: failures are counted, outages have a beginning and an end."""

import logging
from collections.abc import Callable
from typing import TypeVar

from django.db.models import F
from django.utils import timezone

from crm.choices import Provider
from messaging.models import ProviderHealth
from messaging.providers.errors import LineSuspended, RateLimited, Rejected, SendError, UnknownOutcome, Unreachable

OUTAGE_AFTER = 3  # calls in a row without an answer

# Columns of ProviderHealth. The first that fits is counted.
REASONS: dict[type[SendError], str] = {
    Unreachable: "unreachable",
    UnknownOutcome: "unknown",
    RateLimited: "rate_limited",
    LineSuspended: "suspended",
    Rejected: "rejected",
}

logger = logging.getLogger(__name__)
Result = TypeVar("Result")


def call_provider(*, provider: str, call: Callable[[], Result]) -> Result:
    """Make a call to a provider and record whether it answered. Raises what the call raises."""
    try:
        result = call()
    except SendError as error:
        if isinstance(error, Unreachable | UnknownOutcome):
            _record_no_answer(provider, error)
        else:
            _count_failure(provider, error)
            _record_answer(provider)
        raise
    _record_answer(provider)
    return result


def _count_failure(provider: str, error: SendError, *, in_row: int = 0) -> None:
    reason = next(reason for kind, reason in REASONS.items() if isinstance(error, kind))
    ProviderHealth.objects.get_or_create(provider=provider)
    ProviderHealth.objects.filter(provider=provider).update(
        **{reason: F(reason) + 1}, failed_in_row=F("failed_in_row") + in_row
    )


def _record_no_answer(provider: str, error: SendError) -> None:
    _count_failure(provider, error, in_row=1)
    silent = ProviderHealth.objects.filter(provider=provider, failed_in_row__gte=OUTAGE_AFTER, down_since__isnull=True)
    if silent.update(down_since=timezone.now()):  # of several workers, one logs the beginning
        logger.error("%s doesn't answer: %s Messages wait.", Provider(provider).label, error)


def _record_answer(provider: str) -> None:
    failing = ProviderHealth.objects.filter(provider=provider, failed_in_row__gt=0)
    down_since = failing.values_list("down_since", flat=True).first()
    ended = failing.filter(down_since=down_since).update(failed_in_row=0, down_since=None)
    if down_since is not None and ended:
        minutes = (timezone.now() - down_since).total_seconds() / 60
        logger.warning("%s answers again, after %.0f minutes.", Provider(provider).label, minutes)
