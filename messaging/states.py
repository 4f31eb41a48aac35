"""States of the United States: their spellings, and their time zones.

Source of the zones: 49 CFR Part 71. A state with a boundary has both zones.
"""

_EASTERN, _CENTRAL, _MOUNTAIN, _PACIFIC = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
)  # fmt: skip

_STATES: dict[tuple[str, ...], str] = {
    (_EASTERN,): "CT DC DE GA MA MD ME NC NH NJ NY OH PA RI SC VA VT WV",
    (_EASTERN, _CENTRAL): "FL IN KY MI TN",
    (_CENTRAL,): "AL AR IA IL LA MN MO MS OK WI",
    (_CENTRAL, _MOUNTAIN): "KS ND NE SD TX",
    (_MOUNTAIN,): "CO MT NM UT WY",
    (_MOUNTAIN, "America/Phoenix"): "AZ",  # the Navajo Nation has daylight saving time
    ("America/Boise", _PACIFIC): "ID OR",
    (_MOUNTAIN, _PACIFIC): "NV",
    (_PACIFIC,): "CA WA",
    ("America/Anchorage", "America/Adak"): "AK",
    ("Pacific/Honolulu",): "HI",
    ("America/Puerto_Rico",): "PR VI",
    ("Pacific/Guam",): "GU MP",
    ("Pacific/Pago_Pago",): "AS",
}
_ZONES = {code: zones for zones, codes in _STATES.items() for code in codes.split()}

# Names on contacts and of the regions of numbers, other than the two letters.
_NAMES = {
    "alabama": "AL", "alaska": "AK", "american samoa": "AS", "arizona": "AZ", "arkansas": "AR", "california": "CA",
    "colorado": "CO", "connecticut": "CT", "delaware": "DE", "district of columbia": "DC", "florida": "FL",
    "georgia": "GA", "guam": "GU", "hawaii": "HI", "idaho": "ID", "illinois": "IL", "indiana": "IN", "iowa": "IA",
    "kansas": "KS", "kentucky": "KY", "louisiana": "LA", "maine": "ME", "maryland": "MD", "massachusetts": "MA",
    "michigan": "MI", "minnesota": "MN", "mississippi": "MS", "missouri": "MO", "montana": "MT", "nebraska": "NE",
    "nevada": "NV", "new hampshire": "NH", "new jersey": "NJ", "new mexico": "NM", "new york": "NY",
    "north carolina": "NC", "north dakota": "ND", "northern mariana islands": "MP", "ohio": "OH", "oklahoma": "OK",
    "oregon": "OR", "pennsylvania": "PA", "puerto rico": "PR", "rhode island": "RI", "south carolina": "SC",
    "south dakota": "SD", "tennessee": "TN", "texas": "TX", "u.s. virgin islands": "VI", "utah": "UT", "vermont": "VT",
    "virginia": "VA", "washington": "WA", "washington d.c.": "DC", "washington state": "WA", "west virginia": "WV",
    "wisconsin": "WI", "wyoming": "WY",
}  # fmt: skip


def state_code(name: str) -> str:
    """Return the two letters of a state in any spelling; other text in capitals."""
    return _NAMES.get(name.strip().lower(), name.strip().upper())


def spellings_of_state(name: str) -> set[str]:
    """Return the spellings of the state that this is one of; empty for any other text."""
    code = state_code(name)
    names = {each.title() for each, its_code in _NAMES.items() if its_code == code}
    return {code, code.lower(), *names, *map(str.lower, names), *map(str.upper, names)} if names else set()


def zones_of_state(code: str) -> tuple[str, ...]:
    """Return the IANA zones of a state; empty for any other text."""
    return _ZONES.get(code, ())
