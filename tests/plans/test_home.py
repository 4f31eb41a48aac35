"""Plans of the first page of the admin, on a day with as many rows as others."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection  # noqa: F401  # for the mark

from analytics.dashboard.calls import count_calls_by_day
from crm.date_ranges import DateRange
from crm.db.tenancy import all_tenants, tenant
from crm.models import User
from ops.home.all_companies import read_totals
from ops.home.companies import list_companies
from ops.home.needs import count_each, kinds_of_needs
from ops.home.today import DAYS, read_today
from tests.plans.conftest import LAST_DAY, buffers_read, indexes_chosen, tables_read, tables_scanned
from tests.plans.test_plans import BIG_TABLES

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="plans of PostgreSQL only"),
]
DAY = LAST_DAY - timedelta(days=2)  # a Friday
NOON = datetime(DAY.year, DAY.month, DAY.day, 19, tzinfo=UTC)  # in Denver
# Each kind's index; those without one are of tables that stay small.
NEEDS = {
    "Conversations wait for a reply": "ix_conversations_last_activity_at_waiting",
    "Missed callers": "ix_missed_callers_last_missed_at_waiting",
    "Opt-outs to review": "ix_opt_outs_company_id_created_at_under_review",
    "Held messages": "ix_message_threads_company_id_held",
    "Texts not delivered": "ix_message_threads_created_at_lost",
    "Attachments not fetched": "ix_attachments_created_at_failed",
    "Failed webhook events": "idx_webhook_event_processed",
    "Mails not sent": "ix_mails_created_at_failed",
    "Paused phone lines": "",
    "New phone lines": "",
    "Workers are running": "",
    "Workers without a sign of life": "",
    "Imports with rejected rows": "ix_imports_created_at_rejected",
    "Duplicate contacts": "ix_duplicates_created_at_open",
}


@pytest.fixture(autouse=True)
def busy_day(monkeypatch):
    monkeypatch.setattr("crm.date_ranges.now", lambda: NOON)


@pytest.fixture
def largest(sample):
    with all_tenants():
        return User.objects.get(username="manager").company


def everything(_model):
    return True


def test_every_kind_of_need_has_its_index_here():
    with all_tenants():
        assert {kind.title for kind in kinds_of_needs()} == set(NEEDS)


@pytest.mark.parametrize("title", [title for title, index in NEEDS.items() if index])
def test_need_is_counted_and_dated_through_its_index(title, sample):
    with all_tenants():
        kind = next(kind for kind in kinds_of_needs() if kind.title == title)

        def count():
            list(count_each([kind]))

        assert NEEDS[title] in indexes_chosen(count)
        assert not tables_scanned(count) & {kind.rows.model._meta.db_table}
        assert buffers_read(count) < 6_000


def test_day_of_a_company_is_read_through_its_indexes(largest):
    def read():
        numbers = read_today(largest, everything)
        assert numbers.metrics["total"] > 5
        assert sum(numbers.texts.values()) > 0
        assert sum(numbers.appointments.values()) > 0

    assert indexes_chosen(read) >= {
        "ix_calls_company_id_created_at", "ix_appointments_company_id_scheduled_start",
        "ix_activities_company_id_created_at",
    }  # fmt: skip
    assert not tables_scanned(read) & {*BIG_TABLES, "call_days", "call_objections"}
    assert buffers_read(read) < 10_000


def test_booking_rate_of_30_days_is_read_from_the_totals_of_days(largest):
    period = DateRange(DAY - timedelta(days=DAYS - 1), DAY, largest.zone)
    with tenant(largest.pk):

        def count():
            count_calls_by_day(period)

        assert "call_days" in tables_read(count)
        assert buffers_read(count) < 3_000


def test_day_of_all_companies_is_read_through_the_indexes_of_all(sample):
    def read():
        totals = read_totals(everything)
        assert sum(totals.calls.values()) > 50
        assert sum(totals.texts.values()) > 10

    with all_tenants():
        assert indexes_chosen(read) >= {
            "ix_calls_created_at", "ix_appointments_scheduled_start", "idx_activity_type_created",
        }  # fmt: skip
        assert not tables_scanned(read) & BIG_TABLES
        assert buffers_read(read) < 40_000


def test_companies_are_described_through_their_indexes(sample):
    with all_tenants():
        read = list_companies
        assert "webhook_events" in tables_read(read)
        assert not tables_scanned(read) & {"webhook_events", "phone_lines"}
        assert buffers_read(read) < 10_000
