"""The admin's page of a company's week of appointments."""

import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from tests.count_queries import CountQueries
from tests.factories import AppointmentFactory, ContactFactory, UserFactory

pytestmark = pytest.mark.usefixtures("staff_client")

WEEK = reverse("admin:calls_appointment_week")


@pytest.fixture
def rep_of_acme(acme):
    return UserFactory(company=acme, role="rep", first_name="Ralph", last_name="Reed")


def book(company, hour, *, day=2, **fields):
    """Book an hour of March 2026, in UTC."""
    contact = ContactFactory(company=company)
    start, end = datetime(2026, 3, day, hour, tzinfo=UTC), datetime(2026, 3, day, hour, 59, tzinfo=UTC)
    return AppointmentFactory(contact=contact, scheduled_start=start, scheduled_end=end, **fields)


def show(client, company, day="2026-03-04"):
    return client.get(WEEK, {"company": company.pk, "day": day}).content.decode()


def test_week_has_a_row_for_each_rep_in_the_days_of_the_company(client, acme, globex, rep_of_acme):
    late = book(acme, 5, day=3, assigned_rep=rep_of_acme)  # 22:00 on Monday in Denver
    book(acme, 16)
    for elsewhere in (book(acme, 16, day=9), book(globex, 16), book(acme, 17, status="cancelled")):
        assert reverse("admin:calls_appointment_change", args=[elsewhere.pk]) not in show(client, acme)
    html = show(client, acme)
    assert re.findall(r'<th scope="row">([^<]+)</th>', html) == ["Ralph Reed", "No rep"]
    cells = html.partition("Ralph Reed</th>")[2].partition("</tr>")[0].split("<td")[1:]
    assert "22:00–22:59" in cells[0]
    assert "Mon 2026-03-02" in cells[0]
    assert str(late.contact) in cells[0]
    assert all("slot" not in cell for cell in cells[1:])
    assert "America/Denver" in html


def test_overlapping_appointments_of_a_rep_are_marked(client, acme, rep_of_acme):
    for hour in (16, 18):
        book(acme, hour, assigned_rep=rep_of_acme)
    assert "Overlaps" not in show(client, acme)
    book(acme, 16, assigned_rep=rep_of_acme, allow_overlap=True)
    book(acme, 16)
    book(acme, 16)
    html = show(client, acme)
    assert html.count('class="slot conflict"') == 2
    assert "2 appointments overlap" in html


def test_appointment_of_another_zone_says_so(client, acme):
    book(acme, 16, timezone="America/New_York")
    assert "11:00–11:59 EST" in show(client, acme)


@pytest.mark.parametrize("day", ["", "x", "0001-01-01", "9999-12-31", "1970-01-01", "2100-12-31", "2026-02-30"])
def test_odd_days_show_a_week(client, acme, day):
    assert client.get(WEEK, {"company": acme.pk, "day": day}).status_code == 200


def test_odd_companies_and_none_are_answered(client, db):
    assert "There is no company yet" in client.get(WEEK).content.decode()
    for company in ("x", "9" * 30, "0"):
        assert client.get(WEEK, {"company": company}).status_code == 200


def test_week_is_for_staff_who_may_see_appointments(client, acme):
    for group, status in (("Set-up", 403), ("Read-only", 200), ("Support", 200)):
        user = UserFactory(company=None, role="", is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        client.force_login(user)
        assert client.get(WEEK, {"company": acme.pk}).status_code == status


def test_week_takes_a_constant_number_of_queries(client, acme):
    def count():
        with CountQueries() as asked:
            show(client, acme)
        return len(asked)

    book(acme, 16, assigned_rep=UserFactory(company=acme, role="rep"))
    count()
    before = count()
    for hour in range(10, 20):
        book(acme, hour, assigned_rep=UserFactory(company=acme, role="rep"))
    assert count() == before <= 10
