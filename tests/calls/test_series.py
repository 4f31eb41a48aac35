"""Series: appointments that recur by a rule, booked, moved and cancelled as a whole, at the same local time."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from calls.models import Appointment
from calls.services.series import starts_of
from crm.recurrence import InvalidRule
from tests.errors import code_of, codes_of
from tests.factories import AppointmentFactory, CallFactory, ContactFactory, UserFactory

URL = "/api/v1/appointments/series"
APPOINTMENTS = "/api/v1/appointments"
HOUR = timedelta(hours=1)
START = datetime(2026, 3, 2, 16, tzinfo=UTC)  # Monday, 9:00 in Denver
WEEKS = "FREQ=WEEKLY;COUNT=3"
# 9:00 in Denver; summer time begins on March 8.
MONDAYS = ["2026-03-02T16:00:00Z", "2026-03-09T15:00:00Z", "2026-03-16T15:00:00Z"]


@pytest.fixture
def contact(acme):
    return ContactFactory(company=acme)


def body(contact, rep=None, *, recurrence=WEEKS, **values):
    times = {"scheduled_start": START.isoformat(), "scheduled_end": (START + HOUR).isoformat()}
    return {"contact": contact.pk, "assigned_rep": rep and rep.pk, "recurrence": recurrence, **times, **values}


def starts(answer):
    return [row["scheduled_start"] for row in answer.json()["appointments"]]


def all_starts(acme, **values):
    rows = Appointment.objects.filter(company=acme, **values).order_by("scheduled_start")
    return [f"{each:%Y-%m-%dT%H:%M:%SZ}" for each in rows.values_list("scheduled_start", flat=True)]


def block(rep, start):
    return AppointmentFactory(
        contact__company=rep.company, assigned_rep=rep, scheduled_start=start, scheduled_end=start + HOUR
    )


def test_series_is_booked_at_the_same_local_time(csr_api, contact, rep):
    answer = csr_api.post(URL, body(contact, rep, notes="Filters."))
    assert (answer.status_code, starts(answer)) == (201, MONDAYS)
    rows = answer.json()["appointments"]
    assert {(row["time"], row["notes"], row["assigned_rep_name"]) for row in rows} == {
        ("09:00:00", "Filters.", "ralph")
    }
    [series] = {row["series"] for row in rows}
    listed = csr_api.get(f"{APPOINTMENTS}?series={series}&order=oldest").json()["results"]
    assert [row["id"] for row in listed] == [row["id"] for row in rows]
    assert codes_of(csr_api.get(f"{APPOINTMENTS}?series=x")) == {"series": ["invalid"]}


def test_all_conflicts_are_named_and_nothing_is_booked(csr_api, contact, rep, in_acme):
    others = [block(rep, datetime(2026, 3, day, 15, 30, tzinfo=UTC)) for day in (9, 16)]
    answer = csr_api.post(URL, body(contact, rep))
    assert (answer.status_code, code_of(answer)) == (409, "series_taken")
    found = [(each["scheduled_start"], each["appointment"]["id"]) for each in answer.json()["conflicts"]]
    assert found == [*zip(MONDAYS[1:], [each.pk for each in others], strict=True)]
    assert not Appointment.objects.filter(contact=contact).exists()
    assert starts(csr_api.post(URL, body(contact, rep, allow_overlap=True))) == MONDAYS


def test_first_appointment_is_from_the_call(csr_api, contact, in_acme):
    call = CallFactory(contact=contact, status="unbooked")
    rows = csr_api.post(URL, body(contact, call=call.pk)).json()["appointments"]
    assert [row["call"] for row in rows] == [call.pk, None, None]
    call.refresh_from_db()
    assert call.status == "awaiting_quote"


def test_repeated_key_books_one_series(csr_api, contact, in_acme):
    first, again = (csr_api.post(URL, body(contact), headers={"Idempotency-Key": "k1"}) for _ in range(2))
    assert first.json() == again.json()
    assert Appointment.objects.count() == 3


@pytest.mark.parametrize(
    "rule",
    [
        "", "x", "FREQ=WEEKLY", "FREQ=HOURLY;COUNT=3", "FREQ=WEEKLY;COUNT=0", "FREQ=WEEKLY;COUNT=",
        "FREQ=WEEKLY;COUNT=x", "FREQ=DAILY;COUNT=61", "FREQ=WEEKLY;COUNT=54", "FREQ=WEEKLY;COUNT=3;UNTIL=20260401",
        "FREQ=WEEKLY;UNTIL=soon", "FREQ=WEEKLY;BYDAY=TU;COUNT=3", "FREQ=DAILY;UNTIL=20260601",
        "FREQ=WEEKLY;UNTIL=20270601", "FREQ=WEEKLY;BYHOUR=9;COUNT=3", "FREQ=MONTHLY;BYMONTHDAY=99;COUNT=2",
        "FREQ=DAILY;FREQ=WEEKLY;COUNT=2",
    ],
)  # fmt: skip
def test_faulty_rule_is_refused_by_name(csr_api, contact, in_acme, rule):
    answer = csr_api.post(URL, body(contact, recurrence=rule))
    expected = "blank" if rule == "" else "invalid_recurrence"
    assert (answer.status_code, codes_of(answer)) == (400, {"recurrence": [expected]})
    assert not Appointment.objects.exists()


def test_appointments_that_would_overlap_each_other_are_refused(csr_api, contact):
    long = {"scheduled_end": (START + 30 * HOUR).isoformat()}
    answer = csr_api.post(URL, body(contact, recurrence="FREQ=DAILY;COUNT=3", **long))
    assert codes_of(answer) == {"recurrence": ["invalid_recurrence"]}


def test_end_of_a_rule_is_a_day_included(csr_api, contact):
    assert starts(csr_api.post(URL, body(contact, recurrence="FREQ=WEEKLY;UNTIL=20260316"))) == MONDAYS


def test_this_one_and_all_later_ones_are_cancelled(csr_api, contact, rep, in_acme):
    rows = csr_api.post(URL, body(contact, rep)).json()["appointments"]
    answer = csr_api.post(f"{APPOINTMENTS}/{rows[1]['id']}/change-series", {"status": "cancelled"})
    assert starts(answer) == MONDAYS[1:]
    assert all_starts(in_acme, status="scheduled") == MONDAYS[:1]


def test_one_of_a_series_is_changed_alone(csr_api, contact, in_acme):
    rows = csr_api.post(URL, body(contact)).json()["appointments"]
    assert csr_api.patch(f"{APPOINTMENTS}/{rows[1]['id']}", {"status": "cancelled"}).status_code == 200
    assert all_starts(in_acme, status="scheduled") == [MONDAYS[0], MONDAYS[2]]


@pytest.mark.parametrize("days", [7, -7, 0])
def test_this_one_and_all_later_ones_are_moved_by_days_and_local_time(csr_api, contact, rep, in_acme, days):
    """By seven days each appointment of the rep takes the place of the next one, or of the one before."""
    rows = csr_api.post(URL, body(contact, rep, recurrence="FREQ=WEEKLY;COUNT=4")).json()["appointments"]
    new = datetime(2026, 3, 16, 15 if days else 17, tzinfo=UTC) + timedelta(days=days)
    if days == -7:
        csr_api.patch(f"{APPOINTMENTS}/{rows[1]['id']}", {"status": "cancelled"})
    answer = csr_api.post(f"{APPOINTMENTS}/{rows[2]['id']}/change-series", {"scheduled_start": new.isoformat()})
    assert answer.status_code == 200, answer.content
    assert starts(answer) == [f"{new + timedelta(days=7 * n):%Y-%m-%dT%H:%M:%SZ}" for n in (0, 1)]
    assert {row["scheduled_end"][11:16] for row in answer.json()["appointments"]} == {f"{new + HOUR:%H:%M}"}


def test_move_over_the_change_of_the_clocks_keeps_the_local_time(csr_api, contact):
    rows = csr_api.post(URL, body(contact)).json()["appointments"]
    answer = csr_api.post(
        f"{APPOINTMENTS}/{rows[0]['id']}/change-series", {"scheduled_start": "2026-03-02T18:00:00Z"}
    )  # 11:00 before the change
    assert starts(answer) == ["2026-03-02T18:00:00Z", "2026-03-09T17:00:00Z", "2026-03-16T17:00:00Z"]


def test_conflict_of_a_move_is_named_alone_and_nothing_moves(csr_api, contact, rep, in_acme):
    rows = csr_api.post(URL, body(contact, rep)).json()["appointments"]
    other = block(rep, datetime(2026, 3, 23, 15, tzinfo=UTC))
    url = f"{APPOINTMENTS}/{rows[0]['id']}/change-series"
    answer = csr_api.post(url, {"scheduled_start": "2026-03-09T15:00:00Z"})
    assert (answer.status_code, code_of(answer)) == (409, "series_taken")
    [conflict] = answer.json()["conflicts"]
    assert (conflict["scheduled_start"], conflict["appointment"]["id"]) == ("2026-03-23T15:00:00Z", other.pk)
    assert all_starts(in_acme, contact=contact) == MONDAYS


def test_later_ones_get_another_rep(csr_api, contact, rep, acme):
    rows = csr_api.post(URL, body(contact, rep)).json()["appointments"]
    other = UserFactory(company=acme, role="rep")
    answer = csr_api.post(f"{APPOINTMENTS}/{rows[1]['id']}/change-series", {"assigned_rep": other.pk})
    assert [row["assigned_rep"] for row in answer.json()["appointments"]] == [other.pk, other.pk]
    assert starts(answer) == MONDAYS[1:]


def test_ended_appointments_of_a_series_stay(csr_api, contact, in_acme):
    rows = csr_api.post(URL, body(contact)).json()["appointments"]
    csr_api.patch(f"{APPOINTMENTS}/{rows[0]['id']}", {"status": "completed"})
    answer = csr_api.post(f"{APPOINTMENTS}/{rows[0]['id']}/change-series", {"notes": "Ring twice."})
    assert starts(answer) == MONDAYS[1:]


def test_appointment_booked_alone_has_no_series(csr_api, contact):
    url = f"{APPOINTMENTS}/{AppointmentFactory(contact=contact).pk}/change-series"
    answer = csr_api.post(url, {"notes": "x"})
    assert (answer.status_code, code_of(answer)) == (409, "not_in_series")


def test_rep_books_and_changes_no_series(rep_api, rep, contact):
    mine = AppointmentFactory(contact=contact, assigned_rep=rep)
    assert rep_api.post(URL, body(contact)).status_code == 403
    assert rep_api.post(f"{APPOINTMENTS}/{mine.pk}/change-series", {"notes": "x"}).status_code == 403


# By zone, the days on which its clocks change in 2026. Lord Howe's change by half an hour, those of Havana at midnight.
CHANGES = {
    "America/Denver": (date(2026, 3, 8), date(2026, 11, 1)),
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25)),
    "Australia/Lord_Howe": (date(2026, 10, 4), date(2026, 4, 5)),
    "America/Havana": (date(2026, 3, 8), date(2026, 11, 1)),
}
EACH = pytest.mark.parametrize(("zone", "day"), [(zone, day) for zone, days in CHANGES.items() for day in days])


@EACH
def test_daily_series_keeps_its_local_time_when_the_clocks_change(zone, day):
    zone = ZoneInfo(zone)
    first = datetime(day.year, day.month, day.day, 9, tzinfo=zone) - timedelta(days=2)
    found = starts_of(rule="FREQ=DAILY;COUNT=5", start=first.astimezone(UTC), length=HOUR, zone=zone)
    local = [each.astimezone(zone) for each in found]
    assert {f"{each:%H:%M}" for each in local} == {"09:00"}
    assert [each.date() for each in local] == [day + timedelta(days=n) for n in range(-2, 3)]
    assert len({each.utcoffset() for each in local}) == 2


@pytest.mark.parametrize(
    ("zone", "day", "time", "on_that_day"),
    [
        ("America/Denver", date(2026, 3, 8), 2, "03:00"),
        ("Europe/Berlin", date(2026, 3, 29), 2, "03:00"),
        ("Australia/Lord_Howe", date(2026, 10, 4), 2, "02:30"),
        ("America/Havana", date(2026, 3, 8), 0, "01:00"),
    ],
)
def test_time_that_the_clock_skips_is_later_on_that_day_alone(zone, day, time, on_that_day):
    zone = ZoneInfo(zone)
    first = datetime(day.year, day.month, day.day, time, tzinfo=zone) - timedelta(days=1)
    found = starts_of(rule="FREQ=DAILY;COUNT=3", start=first.astimezone(UTC), length=HOUR, zone=zone)
    usual = f"{time:02d}:00"
    assert [f"{each.astimezone(zone):%H:%M}" for each in found] == [usual, on_that_day, usual]


def test_rule_without_an_end_is_refused():
    with pytest.raises(InvalidRule, match="needs an end"):
        starts_of(rule="FREQ=DAILY", start=START, length=HOUR, zone=ZoneInfo("America/Denver"))
