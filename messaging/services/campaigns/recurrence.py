"""Recurring campaigns: the time of the next run, by RFC 5545 rules in the company's time zone."""

import re
from datetime import UTC, datetime, time, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from crm.error_codes import ErrorCode
from crm.refusals import Refusal

_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
# Not COUNT: each run is a campaign of its own, which would count anew. Not SECOND, and no times within a day.
_ORDER = ("FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "BYHOUR", "BYMINUTE", "WKST", "UNTIL")
_PARTS = frozenset(_ORDER)
# What a part may be, by frequency. Any other rule may name no day at all, and the search for one takes seconds.
_WEEKDAYS = "(MO|TU|WE|TH|FR|SA|SU)"
_OF_A_WEEK = {"BYDAY": f"{_WEEKDAYS}(,{_WEEKDAYS})*"}
_OF_A_MONTH = {
    "BYDAY": f"[+-]?[1-5]?{_WEEKDAYS}(,[+-]?[1-5]?{_WEEKDAYS})*",
    "BYMONTHDAY": "-?([1-9]|[12][0-9]|3[01])(,-?([1-9]|[12][0-9]|3[01]))*",
    "BYSETPOS": "-?([1-9]|[12][0-9]|3[01])",
}
_VALUES = {"DAILY": _OF_A_WEEK, "WEEKLY": _OF_A_WEEK, "MONTHLY": _OF_A_MONTH, "YEARLY": _OF_A_MONTH}
_VALUES_OF_ALL = {"BYMONTH": "([1-9]|1[0-2])(,([1-9]|1[0-2]))*", "WKST": _WEEKDAYS}
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


class InvalidRule(Refusal):
    """The rule of a recurring campaign can't be read, or isn't allowed."""

    code, attr = ErrorCode.INVALID_RECURRENCE, "recurrence"


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
    """Return the rule, counted from `start` and ending some years after `moment`: it may name days that don't exist."""
    parts = dict(part.partition("=")[::2] for part in rule.upper().split(";"))
    if unknown := sorted(set(parts) - _PARTS):
        raise InvalidRule(f"The rule can't have {unknown[0] or 'an empty part'}. It may have {', '.join(_ORDER)}.")
    if parts.get("FREQ") not in _FREQUENCIES or "," in parts.get("BYHOUR", "") + parts.get("BYMINUTE", ""):
        raise InvalidRule("A campaign recurs once a day at most: write FREQ=DAILY, WEEKLY, MONTHLY or YEARLY.")
    if not re.fullmatch("[1-9][0-9]?", parts.get("INTERVAL", "1")):
        raise InvalidRule("INTERVAL must be a number from 1 to 99.")
    _check_values(parts)
    end = f"{moment + _LOOK_AHEAD:%Y%m%dT%H%M%S}"
    if not re.fullmatch("[0-9]{8}(T[0-9]{6})?", parts.get("UNTIL", end)):
        raise InvalidRule("UNTIL must be a day or a time of the company's clock, such as UNTIL=20271231T120000.")
    parts["UNTIL"] = min(parts.get("UNTIL", end), end)
    try:
        return cast(rrule, rrulestr(";".join(map("=".join, parts.items())), dtstart=start))
    except ValueError as error:
        raise InvalidRule("The rule can't be read. Write it such as FREQ=MONTHLY;BYMONTHDAY=1.") from error


def _check_values(parts: dict[str, str]) -> None:
    frequency = parts["FREQ"]
    allowed = _VALUES[frequency] | _VALUES_OF_ALL
    for name in ("BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"):
        if name in parts and not re.fullmatch(allowed.get(name, ""), parts[name]):
            raise InvalidRule(f"{name}={parts[name]} can't be used with FREQ={frequency}.")
    if frequency == "DAILY" and parts.get("INTERVAL", "1") != "1" and {"BYDAY", "BYMONTH"} & parts.keys():
        raise InvalidRule("INTERVAL can't be used with FREQ=DAILY and days or months: some rules would name no day.")
