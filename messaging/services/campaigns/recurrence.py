"""Recurring campaigns: the time of the next run, by RFC 5545 rules in the company's time zone."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule

from crm.recurrence import InvalidRule, build_rule, read_parts

# Not COUNT: each run is a campaign of its own, which would count anew. Not SECOND, and no times within a day.
_PARTS = ("FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "BYHOUR", "BYMINUTE", "WKST", "UNTIL")
_LOOK_AHEAD = timedelta(days=5 * 366)

# The rules that most campaigns need, in plain words.
COMMON_RULES = {
    "FREQ=DAILY": "every day",
    "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR": "every day from Monday to Friday",
    "FREQ=WEEKLY": "every week",
    "FREQ=WEEKLY;INTERVAL=2": "every two weeks",
    "FREQ=MONTHLY;BYMONTHDAY=1": "on the first day of every month",
    "FREQ=MONTHLY;BYMONTHDAY=-1": "on the last day of every month",
    "FREQ=YEARLY": "every year",
}
# Any Monday. A rule without a day, an hour or a minute takes these of the first run.
_ANY_START = datetime(2026, 1, 5, 10)


def check_recurrence(*, rule: str) -> None:
    """Raise InvalidRule unless the rule is empty, or repeats daily or less often."""
    if rule and _parse(rule, _ANY_START, _ANY_START).after(_ANY_START, inc=True) is None:
        raise InvalidRule("The rule names no day.")


def next_run_at(
    *, rule: str, this: datetime, after: datetime, zone: ZoneInfo, before: datetime | None = None
) -> datetime | None:
    """Return the first time after `after` at which the campaign runs again; None after the last.

    Times are wall-clock times of the zone: a run at ten stays at ten when daylight-saving time begins. It is on a later
    day than the run before, which a person may have started at any time.

    Args:
        this: the run before, from which the rule counts its interval.
        before: the one before that. If the clocks skipped its time of day on the day of `this`, it comes back.
    """
    start, moment = (each.astimezone(zone).replace(tzinfo=None) for each in (this, after))
    if before is not None:
        intended = datetime.combine(start, before.astimezone(zone).time())
        start = intended if intended.replace(tzinfo=zone).astimezone(UTC) == this else start
    moment = max(moment, datetime.combine(start, time.max))
    local = _parse(rule, start, moment).after(moment)
    return local.replace(tzinfo=zone) if local else None


def upcoming_runs(*, rule: str, first: datetime, number: int, zone: ZoneInfo) -> list[datetime]:
    """Return the first runs after `first`, at most so many."""
    runs = [first]
    while len(runs) <= number:
        following = next_run_at(rule=rule, this=runs[-1], after=runs[-1], zone=zone)
        if following is None:
            break
        runs.append(following)
    return runs[1:]


def describe_rule(rule: str) -> str:
    """Return a rule in plain words, if it is a common one."""
    return COMMON_RULES.get(rule, f"by the rule {rule}") if rule else "never"


def _parse(rule: str, start: datetime, moment: datetime) -> rrule:
    """Return the rule, counted from `start` and ending some years after `moment`."""
    return build_rule(read_parts(rule, allowed=_PARTS), start=start, end=moment + _LOOK_AHEAD)
