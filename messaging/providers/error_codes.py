"""Meaning of error codes: one table for direct answers, receipts, look-ups and lists.

Sources: Twilio's error dictionary, Quo's API reference. Quo passes on the carrier's codes in Twilio's numbers. A code
that isn't listed is the fault of its message only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum, auto
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers

DOMESTIC = ("US", "CA", None)  # None: no area code of any country
# The zone of the carrier's daily cap isn't documented: UTC and the west coast were observed. The line is tried again at
# the earlier midnight, which costs one rejected request if it was the other zone.
CAP_ZONES = (UTC, ZoneInfo("America/Los_Angeles"))

_ABOUT_RECIPIENT = re.compile(r"\b(?:recipient|destination|to['\"]? (?:phone )?number)\b", re.IGNORECASE)
_RECIPIENT_FIELD = re.compile(r"(?:^|[^a-z])(?:to|recipients?)(?:[^a-z]|$)", re.IGNORECASE)


class Effect(StrEnum):
    OPT_OUT = auto()  # of the number, recorded with the code as evidence
    POSSIBLE_OPT_OUT = auto()  # a person reviews it
    INVALID_NUMBER = auto()  # the contact gets the flag
    UNREACHABLE = auto()  # the flag ends after a day
    PAUSE_HOUR = auto()  # the line can't send: by then the company may have paid, or corrected the account
    PAUSE_DAY = auto()
    PAUSE_UNTIL_MIDNIGHT = auto()
    RETRY = auto()  # a refused message is sent later, and the line waits; an accepted one is never sent again


ABOUT_NUMBER = (Effect.OPT_OUT, Effect.POSSIBLE_OPT_OUT, Effect.INVALID_NUMBER, Effect.UNREACHABLE)


@dataclass(frozen=True)
class Meaning:
    effect: Effect
    reason: str


MEANINGS = {
    "21610": Meaning(Effect.OPT_OUT, "The recipient opted out at the provider."),
    "30004": Meaning(Effect.POSSIBLE_OPT_OUT, "The recipient or the carrier blocks messages."),
    "21211": Meaning(Effect.INVALID_NUMBER, "The number isn't valid."),
    "21614": Meaning(Effect.INVALID_NUMBER, "The number is a landline."),
    "30005": Meaning(Effect.INVALID_NUMBER, "The number doesn't exist or is no longer in service."),
    "30006": Meaning(Effect.INVALID_NUMBER, "The number is a landline, or its carrier can't be reached."),
    "30003": Meaning(Effect.UNREACHABLE, "The phone is switched off or out of reach."),
    "20003": Meaning(Effect.PAUSE_HOUR, "The provider rejects the API key."),
    "20005": Meaning(Effect.PAUSE_HOUR, "The provider account isn't active."),
    "90010": Meaning(Effect.PAUSE_HOUR, "The provider account isn't active."),
    "21212": Meaning(Effect.PAUSE_HOUR, "The phone line's number isn't valid."),
    "21606": Meaning(Effect.PAUSE_HOUR, "The phone line can't send messages."),
    "21659": Meaning(Effect.PAUSE_HOUR, "The phone line isn't a number of the provider account."),
    "21660": Meaning(Effect.PAUSE_HOUR, "The phone line isn't a number of the provider account."),
    "30002": Meaning(Effect.PAUSE_HOUR, "The provider account is suspended."),
    "0200402": Meaning(Effect.PAUSE_HOUR, "The provider account has not enough credit."),
    "0201402": Meaning(Effect.PAUSE_HOUR, "The provider account's subscription has expired."),
    "0202403": Meaning(Effect.PAUSE_HOUR, "The API key's user may not send over this phone line."),
    "30032": Meaning(Effect.PAUSE_DAY, "The toll-free number isn't verified."),
    "30033": Meaning(Effect.PAUSE_DAY, "The carriers have suspended the line's registration."),
    "30034": Meaning(Effect.PAUSE_DAY, "The phone line isn't registered with the carriers."),
    "0206400": Meaning(Effect.PAUSE_DAY, "The phone line isn't registered with the carriers."),
    "30023": Meaning(Effect.PAUSE_UNTIL_MIDNIGHT, "The carrier's daily cap was reached."),
    "30027": Meaning(Effect.PAUSE_UNTIL_MIDNIGHT, "The carrier's daily cap was reached."),
    "63038": Meaning(Effect.PAUSE_UNTIL_MIDNIGHT, "The provider account's daily cap was reached."),
    "0204403": Meaning(Effect.PAUSE_UNTIL_MIDNIGHT, "The carrier's daily cap was reached."),
    "14107": Meaning(Effect.RETRY, "The provider's rate limit was reached."),
    "20429": Meaning(Effect.RETRY, "The provider's rate limit was reached."),
    "21611": Meaning(Effect.RETRY, "The provider's queue is full."),
    "30001": Meaning(Effect.RETRY, "The provider's queue is full."),
    "30022": Meaning(Effect.RETRY, "The carrier's rate limit was reached."),
}


def pause_until(effect: Effect, moment: datetime) -> datetime | None:
    """Return the end of a pause of the line that began at `moment`; None if the effect is no pause."""
    if effect == Effect.PAUSE_HOUR:
        return moment + timedelta(hours=1)
    if effect == Effect.PAUSE_DAY:
        return moment + timedelta(days=1)
    if effect == Effect.PAUSE_UNTIL_MIDNIGHT:
        tomorrows = (moment.astimezone(zone) + timedelta(days=1) for zone in CAP_ZONES)
        return min(day.replace(hour=0, minute=0, second=0, microsecond=0) for day in tomorrows).astimezone(UTC)
    return None


def names_recipient(answer: dict[str, Any], recipient: str) -> bool:
    """Return whether a provider's error concerns the recipient (E.164): its field, its number, or the word."""
    digits = recipient.lstrip("+")
    own = (digits, digits[1:] if digits.startswith("1") else digits)
    for field, text in _statements(answer):
        if (field and _RECIPIENT_FIELD.search(field)) or _ABOUT_RECIPIENT.search(text):
            return True
        if digits and any(number in re.sub(r"\D", "", text) for number in own):
            return True
    return False


def is_foreign(recipient: str) -> bool:
    """Return whether a number (E.164) is outside the US and Canada, +1 numbers of the Caribbean included."""
    try:
        number = phonenumbers.parse(recipient)
    except phonenumbers.NumberParseException:
        return False
    return number.country_code != 1 or phonenumbers.region_code_for_number(number) not in DOMESTIC


def _statements(answer: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield field and text of each statement in an error."""
    errors = answer.get("errors")
    for entry in [answer, *(errors if isinstance(errors, list) else [])]:
        if isinstance(entry, dict):
            field = entry.get("path") or entry.get("field")
            for name in ("message", "title", "error", "detail", "value"):
                if isinstance(entry.get(name), str) or entry is not answer:
                    yield str(field or ""), str(entry.get(name) or "")
        elif isinstance(entry, str):
            yield "", entry
