"""Times of events that can't be true: in the future, or an end before its beginning."""

from dataclasses import replace
from datetime import datetime, timedelta

from messaging.providers.events import CallEvent, Event, PhoneEvent

CLOCK_SKEW = timedelta(minutes=5)  # a provider's clock may be ahead by this


def is_future(moment: datetime, *, received_at: datetime) -> bool:
    """Return whether the time is later than its arrival, beyond the clock skew."""
    return moment > received_at + CLOCK_SKEW


def mend_times(event: Event, *, received_at: datetime) -> tuple[Event, str]:
    """Return the event with believable times, and why others were replaced, or "".

    An event in the future gets the time of its arrival. A future time of an answer or end, or one before its
    beginning, is dropped.
    """
    if not isinstance(event, PhoneEvent):
        return event, ""
    times: dict[str, datetime | None] = {}
    reasons = []
    created_at = event.created_at
    if is_future(created_at, received_at=received_at):
        times["created_at"] = created_at = received_at
        reasons.append("Its time is in the future; the time of arrival was used.")
    if isinstance(event, CallEvent):
        beginning = created_at
        for name in ("answered_at", "completed_at"):
            moment = getattr(event, name)
            if moment is None:
                continue
            if is_future(moment, received_at=received_at) or moment < beginning:
                times[name] = None
                problem = "before the call's start or answer" if moment < beginning else "in the future"
                reasons.append(f"{name} is {problem}; it was left out.")
            else:
                beginning = moment
    return (replace(event, **times) if times else event), " ".join(reasons)  # type: ignore[arg-type]
