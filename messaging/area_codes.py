"""Area codes of the North American plan whose zones or existence the metadata of `phonenumbers` doesn't know.

The metadata has one zone for most area codes, some of them wrong: mobile numbers of a code are used in all of it.
Sources: 49 CFR Part 71 (zone boundaries by county) with the area code maps of the numbering plan's administrator
(nanpa.com, as of November 2026); for Canada the provinces' time acts and cnac.ca; for islands the tz database.
"""

import phonenumbers
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number

from messaging.area_code_states import STATES

MAX_ZONES = 16  # more zones (toll-free numbers have 42) say nothing about the location

_EASTERN, _CENTRAL, _MOUNTAIN, _PACIFIC = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
)  # fmt: skip

_ZONES: dict[tuple[str, ...], tuple[str, ...]] = {
    # Split between two zones.
    ("219", "574", "812", "930"): (_EASTERN, _CENTRAL),  # Indiana: northwest and southwest corners
    ("270", "364", "606"): (_EASTERN, _CENTRAL),  # Kentucky
    ("423", "729"): (_EASTERN, _CENTRAL),  # Tennessee: Chattanooga; Marion and Sequatchie counties
    ("850", "448"): (_EASTERN, _CENTRAL),  # Florida: the Apalachicola River
    ("906",): (_EASTERN, _CENTRAL),  # Michigan: counties at Wisconsin's border
    ("308",): (_CENTRAL, _MOUNTAIN),  # Nebraska
    ("605",): (_CENTRAL, _MOUNTAIN),  # South Dakota
    ("701",): (_CENTRAL, _MOUNTAIN),  # North Dakota
    ("620", "785"): (_CENTRAL, _MOUNTAIN),  # Kansas: four western counties
    ("208", "986"): ("America/Boise", _PACIFIC),  # Idaho
    ("541", "458"): ("America/Boise", _PACIFIC),  # Oregon: Malheur County
    ("775",): (_MOUNTAIN, _PACIFIC),  # Nevada: West Wendover
    ("928",): ("America/Phoenix", _MOUNTAIN),  # Arizona: the Navajo Nation has daylight saving time
    ("907",): ("America/Anchorage", "America/Adak"),
    ("250", "236", "257", "672", "778"): ("America/Vancouver", "America/Edmonton", "America/Dawson_Creek"),
    ("306", "474", "639"): ("America/Regina", "America/Edmonton"),  # Saskatchewan: Lloydminster
    ("807",): ("America/Toronto", "America/Winnipeg"),
    ("367", "418", "581"): ("America/Toronto", "America/Halifax"),  # Québec: Magdalen Islands
    ("709", "879"): ("America/St_Johns", "America/Halifax"),  # Labrador
    ("867",): ("America/Whitehorse", "America/Edmonton", "America/Winnipeg", "America/Toronto"),
    # In one zone, and unknown to the metadata or wrong there.
    ("689",): (_EASTERN,),  # Orlando
    ("340",): ("America/St_Thomas",),
    ("670",): ("Pacific/Saipan",),
    ("671",): ("Pacific/Guam",),
    ("684",): ("Pacific/Pago_Pago",),
    ("983",): (_MOUNTAIN,),  # Denver
    ("784",): ("America/St_Vincent",),
    ("658", "876"): ("America/Jamaica",),
    ("809", "829", "849"): ("America/Santo_Domingo",),
}  # fmt: skip
ZONES = {code: zones for codes, zones in _ZONES.items() for code in codes}

# New codes that the metadata doesn't know, each with the older code of the same area.
OVERLAYS = {
    "357": "559", "436": "440", "457": "318", "465": "718", "471": "662", "483": "334", "621": "713", "624": "716",
    "679": "313", "729": "423", "837": "530", "861": "309", "924": "507",
}  # fmt: skip


def parse_known(phone: str) -> phonenumbers.PhoneNumber:
    """Return the number (E.164), in the older code of its area if the metadata doesn't know the new one."""
    number = phonenumbers.parse(phone)
    if number.country_code == 1 and (older := OVERLAYS.get(_area_code(number))):
        number.national_number = int(older + str(number.national_number)[3:])
    return number


def is_valid_phone(phone: str) -> bool:
    """Return whether a number (E.164) can exist: with a real area code."""
    try:
        return phonenumbers.is_valid_number(parse_known(phone))
    except phonenumbers.NumberParseException:
        return False


def zones_of_number(phone: str) -> list[str]:
    """Return the IANA zones where the owner of a number (E.164) may be; empty for toll-free and unknown numbers."""
    number = parse_known(phone)
    if number.country_code == 1 and phonenumbers.is_valid_number(number) and (zones := ZONES.get(_area_code(number))):
        return list(zones)
    zones = tuple(zone for zone in time_zones_for_number(number) if zone != UNKNOWN_TIMEZONE)
    return list(zones) if len(zones) <= MAX_ZONES else []


def state_of_number(phone: str) -> str:
    """Return the state or province of the area code, as `FL`; "" for foreign, toll-free and unknown numbers.

    Florida's law presumes that the owner of its area code lives there.
    """
    number = parse_known(phone)
    is_real = number.country_code == 1 and phonenumbers.is_valid_number(number)
    return STATES.get(_area_code(number), "") if is_real else ""


def _area_code(number: phonenumbers.PhoneNumber) -> str:
    return str(number.national_number)[:3]
