"""Hours in which a recipient may be texted: from the contact, the number, and the company."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crm.models import Company
from crm.phones import NORTH_AMERICA
from messaging.area_codes import state_of_number, zones_of_number
from messaging.quiet_hours import next_open, texting_hours_of, texting_hours_of_company
from messaging.states import state_code, zones_of_state

EXCHANGE = len("+1303555")  # the area code and the next three digits decide zone and state of a number


def next_allowed(
    *, timezone: str, state: str, phone: str, company: Company, marketing: bool, moment: datetime
) -> datetime | None:
    """Return the first instant from `moment` on in which a contact may be texted; None if there is none.

    Args:
        timezone: the contact's, any text.
        state: of the contact's address, in any spelling.
        phone: E.164.
    """
    hours = texting_hours_of(states=[state, _home(phone)[1]], marketing=marketing)
    hours.append(texting_hours_of_company(company))
    zones = zones_of_recipient(timezone=timezone, state=state, phone=phone, company_zone=company.zone)
    return next_open(moment=moment, zones=zones, hours=hours)


def zones_of_recipient(*, timezone: str, state: str, phone: str, company_zone: ZoneInfo) -> list[ZoneInfo]:
    """Return the zones in which a contact may be: their own, else all zones of home, else the company's."""
    zones_of_phone, state_of_phone = _home(phone)
    home = _parse_zones([timezone]) or _parse_zones(_zones_of_home(state, zones_of_phone, state_of_phone))
    return home or [company_zone]


def _home(phone: str) -> tuple[tuple[str, ...], str]:
    return _home_of_number(phone[:EXCHANGE] + "0000" if _is_complete(phone) else phone)


def _is_complete(phone: str) -> bool:
    return phone.startswith(NORTH_AMERICA) and len(phone) == EXCHANGE + 4


@lru_cache(maxsize=100_000)
def _home_of_number(phone: str) -> tuple[tuple[str, ...], str]:
    """Return the zones and the state of a number. Asking takes longer than the rest of the rule."""
    return tuple(zones_of_number(phone)), state_of_number(phone)


def _zones_of_home(state: str, zones_of_phone: Iterable[str], state_of_phone: str) -> list[str]:
    """Return the zones of the number, and those of the contact's state if the number is from elsewhere."""
    code = state_code(state)
    elsewhere = code != state_code(state_of_phone)
    return [*zones_of_phone, *(zones_of_state(code) if elsewhere else ())]


def _parse_zones(names: list[str]) -> list[ZoneInfo]:
    """Return the time zones, or none if any is invalid, because an import may have stored any text."""
    try:
        return [ZoneInfo(name) for name in names]
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder, such as "America"
        return []
