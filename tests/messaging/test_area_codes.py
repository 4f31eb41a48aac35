"""Area codes of the North American plan against the metadata of phonenumbers and the zones of states."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from phonenumbers.timezone import time_zones_for_number

from messaging.area_code_states import STATES as STATES_OF_CODES
from messaging.area_codes import MAX_ZONES, OVERLAYS, ZONES, is_valid_phone, state_of_number, zones_of_number
from messaging.quiet_hours import next_open, texting_hours_of
from messaging.states import state_code, zones_of_state

EASTERN, CENTRAL, MOUNTAIN, PACIFIC = "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"
BOISE, PHOENIX, TORONTO, WINNIPEG = "America/Boise", "America/Phoenix", "America/Toronto", "America/Winnipeg"

# 49 CFR Part 71: the zone of each state; of a state with two zones, the one of its codes that aren't split.
STATES = {
    EASTERN: "CT DC DE FL GA IN KY MA MD ME MI NC NH NJ NY OH PA RI SC VA VT WV",
    CENTRAL: "AL AR IA IL KS LA MN MO MS NE OK TN TX WI",
    MOUNTAIN: "CO MT NM UT WY",
    PACIFIC: "CA NV OR WA",
    PHOENIX: "AZ",
    "Pacific/Honolulu": "HI",
    TORONTO: "ON QC",
    WINNIPEG: "MB",
    "America/Edmonton": "AB",
    "America/Vancouver": "BC",
    "America/Halifax": "NB NS",
    "America/Puerto_Rico": "PR",
}
# The metadata's names.
PROVINCES = {
    "alberta": "AB", "british columbia": "BC", "british colombia": "BC", "manitoba": "MB", "new brunswick": "NB",
    "newfoundland and labrador": "NL", "nova scotia/prince edward island": "NS", "ontario": "ON", "quebec": "QC",
    "saskatchewan": "SK", "pe": "NS", "northwest territories/nunavut/yukon": "NT", "yt": "NT", "watson lake": "NT",
}  # fmt: skip
ZONE_OF_STATE = {state: zone for zone, states in STATES.items() for state in states.split()}
METADATA_IS_WRONG = ("474", "689", "867", "879", "907")  # Winnipeg in Saskatchewan, Chicago in Orlando
OTHER_ZONE_OF_STATE = {"865": EASTERN, "915": MOUNTAIN}  # Knoxville, El Paso


def number(code, office=555):
    return f"+1{code}{office}0100"


def metadata_zones(code, office=555):
    return time_zones_for_number(phonenumbers.parse(number(code, office)))


def is_geographic(code):
    parsed = phonenumbers.parse(number(code))
    country = phonenumbers.region_code_for_number(parsed) in ("US", "CA", "PR")
    return country and phonenumbers.is_valid_number(parsed) and len(metadata_zones(code)) <= MAX_ZONES


def clock(zone):
    """Return the offsets of winter and summer: zones with the same clock have different names."""
    return tuple(datetime(2026, month, 15, 12, tzinfo=ZoneInfo(zone)).utcoffset() for month in (1, 7))


CODES = [str(code) for code in range(200, 1000) if is_geographic(code)]


def test_metadata_knows_the_codes_of_today():
    assert len(CODES) > 400


@pytest.mark.parametrize("code", [code for code in CODES if code not in ZONES])
def test_code_in_one_zone_has_the_zone_of_its_state(code):
    expected = OTHER_ZONE_OF_STATE.get(code) or ZONE_OF_STATE[state_of_number(number(code))]
    assert [clock(zone) for zone in zones_of_number(number(code))] == [clock(expected)]


@pytest.mark.parametrize("code", [code for code in CODES if code in ZONES and code not in METADATA_IS_WRONG])
def test_split_code_has_every_zone_that_the_metadata_knows_for_an_exchange(code):
    known = {zone for office in range(200, 1000, 7) for zone in metadata_zones(code, office)} - {"Etc/Unknown"}
    assert {clock(zone) for zone in known} <= {clock(zone) for zone in zones_of_number(number(code))}


@pytest.mark.parametrize(
    ("codes", "zones"),
    [
        (["219", "574", "812", "930", "270", "364", "606", "423", "850", "448", "906"], {EASTERN, CENTRAL}),
        (["308", "605", "701", "620", "785"], {CENTRAL, MOUNTAIN}),
        (["208", "986", "541", "458"], {BOISE, PACIFIC}),
        (["775"], {MOUNTAIN, PACIFIC}),
        (["928"], {PHOENIX, MOUNTAIN}),
        (["907"], {"America/Anchorage", "America/Adak"}),
        (["807"], {TORONTO, WINNIPEG}),
        (["250", "236", "672", "778"], {"America/Vancouver", "America/Edmonton", "America/Dawson_Creek"}),
        (["234", "330", "212", "689", "502", "865"], {EASTERN}),
        (["402", "615", "931", "432"], {CENTRAL}),
        (["671"], {"Pacific/Guam"}),
        (["340"], {"America/St_Thomas"}),
        (["876"], {"America/Jamaica"}),
        (["480"], {PHOENIX}),
    ],
)
def test_area_code_determines_its_zones(codes, zones):
    assert [set(zones_of_number(number(code))) for code in codes] == [zones] * len(codes)


@pytest.mark.parametrize(
    ("phone", "zones"),
    [
        ("+18005550100", []),  # toll-free: 42 zones
        ("+18335550100", []),
        ("+15555550100", []),  # no area code
        ("+442079460100", ["Europe/London"]),
    ],
)
def test_number_outside_the_table_has_the_zones_of_the_metadata(phone, zones):
    assert zones_of_number(phone) == zones


@pytest.mark.parametrize(("new", "older"), OVERLAYS.items())
def test_new_code_is_valid_and_has_the_zones_and_state_of_the_older_one(new, older):
    assert not phonenumbers.is_valid_number(phonenumbers.parse(number(new)))  # else it needs no entry
    assert is_valid_phone(number(new))
    assert zones_of_number(number(new)) == zones_of_number(number(older)) != []
    assert state_of_number(number(new)) == state_of_number(number(older)) != ""


@pytest.mark.parametrize("phone", ["+15555550100", "+12005550100", "+1212555", "+10005550100"])
def test_number_without_a_real_area_code_is_not_valid(phone):
    assert not is_valid_phone(phone)


@pytest.mark.parametrize(
    ("code", "now", "opens"),
    [  # Eastern clock, 2 March 2026
        ("219", "08:30", "09:00"),
        ("219", "20:30", "20:30"),
        ("219", "21:30", "09:00"),
        ("234", "08:30", "08:30"),
        ("308", "09:30", "10:00"),
    ],
)
def test_message_waits_until_every_zone_of_its_number_is_open(code, now, opens):
    at = datetime.strptime(f"2026-03-02 {now}", "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(EASTERN)).astimezone(UTC)
    zones = [ZoneInfo(zone) for zone in zones_of_number(number(code))]
    found = next_open(moment=at, zones=zones, hours=texting_hours_of(states=[], marketing=False))
    assert found.astimezone(ZoneInfo(EASTERN)).strftime("%H:%M") == opens


@pytest.mark.parametrize(
    ("phone", "state"),
    [
        ("+13055550100", "FL"),
        ("+12125550100", "NY"),
        ("+12105550100", "TX"),
        ("+12065550100", "WA"),
        ("+14165550100", "ON"),
        ("+18765550100", ""),
        ("+18005550100", ""),
        ("+442079460100", ""),
    ],
)
def test_area_code_determines_the_state(phone, state):
    assert state_of_number(phone) == state


@pytest.mark.slow  # it loads the names of all places on earth
def test_states_are_those_of_the_metadata():
    from phonenumbers.geocoder import description_for_number

    told = {
        (code, description_for_number(phonenumbers.parse(number(code, office)), "en").rpartition(", ")[2])
        for code in range(200, 1000)
        for office in (*range(200, 1000, 100), 234, 633)  # of Saipan and Samoa the last two
    }
    known = {(str(code), PROVINCES.get(place.lower(), state_code(place))) for code, place in told if place}
    states = {*PROVINCES.values(), *(state for state in STATES_OF_CODES.values() if zones_of_state(state))}
    assert {(code, state) for code, state in known if state in states} == {*STATES_OF_CODES.items()}


def test_every_state_of_an_area_code_has_its_zones():
    states = {state_of_number(number(code)) for code in CODES} - {""}
    assert {state for state in states if not zones_of_state(state)} <= {*PROVINCES.values()}


@pytest.mark.parametrize("code", [code for code in CODES if zones_of_state(state_of_number(number(code)))])
def test_zones_of_an_area_code_are_zones_of_its_state(code):
    state = zones_of_state(state_of_number(number(code)))
    assert {clock(zone) for zone in zones_of_number(number(code))} <= {clock(zone) for zone in state}
