"""The day of all companies on the first page."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group

from crm.date_ranges import start_of, today_in
from crm.db.tenancy import all_tenants
from ops.home.all_companies import read_totals
from tests import factories
from tests.count_queries import CountQueries

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def everything(_model):
    return True


@pytest.fixture
def busy(acme):
    """Companies in Denver and Tokyo: calls, appointments and texts of the first and of the last minute of their day."""
    tokyo = factories.CompanyFactory(name="Edo Roofing", slug="edo", timezone="Asia/Tokyo")
    for company, calls in ((acme, 1), (tokyo, 2)):
        start = start_of(today_in(company.zone), company.zone)
        end = start_of(today_in(company.zone) + timedelta(days=1), company.zone)
        contact = factories.ContactFactory(company=company)
        for at in (start - MINUTE, start, end):
            factories.CallFactory.create_batch(calls, contact=contact, status="missed", created_at=at)
            factories.AppointmentFactory(contact=contact, scheduled_start=at, scheduled_end=at + MINUTE)
            factories.MessageFactory(
                contact=contact, direction="outgoing", status="sent", created_at=at, activity__created_at=at,
                activity__activity_type="message",
            )  # fmt: skip
    return acme


def test_each_company_counts_in_its_own_time_zone(busy):
    with all_tenants():
        totals = read_totals(everything)
    assert totals.calls == {"missed": 3}
    assert totals.calls_of == [("edo", "Edo Roofing", 2), ("acme", busy.name, 1)]
    assert totals.appointments == {"scheduled": 2}
    assert totals.texts == {"sent": 2}


def test_page_of_all_companies_links_to_the_day_of_each(busy, client, staff):
    client.force_login(staff)
    html = client.get("/admin/?company=*").content.decode()
    assert "Today at all companies" in html
    assert '<option value="*" selected>All companies</option>' in html
    assert "3 calls today, 3 missed" in html
    assert re.search(r'<a href="/admin/\?company=edo"', html)


@pytest.mark.parametrize("group", [None, "Support", "Set-up", "Read-only"])
def test_day_of_all_companies_takes_twelve_queries_however_many_there_are(group, busy, client, staff):
    user = staff
    if group:
        user = factories.UserFactory(company=None, role="", is_staff=True)
        user.groups.add(Group.objects.get(name=group))
    client.force_login(user)

    def count():
        with CountQueries() as queries:
            assert client.get("/admin/?company=*").status_code == 200
        return len(queries)

    before = count()
    factories.CompanyFactory.create_batch(3)
    assert count() == before <= 12


def test_installation_without_companies_has_no_numbers(db):
    with all_tenants():
        totals = read_totals(everything)
    assert (totals.calls, totals.calls_of, totals.appointments, totals.texts) == ({}, [], {}, {})
