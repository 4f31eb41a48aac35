"""Appointments after a change of the company's time zone by a manager: on both sides of a change of the clock."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from calls.models import Appointment
from tests.factories import AppointmentFactory

URL = "/api/v1/company"
TODAY = datetime(2027, 1, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def today(monkeypatch):
    """The time from which appointments get a new zone: the instants below never become past ones."""
    monkeypatch.setattr("crm.api.company.now", lambda: TODAY)


@pytest.fixture
def appointments(acme):
    """Instants of 2027, when daylight saving time in Denver is from 14 March to 7 November."""

    def book(*starts):
        return [
            AppointmentFactory(
                contact__company=acme, timezone="America/Denver", scheduled_start=start, scheduled_end=start + HOUR
            ).pk
            for start in starts
        ]

    return book


@pytest.mark.parametrize(
    ("zone", "start", "before", "after"),
    [
        # Arizona has no daylight saving time: the same clock as Denver in winter, an hour behind in summer.
        ("America/Phoenix", datetime(2027, 3, 14, 8, 30, tzinfo=UTC), "14 01:30", "14 01:30"),
        ("America/Phoenix", datetime(2027, 3, 14, 9, 30, tzinfo=UTC), "14 03:30", "14 02:30"),
        ("America/Phoenix", datetime(2027, 11, 7, 7, 30, tzinfo=UTC), "07 01:30", "07 00:30"),
        ("America/Phoenix", datetime(2027, 11, 7, 8, 30, tzinfo=UTC), "07 01:30", "07 01:30"),
        ("America/New_York", datetime(2027, 3, 14, 7, 30, tzinfo=UTC), "14 00:30", "14 03:30"),
        ("Pacific/Kiritimati", datetime(2027, 7, 1, 12, 0, tzinfo=UTC), "01 06:00", "02 02:00"),
        ("America/Denver", datetime(2027, 7, 1, 12, 0, tzinfo=UTC), "01 06:00", "01 06:00"),
    ],
)
def test_future_appointment_keeps_its_instant_and_gets_the_clock_of_the_new_zone(
    zone, start, before, after, appointments, manager_api
):
    [pk] = appointments(start)
    url = f"/api/v1/appointments/{pk}"
    for expected in (before, after):
        row = manager_api.get(url).json()
        assert f"{row['date'][-2:]} {row['time'][:5]}" == expected
        assert datetime.fromisoformat(row["scheduled_start"]) == start
        assert manager_api.patch(URL, {"timezone": zone}).status_code == 200
    assert manager_api.get(url).json()["timezone"] == zone


def test_past_appointments_and_those_of_other_companies_stay(appointments, manager_api, globex):
    past, future = appointments(datetime(2026, 3, 2, 16, tzinfo=UTC), datetime(2027, 7, 1, 16, tzinfo=UTC))
    start = datetime(2027, 7, 1, 16, tzinfo=UTC)
    other = AppointmentFactory(
        contact__company=globex, timezone="America/Denver", scheduled_start=start, scheduled_end=start + HOUR
    )
    manager_api.patch(URL, {"timezone": "America/New_York"})
    zones = dict(Appointment._base_manager.values_list("pk", "timezone"))
    assert zones == {past: "America/Denver", future: "America/New_York", other.pk: "America/Denver"}
    row = Appointment._base_manager.get(pk=past)
    assert (row.date, row.time) == (date(2026, 3, 2), time(9))


def test_refused_change_moves_no_appointment(appointments, manager_api):
    [pk] = appointments(datetime(2027, 7, 1, 16, tzinfo=UTC))
    assert manager_api.patch(URL, {"timezone": "America/New_York", "quiet_hours_end": 7}).status_code == 400
    tag = manager_api.get(URL)["ETag"]
    manager_api.patch(URL, {"name": "Acme Roofs"})
    assert manager_api.patch(URL, {"timezone": "UTC"}, headers={"If-Match": tag}).status_code == 412
    assert Appointment._base_manager.get(pk=pk).timezone == "America/Denver"
