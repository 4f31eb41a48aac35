"""Constraints and generated columns of calls and appointments."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from calls.choices import BOOKED, CallStatus
from calls.models import Appointment, Call
from tests.database_errors import refused
from tests.factories import ActivityFactory, AppointmentFactory, CallFactory, ContactFactory

HOUR = timedelta(hours=1)


@pytest.fixture
def ann(in_acme):
    return ContactFactory(company=in_acme)


# --- Calls ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", CallStatus.values)
def test_booked_must_agree_with_the_status(ann, status):
    CallFactory(contact=ann, status=status)
    with refused("calls_booked_agrees_with_status"):
        Call.objects.update(booked=status not in BOOKED)
    assert Call.objects.get().booked is (status in BOOKED)


@pytest.mark.parametrize(("status", "booked"), [("unbooked", False), ("lost", True), ("cancelled", True)])
def test_set_status_sets_booked(ann, status, booked):
    call = CallFactory(contact=ann, status="purchased" if not booked else "in_progress")
    call.set_status(status)
    call.save()
    call.refresh_from_db()
    assert (call.status, call.booked) == (status, booked)


def test_outgoing_call_cannot_be_missed(ann):
    CallFactory(contact=ann, direction="incoming", status="missed")
    with refused("calls_outgoing_never_missed"):
        Call.objects.update(direction="outgoing")
    Call.objects.update(direction="outgoing", status="unbooked")


def test_negative_quoted_price_is_rejected(ann):
    CallFactory(contact=ann, quoted_price=0)
    with refused("calls_quoted_price_not_negative"):
        Call.objects.update(quoted_price="-1.00")


@pytest.mark.parametrize(
    ("times", "constraint"),
    [
        ({"answered_at": -1}, "calls_times_start_before_answer"),
        ({"completed_at": -1}, "calls_times_start_before_end"),
        ({"answered_at": 5, "completed_at": 4}, "calls_times_start_before_end"),
    ],
)
def test_times_of_a_call_are_in_order(ann, times, constraint):
    call = CallFactory(contact=ann)
    Call.objects.update(answered_at=call.created_at, completed_at=call.created_at)
    with refused(constraint):
        Call.objects.update(**{name: call.created_at + timedelta(seconds=after) for name, after in times.items()})


def test_negative_duration_is_rejected(ann):
    CallFactory(contact=ann, duration_s=0)
    with refused("duration_s"):
        Call.objects.update(duration_s=-1)


def test_activity_belongs_to_one_call(ann):
    activity = ActivityFactory(contact=ann, activity_type="call", direction="incoming")
    CallFactory(contact=ann, activity=activity)
    with refused("activity_id"):
        CallFactory(contact=ann, activity=activity)


# --- Appointments -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [timedelta(0), -HOUR])
def test_appointment_must_end_after_it_starts(ann, length):
    AppointmentFactory(contact=ann)
    with refused("appointments_ends_after_start"):
        Appointment.objects.update(scheduled_end=F("scheduled_start") + length)
    assert Appointment.objects.get().scheduled_end > Appointment.objects.get().scheduled_start


def local_start():
    return Appointment.objects.values_list("date", "time").get()


@pytest.mark.parametrize(
    ("start", "day", "clock"),
    [
        ("2026-03-02T16:00", date(2026, 3, 2), time(9, 0)),  # winter: UTC-7
        ("2026-03-08T08:59", date(2026, 3, 8), time(1, 59)),
        ("2026-03-08T09:00", date(2026, 3, 8), time(3, 0)),  # the hour from 02:00 to 03:00 does not exist
        ("2026-03-09T05:30", date(2026, 3, 8), time(23, 30)),  # still that day, by daylight saving time
        ("2026-07-01T15:00:30.250000", date(2026, 7, 1), time(9, 0, 30, 250000)),
        ("2026-11-01T05:59", date(2026, 10, 31), time(23, 59)),
        ("2026-11-01T07:30", date(2026, 11, 1), time(1, 30)),  # the first 01:30
        ("2026-11-01T08:30", date(2026, 11, 1), time(1, 30)),  # the second 01:30, an hour later
        ("2026-11-02T06:59", date(2026, 11, 1), time(23, 59)),  # that day has 25 hours
    ],
)
def test_date_and_time_are_the_local_start(ann, start, day, clock):
    appointment = AppointmentFactory(contact=ann, scheduled_start=datetime.fromisoformat(start).replace(tzinfo=UTC))
    assert (appointment.date, appointment.time) == (day, clock)
    assert local_start() == (day, clock)


def test_date_and_time_follow_an_update_across_a_clock_change(ann):
    AppointmentFactory(contact=ann, scheduled_start=datetime(2026, 3, 7, 16, tzinfo=UTC))
    assert local_start() == (date(2026, 3, 7), time(9, 0))
    Appointment.objects.update(
        scheduled_end=F("scheduled_end") + timedelta(days=1), scheduled_start=F("scheduled_start") + timedelta(days=1)
    )
    assert local_start() == (date(2026, 3, 8), time(10, 0))  # 24 hours later; the clock skipped one


def test_date_and_time_follow_a_bulk_update(ann):
    appointment = AppointmentFactory(contact=ann)
    appointment.scheduled_start, appointment.scheduled_end = (
        appointment.scheduled_start + 10 * HOUR,
        appointment.scheduled_end + 10 * HOUR,
    )
    Appointment.objects.bulk_update([appointment], ["scheduled_start", "scheduled_end"])
    assert local_start() == (date(2026, 3, 2), time(19, 0))


def test_date_and_time_follow_the_appointments_time_zone(ann):
    AppointmentFactory(contact=ann)
    Appointment.objects.update(timezone="Asia/Tokyo")
    assert local_start() == (date(2026, 3, 3), time(1, 0))


def test_company_time_zone_alone_does_not_move_appointments(ann):
    AppointmentFactory(contact=ann)
    ann.company.timezone = "America/New_York"
    ann.company.save()
    assert local_start() == (date(2026, 3, 2), time(9, 0))


def test_date_and_time_cannot_be_written(ann):
    appointment = AppointmentFactory(contact=ann)
    appointment.date, appointment.time = date(2030, 1, 1), time(0, 0)
    appointment.save()
    assert local_start() == (date(2026, 3, 2), time(9, 0))
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE appointments SET date = '2030-01-01'")


def test_unknown_time_zone_is_rejected_by_the_database(ann):
    AppointmentFactory(contact=ann)
    with pytest.raises(DatabaseError), transaction.atomic():
        Appointment.objects.update(timezone="Mars/Olympus")
    assert local_start() == (date(2026, 3, 2), time(9, 0))


def test_appointments_are_found_by_local_date(ann):
    late = AppointmentFactory(contact=ann, scheduled_start=datetime(2026, 3, 3, 6, tzinfo=UTC))  # 23:00
    AppointmentFactory(contact=ann, scheduled_start=datetime(2026, 3, 3, 8, tzinfo=UTC))
    assert list(Appointment.objects.filter(date=date(2026, 3, 2))) == [late]
