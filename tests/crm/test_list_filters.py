"""Filters of the admin's lists by days and by other rows."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from crm.admin.base.range_filters import PRESETS, days_of
from crm.date_ranges import start_of, today_in
from crm.models import Company
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def found(client, staff):
    """A function that returns the rows of a list."""
    client.force_login(staff)

    def open_list(table, query):
        response = client.get(f"/admin/{table}/", query)
        assert response.status_code == 200
        return list(response.context["cl"].result_list)

    return open_list


def test_presets_are_days_of_the_calendar():
    today = datetime(2026, 3, 2, tzinfo=UTC).date()
    found = {name: [str(day) if day else "" for day in days_of(name, today)] for name in PRESETS}
    assert found == {
        "today": ["2026-03-02", "2026-03-02"],
        "yesterday": ["2026-03-01", "2026-03-01"],
        "tomorrow": ["2026-03-03", "2026-03-03"],
        "last-7-days": ["2026-02-24", "2026-03-02"],
        "next-7-days": ["2026-03-02", "2026-03-08"],
        "this-month": ["2026-03-01", "2026-03-31"],
        "coming": ["2026-03-02", ""],
    }


def test_preset_has_the_days_of_the_chosen_companys_zone(acme, found):
    """Midnight in Denver is not midnight in UTC."""
    midnight = start_of(today_in(acme.zone), acme.zone)
    contact = factories.ContactFactory(company=acme)
    calls = {
        name: factories.CallFactory(contact=contact, created_at=midnight + timedelta(minutes=minutes))
        for name, minutes in (("yesterday", -1), ("today", 1))
    }
    for name, call in calls.items():
        assert found("calls/call", {"created_at": name, "company__id__exact": acme.pk}) == [call]


def test_days_from_and_to_are_included(acme, found):
    contact = factories.ContactFactory(company=acme)
    days = [datetime(2026, 3, day, 12, tzinfo=UTC) for day in (1, 2, 3, 4)]
    calls = [factories.CallFactory(contact=contact, created_at=day) for day in days]
    query = {"created_at__from": "2026-03-02", "created_at__to": "2026-03-03"}
    assert found("calls/call", query) == [calls[2], calls[1]]
    assert found("calls/call", {"created_at__from": "2026-03-03"}) == [calls[3], calls[2]]
    assert found("calls/call", {"created_at__to": "2026-03-01"}) == [calls[0]]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"created_at__from": "2026-3-2"}, "Must be a day such as 2026-03-02."),
        ({"created_at__from": "2026-03-02", "created_at__to": "2026-03-01"}, "The first day must be before the last"),
    ],
)
def test_wrong_days_are_answered_beside_the_fields(query, error, acme, client, staff):
    factories.CallFactory(contact__company=acme)
    client.force_login(staff)
    page = client.get("/admin/calls/call/", query)
    assert error in page.content.decode()
    assert not page.context["cl"].result_list


def test_days_of_a_big_table_are_asked_for_with_a_company_where_no_index_has_them_for_all(acme, client, staff, found):
    contact = factories.ContactFactory(company=acme)
    client.force_login(staff)
    page = client.get("/admin/crm/contact/").content.decode()
    assert "Choose a company to filter by days." in page
    assert "created_at=today" not in page
    assert found("crm/contact", {"created_at": "today"}) == []
    assert found("crm/contact", {"created_at": "today", "company__id__exact": acme.pk}) == [contact]


def test_appointments_to_come_are_listed_the_soonest_first(acme, found):
    contact = factories.ContactFactory(company=acme)
    today = start_of(today_in(acme.zone), acme.zone) + timedelta(hours=12)
    late, past, soon = (
        factories.AppointmentFactory(contact=contact, scheduled_start=start, scheduled_end=start + timedelta(hours=1))
        for start in (today + timedelta(days=3), today - timedelta(days=3), today + timedelta(days=2))
    )
    assert found("calls/appointment", {}) == [soon, late]
    assert found("calls/appointment", {"scheduled_start": "any"}) == [late, soon, past]
    assert found("calls/appointment", {"contact__id__exact": contact.pk}) == [late, soon, past]
    assert found("calls/appointment", {"scheduled_start": "last-7-days"}) == [past]


def test_list_is_sorted_by_a_column_only_where_an_index_has_its_order(acme, client, staff):
    factories.CallFactory(contact__company=acme)
    client.force_login(staff)

    def sorted_columns(query=""):
        page = client.get(f"/admin/calls/call/{query}")
        return [getattr(column, "__name__", column) for column in page.context["cl"].sortable_by]

    assert sorted_columns() == ["created_at"]
    assert sorted_columns("?created_at=today") == ["created_at"]
    for order, first in ((2, "-created_at"), (0, "created_at")):  # not by the number
        assert client.get("/admin/calls/call/", {"o": order}).context["cl"].queryset.query.order_by[0] == first


def test_few_companies_are_links_and_many_are_found_by_a_box(client, staff):
    factories.CompanyFactory.create_batch(3)
    client.force_login(staff)
    assert client.get("/admin/calls/call/").content.decode().count("?company__id__exact=") == 3
    factories.CompanyFactory.create_batch(9)
    chosen = Company.objects.earliest("pk")
    page = client.get("/admin/calls/call/", {"company__id__exact": chosen.pk}).content.decode()
    assert f'company__id__exact={chosen.pk}" aria-current="true">{chosen}</a>' in page
    assert 'data-link="?company__id__exact="' in page
    assert Company.objects.latest("pk").name not in page


def test_suggested_contacts_are_of_the_chosen_company(acme, globex, client, staff):
    ours = factories.ContactFactory(company=acme, first_name="Casey")
    theirs = factories.ContactFactory(company=globex, first_name="Casey")
    client.force_login(staff)

    def suggested(**query):
        names = {"app_label": "calls", "model_name": "call", "field_name": "contact", "term": "casey"}
        return {int(each["id"]) for each in client.get(reverse("admin:autocomplete"), names | query).json()["results"]}

    assert suggested() == {ours.pk, theirs.pk}
    assert suggested(company__id__exact=acme.pk) == {ours.pk}
