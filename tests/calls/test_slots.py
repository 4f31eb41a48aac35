"""Free slots: within working hours, beside appointments and time off, on days on which the clocks change, too."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from calls.services.slots import find_free_slots, working_time
from crm.date_ranges import DateRange
from crm.db.tenancy import tenant
from crm.working_hours import DAYS
from tests.conftest import signed_in
from tests.count_queries import CountQueries
from tests.errors import codes_of
from tests.factories import AppointmentFactory, CompanyFactory, ContactFactory, TimeOffFactory, UserFactory

URL = "/api/v1/slots"
HOUR = timedelta(hours=1)
MORNING = {"monday": {"opens": "08:00", "closes": "11:00"}}
MONDAY = "start_date=2026-05-04&end_date=2026-05-04"
OPENS = datetime(2026, 5, 4, 14, tzinfo=UTC)  # 8:00 in Denver


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr("calls.api.slots.now", lambda: datetime(2026, 5, 1, tzinfo=UTC))
    monkeypatch.setattr("crm.date_ranges.now", lambda: datetime(2026, 5, 1, 18, tzinfo=UTC))


@pytest.fixture(autouse=True)
def working_hours(acme):
    acme.working_hours = MORNING
    acme.save()


@pytest.fixture
def ralph(acme):
    return UserFactory(company=acme, role="rep", first_name="Ralph", last_name="Reed")


def book(rep, start, length=HOUR, **values):
    contact = ContactFactory(company=rep.company)
    return AppointmentFactory(
        contact=contact, assigned_rep=rep, scheduled_start=start, scheduled_end=start + length, **values
    )


def starts(api, query=MONDAY, zone="America/Denver"):
    """Return the starts of the slots as local times."""
    answer = api.get(f"{URL}?{query}").json()["slots"]
    return [f"{datetime.fromisoformat(slot['starts_at']).astimezone(ZoneInfo(zone)):%H:%M}" for slot in answer]


def test_slots_begin_every_half_hour_of_the_working_hours(csr_api, ralph):
    answer = csr_api.get(f"{URL}?{MONDAY}").json()
    assert answer["slots"][0] == {
        "rep": ralph.pk, "rep_name": "Ralph Reed", "starts_at": "2026-05-04T14:00:00Z",
        "ends_at": "2026-05-04T15:00:00Z",
    }  # fmt: skip
    assert {name: answer[name] for name in answer if name != "slots"} == {
        "start_date": "2026-05-04", "end_date": "2026-05-04", "timezone": "America/Denver", "length": 60,
        "is_complete": True,
    }  # fmt: skip
    assert starts(csr_api) == ["08:00", "08:30", "09:00", "09:30", "10:00"]
    assert starts(csr_api, f"{MONDAY}&length=180") == ["08:00"]
    assert starts(csr_api, f"{MONDAY}&length=181") == []
    assert starts(csr_api, "start_date=2026-05-05&end_date=2026-05-10") == []


def test_slots_leave_out_appointments_and_time_off(csr_api, acme, ralph):
    book(ralph, OPENS + HOUR / 2)  # 8:30 to 9:30
    book(ralph, OPENS + HOUR, allow_overlap=True)  # 9:00 to 10:00
    for free in (book(ralph, OPENS + 2 * HOUR, status="cancelled"), book(UserFactory(company=acme, role="rep"), OPENS)):
        assert free.pk
    assert starts(csr_api, f"{MONDAY}&rep={ralph.pk}") == ["10:00"]
    assert starts(csr_api, f"{MONDAY}&rep={ralph.pk}&length=30") == ["08:00", "10:00", "10:30"]
    TimeOffFactory(company=acme, rep=ralph, starts_at=OPENS + 2.5 * HOUR, ends_at=OPENS + 50 * HOUR)
    assert starts(csr_api, f"{MONDAY}&rep={ralph.pk}&length=30") == ["08:00", "10:00"]


def test_appointment_of_days_blocks_all_of_them(csr_api, ralph):
    book(ralph, OPENS - timedelta(days=10), timedelta(days=10) + HOUR)
    assert starts(csr_api) == ["09:00", "09:30", "10:00"]


def test_rep_with_own_working_hours_has_slots_in_these(csr_api, acme, ralph):
    ralph.working_hours = {"tuesday": {"opens": "13:15", "closes": "14:45"}}
    ralph.save()
    assert starts(csr_api) == []
    assert starts(csr_api, "start_date=2026-05-04&end_date=2026-05-05") == ["13:15", "13:45"]
    ralph.working_hours = {}  # none at all, on no day
    ralph.save()
    assert starts(csr_api, "start_date=2026-05-04&end_date=2026-05-10") == []


def test_past_slots_are_left_out(csr_api, ralph, monkeypatch):
    monkeypatch.setattr("calls.api.slots.now", lambda: OPENS + HOUR + timedelta(minutes=1))
    assert starts(csr_api) == ["09:30", "10:00"]


def test_without_days_the_week_from_today_on_is_meant(csr_api, ralph):
    answer = csr_api.get(URL).json()
    assert (answer["start_date"], answer["end_date"]) == ("2026-05-01", "2026-05-07")
    assert len(answer["slots"]) == 5
    assert csr_api.get(f"{URL}?end_date=2026-05-03").json()["start_date"] == "2026-05-01"
    assert csr_api.get(f"{URL}?end_date=2026-04-03").json()["start_date"] == "2026-04-03"


def test_company_without_working_hours_has_slots_at_all_hours(csr_api, acme, ralph):
    acme.working_hours = None
    acme.save()
    assert len(starts(csr_api)) == 47


def test_rep_sees_own_slots_alone(acme, rep, ralph):
    api = signed_in(rep)
    assert {slot["rep"] for slot in api.get(f"{URL}?{MONDAY}").json()["slots"]} == {rep.pk}
    assert codes_of(api.get(f"{URL}?rep={ralph.pk}")) == {"rep": ["does_not_exist"]}


def test_users_who_get_no_appointments_have_no_slots(csr_api, csr, acme, globex):
    UserFactory(company=acme, role="rep", is_active=False)
    UserFactory(company=globex, role="rep")
    assert starts(csr_api) == []


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ("length=4", {"length": ["min_value"]}),
        ("length=1441", {"length": ["max_value"]}),
        ("length=x", {"length": ["invalid"]}),
        ("start_date=2026-02-30", {"start_date": ["invalid"]}),
        ("start_date=2026-05-02&end_date=2026-05-01", {"start_date": ["end_before_start"]}),
        ("start_date=2026-05-01&end_date=2026-06-01", {"end_date": ["out_of_range"]}),
        ("rep=me", {"rep": ["invalid"]}),
        ("rep=999999999", {"rep": ["does_not_exist"]}),
        ("from=2026-05-01", {"from": ["unknown_parameter"]}),
    ],
)
def test_faulty_parameter_is_named(csr_api, query, errors):
    answer = csr_api.get(f"{URL}?{query}")
    assert (answer.status_code, codes_of(answer)) == (400, errors)


def test_a_month_of_many_reps_is_cut_and_takes_the_same_statements(csr_api, acme, ralph):
    acme.working_hours = None
    acme.save()
    month = "start_date=2026-05-01&end_date=2026-05-31"
    counts = []
    for more in (0, 4):
        for _ in range(more):
            rep = UserFactory(company=acme, role="rep")
            book(rep, OPENS)
            TimeOffFactory(company=acme, rep=rep)
        with CountQueries() as queries:
            answer = csr_api.get(f"{URL}?{month}").json()
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert (len(answer["slots"]), answer["is_complete"]) == (2000, False)
    assert answer["slots"] == sorted(answer["slots"], key=lambda slot: slot["starts_at"])


# By zone, the days on which its clocks change in 2026: forward, and back. Lord Howe's change by half an hour, those of
# Havana around midnight.
CHANGES = {
    "America/Denver": (date(2026, 3, 8), date(2026, 11, 1)),
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25)),
    "Australia/Lord_Howe": (date(2026, 10, 4), date(2026, 4, 5)),
    "America/Havana": (date(2026, 3, 8), date(2026, 11, 1)),
}
SHIFT = {"Australia/Lord_Howe": timedelta(minutes=30)}
CHANGED_DAYS = [(zone, day, n == 0) for zone, days in CHANGES.items() for n, day in enumerate(days)]
each_changed_day = pytest.mark.parametrize(("zone", "day", "is_forward"), CHANGED_DAYS)


def slots_of(zone, day, opens, closes):
    """Return the slots of an hour on a day, as local times of the zone."""
    company = CompanyFactory(timezone=zone, working_hours={DAYS[day.weekday()]: {"opens": opens, "closes": closes}})
    rep = UserFactory(company=company, role="rep")
    with tenant(company.pk):
        found = find_free_slots(
            company=company, reps=[rep], days=DateRange(day, day, company.zone), length=HOUR,
            now=datetime(2026, 1, 1, tzinfo=UTC),
        )  # fmt: skip
    return [(slot.starts_at, slot.ends_at) for slot in found]


@pytest.mark.django_db
@each_changed_day
def test_day_on_which_the_clocks_change_has_its_usual_slots(zone, day, is_forward):
    local = [each[0].astimezone(ZoneInfo(zone)) for each in slots_of(zone, day, "08:00", "17:00")]
    assert [each.time() for each in local] == [time(8 + n // 2, 30 * (n % 2)) for n in range(17)]
    assert {each.date() for each in local} == {day}


@pytest.mark.django_db
@each_changed_day
def test_night_in_which_the_clocks_change_has_slots_of_its_true_length(zone, day, is_forward):
    found = slots_of(zone, day, "00:00", "06:00")
    shift = SHIFT.get(zone, HOUR)
    night = 6 * HOUR + (-shift if is_forward else shift)
    assert len(found) == (night - HOUR) // timedelta(minutes=30) + 1
    assert all(later[0] - earlier[0] == timedelta(minutes=30) for earlier, later in pairwise(found))
    assert all(end - start == HOUR for start, end in found)
    last = found[-1][1].astimezone(ZoneInfo(zone))
    assert (last.date(), last.time()) == (day, time(6))


@pytest.mark.parametrize(
    ("opens", "closes", "span"),
    [
        ("02:30", "06:00", ("03:30", "06:00")),  # 2:30 is skipped
        ("00:00", "02:30", ("00:00", "01:30")),
        ("02:10", "02:50", None),
    ],
)
def test_working_hours_that_the_clock_skips_are_not_worked(opens, closes, span):
    zone, day = ZoneInfo("America/Denver"), date(2026, 3, 8)
    found = working_time(hours={"sunday": {"opens": opens, "closes": closes}}, day=day, zone=zone)
    assert (found and tuple(f"{each.astimezone(zone):%H:%M}" for each in found)) == span
