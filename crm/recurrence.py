"""Rules of recurrence (RFC 5545): daily or less often, by the local clock."""

import re
from datetime import datetime
from typing import cast

from dateutil.rrule import rrule, rrulestr

from crm.error_codes import ErrorCode
from crm.refusals import Refusal

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
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


class InvalidRule(Refusal):
    """The rule can't be read, or isn't allowed."""

    code, attr = ErrorCode.INVALID_RECURRENCE, "recurrence"


def read_parts(rule: str, *, allowed: tuple[str, ...]) -> dict[str, str]:
    """Return the parts of a rule, all but COUNT and UNTIL checked. Raises InvalidRule."""
    named = [part.partition("=")[::2] for part in rule.upper().split(";")]
    parts = dict(named)
    if len(parts) < len(named):
        raise InvalidRule("The rule has a part twice.")
    if unknown := sorted(set(parts) - set(allowed)):
        raise InvalidRule(f"The rule can't have {unknown[0] or 'an empty part'}. It may have {', '.join(allowed)}.")
    if parts.get("FREQ") not in FREQUENCIES or "," in parts.get("BYHOUR", "") + parts.get("BYMINUTE", ""):
        raise InvalidRule("It recurs once a day at most: write FREQ=DAILY, WEEKLY, MONTHLY or YEARLY.")
    if not re.fullmatch("[1-9][0-9]?", parts.get("INTERVAL", "1")):
        raise InvalidRule("INTERVAL must be a number from 1 to 99.")
    _check_values(parts)
    return parts


def build_rule(parts: dict[str, str], *, start: datetime, end: datetime) -> rrule:
    """Return the rule, counted from `start` and ending at `end` at the latest: it may name days that don't exist.

    Times are without an offset.
    """
    last = f"{end:%Y%m%dT%H%M%S}"
    if not re.fullmatch("[0-9]{8}(T[0-9]{6})?", parts.get("UNTIL", last)):
        raise InvalidRule("UNTIL must be a day or a time of the company's clock, such as UNTIL=20271231T120000.")
    bounded = parts | {"UNTIL": min(parts.get("UNTIL", last), last)}
    try:
        return cast(rrule, rrulestr(";".join(map("=".join, bounded.items())), dtstart=start))
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
