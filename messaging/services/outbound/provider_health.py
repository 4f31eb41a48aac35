"""Health of the providers' APIs, as the workers see it: failures are counted, outages have a beginning and an end."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db.models import F
from django.utils import timezone

from crm.choices import Provider
from messaging.models import ProviderHealth
from messaging.providers.errors import (
    LineSuspended,
    NotCalled,
    RateLimited,
    Rejected,
    SendError,
    UnknownOutcome,
    Unreachable,
)

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
    except NotCalled:
        raise
    except SendError as error:
        record_calls(provider=provider, outcomes=[error])
        raise
    record_calls(provider=provider, outcomes=[result])
    return result


def record_calls(*, provider: str, outcomes: Sequence[object]) -> None:
    """Record the outcomes of calls to a provider, in the order of the calls. Without failures, one statement asks."""
    failures = [outcome for outcome in outcomes if isinstance(outcome, SendError)]
    unanswered = _count_unanswered_at_the_end(outcomes)
    if failures:
        _count_failures(provider, failures)
    if unanswered < len(outcomes):
        _record_answer(provider)
    if unanswered:
        _record_no_answer(provider, failures[-1], in_row=unanswered)


def _count_unanswered_at_the_end(outcomes: Sequence[object]) -> int:
    count = 0
    for outcome in reversed(outcomes):
        if not isinstance(outcome, Unreachable | UnknownOutcome):
            break
        count += 1
    return count


def _count_failures(provider: str, failures: Sequence[SendError]) -> None:
    counts = Counter(
        next(reason for kind, reason in REASONS.items() if isinstance(failure, kind)) for failure in failures
    )
    ProviderHealth.objects.get_or_create(provider=provider)
    ProviderHealth.objects.filter(provider=provider).update(
        **{reason: F(reason) + count for reason, count in counts.items()}
    )


def _record_no_answer(provider: str, error: SendError, *, in_row: int) -> None:
    health = ProviderHealth.objects.filter(provider=provider)
    health.update(failed_in_row=F("failed_in_row") + in_row)
    silent = health.filter(failed_in_row__gte=OUTAGE_AFTER, down_since__isnull=True)
    if silent.update(down_since=timezone.now()):  # of several workers, one logs the beginning
        logger.error("%s doesn't answer: %s Messages wait.", Provider(provider).label, error)


def _record_answer(provider: str) -> None:
    failing = ProviderHealth.objects.filter(provider=provider, failed_in_row__gt=0)
    for down_since in failing.values_list("down_since", flat=True):
        ended = failing.filter(down_since=down_since).update(failed_in_row=0, down_since=None)
        if down_since is not None and ended:
            minutes = (timezone.now() - down_since).total_seconds() / 60
            logger.warning("%s answers again, after %.0f minutes.", Provider(provider).label, minutes)
