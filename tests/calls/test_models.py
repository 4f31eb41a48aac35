"""What the database refuses and derives for calls and visits."""

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
def test_booked_agrees_with_the_status(ann, status):
    CallFactory(contact=ann, status=status)
    with refused("calls_booked_agrees_with_status"):
        Call.objects.update(booked=status not in BOOKED)
    assert Call.objects.get().booked is (status in BOOKED)


@pytest.mark.parametrize(("status", "booked"), [("unbooked", False), ("lost", True), ("cancelled", True)])
def test_setting_the_status_sets_what_follows_from_it(ann, status, booked):
    call = CallFactory(contact=ann, status="purchased" if not booked else "in_progress")
    call.set_status(status)
    call.save()
    call.refresh_from_db()
    assert (call.status, call.booked) == (status, booked)


def test_an_outgoing_call_is_never_missed(ann):
    CallFactory(contact=ann, direction="incoming", status="missed")
    with refused("calls_outgoing_never_missed"):
        Call.objects.update(direction="outgoing")
    Call.objects.update(direction="outgoing", status="unbooked")


def test_nobody_is_quoted_less_than_nothing(ann):
    CallFactory(contact=ann, quoted_price=0)
    with refused("calls_quoted_price_not_negative"):
        Call.objects.update(quoted_price="-1.00")


def test_talk_takes_no_less_than_no_time(ann):
    CallFactory(contact=ann, duration_s=0)
    with refused("duration_s"):
        Call.objects.update(duration_s=-1)


def test_an_activity_is_one_call(ann):
    activity = ActivityFactory(contact=ann, activity_type="call", direction="incoming")
    CallFactory(contact=ann, activity=activity)
    with refused("activity_id"):
        CallFactory(contact=ann, activity=activity)


# --- Visits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [timedelta(0), -HOUR])
def test_a_visit_ends_after_it_starts(ann, length):
    AppointmentFactory(contact=ann)
    with refused("appointments_ends_after_start"):
        Appointment.objects.update(scheduled_end=F("scheduled_start") + length)
    assert Appointment.objects.get().scheduled_end > Appointment.objects.get().scheduled_start


def on_the_wall():
    return Appointment.objects.values_list("date", "time").get()


@pytest.mark.parametrize(
    ("start", "day", "clock"),
    [
        ("2026-03-02T16:00", date(2026, 3, 2), time(9, 0)),  # winter: seven hours behind
        ("2026-03-08T08:59", date(2026, 3, 8), time(1, 59)),
        ("2026-03-08T09:00", date(2026, 3, 8), time(3, 0)),  # the hour from two to three does not exist
        ("2026-03-09T05:30", date(2026, 3, 8), time(23, 30)),  # still that day, in summer time
        ("2026-07-01T15:00:30.250000", date(2026, 7, 1), time(9, 0, 30, 250000)),
        ("2026-11-01T05:59", date(2026, 10, 31), time(23, 59)),
        ("2026-11-01T07:30", date(2026, 11, 1), time(1, 30)),  # the first half past one
        ("2026-11-01T08:30", date(2026, 11, 1), time(1, 30)),  # the second one, an hour later
        ("2026-11-02T06:59", date(2026, 11, 1), time(23, 59)),  # that day has 25 hours
    ],
)
def test_date_and_time_are_the_start_on_the_companys_wall_clock(ann, start, day, clock):
    visit = AppointmentFactory(contact=ann, scheduled_start=datetime.fromisoformat(start).replace(tzinfo=UTC))
    assert (visit.date, visit.time) == (day, clock)
    assert on_the_wall() == (day, clock)


def test_they_follow_a_start_moved_in_the_database_across_the_change_of_clocks(ann):
    AppointmentFactory(contact=ann, scheduled_start=datetime(2026, 3, 7, 16, tzinfo=UTC))
    assert on_the_wall() == (date(2026, 3, 7), time(9, 0))
    Appointment.objects.update(
        scheduled_end=F("scheduled_end") + timedelta(days=1), scheduled_start=F("scheduled_start") + timedelta(days=1)
    )
    assert on_the_wall() == (date(2026, 3, 8), time(10, 0))  # 24 hours later, of which one was skipped


def test_they_follow_a_start_written_in_bulk(ann):
    visit = AppointmentFactory(contact=ann)
    visit.scheduled_start, visit.scheduled_end = visit.scheduled_start + 10 * HOUR, visit.scheduled_end + 10 * HOUR
    Appointment.objects.bulk_update([visit], ["scheduled_start", "scheduled_end"])
    assert on_the_wall() == (date(2026, 3, 2), time(19, 0))


def test_they_follow_the_zone_that_the_visit_keeps(ann):
    AppointmentFactory(contact=ann)
    Appointment.objects.update(timezone="Asia/Tokyo")
    assert on_the_wall() == (date(2026, 3, 3), time(1, 0))


def test_a_company_that_moves_leaves_the_visits_it_had_where_they_were(ann):
    AppointmentFactory(contact=ann)
    ann.company.timezone = "America/New_York"
    ann.company.save()
    assert on_the_wall() == (date(2026, 3, 2), time(9, 0))


def test_nobody_writes_them_past_the_start(ann):
    visit = AppointmentFactory(contact=ann)
    visit.date, visit.time = date(2030, 1, 1), time(0, 0)
    visit.save()
    assert on_the_wall() == (date(2026, 3, 2), time(9, 0))
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE appointments SET date = '2030-01-01'")


def test_a_zone_that_does_not_exist_is_refused_by_the_database(ann):
    AppointmentFactory(contact=ann)
    with pytest.raises(DatabaseError), transaction.atomic():
        Appointment.objects.update(timezone="Mars/Olympus")
    assert on_the_wall() == (date(2026, 3, 2), time(9, 0))


def test_visits_are_found_by_the_day_on_the_wall(ann):
    late = AppointmentFactory(contact=ann, scheduled_start=datetime(2026, 3, 3, 6, tzinfo=UTC))  # eleven at night
    AppointmentFactory(contact=ann, scheduled_start=datetime(2026, 3, 3, 8, tzinfo=UTC))
    assert list(Appointment.objects.filter(date=date(2026, 3, 2))) == [late]
