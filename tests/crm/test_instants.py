"""Times from outside: the parser, the range, and the constraints that hold it."""

from argparse import ArgumentTypeError
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest
from django.core.management import CommandError, call_command

from analytics.rollups.coverage import days_of
from crm.date_ranges import FIRST_DAY, LAST_DAY, bounds_of
from crm.instants import FIRST_INSTANT, LAST_INSTANT, InvalidInstant, parse_instant
from crm.management.arguments import day
from tests import factories
from tests.database_errors import refused

OUT_OF_RANGE = [
    "0001-01-01T00:00:00Z",  # the zero time of Go and .NET
    "0001-01-01T00:00:00+14:00",
    "1969-12-31T23:59:59Z",
    "2100-12-31T00:00:01Z",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-14:00",
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", FIRST_INSTANT),
        ("1970-01-01T14:00:00+14:00", FIRST_INSTANT),
        ("2100-12-30T12:00:00-12:00", LAST_INSTANT),
        ("2026-03-02T09:00:00.250-07:00", datetime(2026, 3, 2, 16, 0, 0, 250_000, UTC)),
    ],
)
def test_time_within_the_range_is_returned_in_utc(text, expected):
    instant = parse_instant(text)
    assert (instant, instant.utcoffset()) == (expected, timedelta())


@pytest.mark.parametrize("text", OUT_OF_RANGE)
def test_time_out_of_range_is_refused(text):
    with pytest.raises(InvalidInstant, match="must be a time from 1970-01-01 to 2100-12-31"):
        parse_instant(text)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-02-30T00:00:00Z", "2026-03-02T25:00Z", "9" * 5000, "\0"])
def test_text_that_is_not_a_time_is_refused(text):
    with pytest.raises(InvalidInstant, match="must be a time such as"):
        parse_instant(text, default_zone=UTC)


def test_offset_is_required_without_a_default_zone():
    for text in ("2026-03-02T16:00:00", "2026-03-02", "0001-01-01T00:00:00"):
        with pytest.raises(InvalidInstant, match="with its offset from UTC"):
            parse_instant(text)
    assert parse_instant("2026-03-02T16:00:00", default_zone=UTC) == datetime(2026, 3, 2, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Thu, 01 Jan 1953 00:00:00 +0000", "from 1970"),
        ("Fri, 31 Dec 9999 23:59:59 -1200", "from 1970"),
        ("Mon, 02 Mar 2026 16:00:00 +99999999999", "such as"),
        ("yesterday", "such as"),
    ],
)
def test_other_format_has_the_same_range(text, reason):
    with pytest.raises(InvalidInstant, match=reason):
        parse_instant(text, read=parsedate_to_datetime)


@pytest.mark.slow
@pytest.mark.parametrize("zone", sorted(available_timezones()))
def test_every_day_and_hour_of_the_range_exists_in_every_zone(zone):
    zone = ZoneInfo(zone)
    for bound in (FIRST_DAY, LAST_DAY):
        start, end = bounds_of(bound, bound, zone)
        assert timedelta(hours=22) < end - start < timedelta(hours=27)
    for instant in (FIRST_INSTANT, LAST_INSTANT):
        assert instant.astimezone(zone).date() in days_of([instant], zone)


@pytest.mark.django_db
@pytest.mark.parametrize("instant", [FIRST_INSTANT - timedelta(seconds=1), LAST_INSTANT + timedelta(seconds=1)])
@pytest.mark.parametrize(
    ("make", "field", "constraint"),
    [
        (factories.CallFactory, "created_at", "calls_times_in_range"),
        (factories.CallFactory, "answered_at", "calls_times_in_range"),
        (factories.CallFactory, "completed_at", "calls_times_in_range"),
        (factories.ActivityFactory, "created_at", "activities_created_at_in_range"),
        (factories.MessageFactory, "created_at", "message_threads_created_at_in_range"),
        (factories.CallAnalysisFactory, "analyzed_at", "call_analysis_analyzed_at_in_range"),
    ],
)
def test_database_refuses_a_time_out_of_range(make, field, constraint, instant):
    row = make()
    setattr(row, field, instant)
    with refused(constraint):
        row.save()


@pytest.mark.django_db
def test_database_refuses_an_appointment_out_of_range(acme):
    with refused("appointments_times_in_range"):
        factories.AppointmentFactory(
            contact__company=acme, scheduled_start=LAST_INSTANT, scheduled_end=LAST_INSTANT + timedelta(hours=1)
        )


@pytest.mark.parametrize("text", ["0001-01-01", "1969-12-31", "2101-01-01", "9999-12-31"])
def test_day_of_a_command_has_the_range(text):
    with pytest.raises(ArgumentTypeError, match="1970-01-01 to 2100-12-31"):
        day(text)


def test_argument_of_a_command_is_a_day():
    assert day("2026-03-02") == date(2026, 3, 2)
    with pytest.raises(ArgumentTypeError, match="'today'"):
        day("today")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "arguments",
    [
        ["reconcile", "--since", "0001-01-01"],
        ["reconcile", "--since", "2026-03-01", "--until", "9999-12-31"],
        ["reprocess_events", "--company", "acme", "--since", "0001-01-01T00:00:00+14:00"],
        ["seed_demo", "--until", "0001-01-01"],
    ],
)
def test_command_names_the_argument_out_of_range(acme, arguments):
    with pytest.raises(CommandError, match=arguments[-2]):
        call_command(*arguments)
