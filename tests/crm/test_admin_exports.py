"""Exports of the admin's lists."""

import csv
import io

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from crm.db.tenancy import all_tenants
from crm.models import AuditEntry, User
from tests import factories

URL = "/admin/crm/contact/export"


@pytest.fixture
def page(client, staff):
    client.force_login(staff)
    return client


def rows_of(response):
    assert response.status_code == 200, response.headers
    return list(csv.reader(io.StringIO(response.getvalue().decode(), newline="")))


def test_list_links_to_its_export_with_its_filters(page, acme):
    html = page.get(f"/admin/crm/contact/?company__id__exact={acme.pk}").content.decode()
    assert f'href="{URL}?company__id__exact={acme.pk}"' in html


def test_export_has_the_rows_and_columns_of_the_list_and_is_audited(page, staff, acme, globex):
    contact = factories.ContactFactory(company=acme, first_name="=1+1", last_name="<b>Kim</b>", city="Denver")
    factories.ContactFactory(company=globex)
    header, row = rows_of(page.get(f"{URL}?company__id__exact={acme.pk}"))
    assert header[1:4] == ["phone", "email", "city"]
    assert row[:2] == ["'=1+1 <b>Kim</b>", contact.phone]
    with all_tenants():
        begun, ended = AuditEntry.objects.filter(action="export").order_by("pk")
    assert (begun.actor, begun.company_id, begun.table_name) == (staff.username, None, "contacts")
    assert begun.changes["filters"] == [None, {"company__id__exact": [str(acme.pk)]}]
    assert (ended.changes["rows"], ended.changes["complete"]) == ([None, 1], [None, True])


def test_long_list_is_sent_page_by_page_in_its_order(page, acme, monkeypatch):
    monkeypatch.setattr("crm.admin.base.exports.PAGE", 2)
    contacts = factories.ContactFactory.create_batch(5, company=acme)
    response = page.get(URL)
    pieces = list(response.streaming_content)
    assert len(pieces) == 4  # the header, and three pages
    rows = list(csv.reader(io.StringIO(b"".join(pieces).decode(), newline="")))
    shown = page.get("/admin/crm/contact/").context["cl"].result_list
    assert [row[1] for row in rows[1:]] == [contact.phone for contact in shown]
    assert len(rows) == 1 + len(contacts)


def test_export_that_the_browser_ends_is_audited_with_the_rows_that_it_got(page, acme, monkeypatch):
    monkeypatch.setattr("crm.admin.base.exports.PAGE", 1)
    factories.ContactFactory.create_batch(3, company=acme)
    pieces = page.get(URL)._iterator
    for _ in range(3):  # the header and two pages, of which the second is not known to have arrived
        next(pieces)
    pieces.close()
    with all_tenants():
        ended = AuditEntry.objects.filter(action="export").latest("pk")
    assert (ended.changes["rows"], ended.changes["complete"]) == ([None, 1], [None, False])


def test_export_finds_what_the_search_finds(page, acme):
    factories.ContactFactory(company=acme, last_name="Zimmermann")
    factories.ContactFactory(company=acme)
    assert len(rows_of(page.get(f"{URL}?q=Zimmermann"))) == 2


def test_too_many_rows_are_refused_with_a_message(page, acme, monkeypatch):
    monkeypatch.setattr("crm.admin.base.exports.MAX_ROWS", 1)
    factories.ContactFactory.create_batch(2, company=acme)
    response = page.get(URL, follow=True)
    assert "more than 1 rows" in str(next(iter(response.context["messages"])))


@pytest.mark.parametrize("query", ["company__id__exact=x", "id__range=1", f"company={'9' * 23}", "created_at__year=0"])
def test_odd_filter_is_answered_without_failing(query, page):
    assert page.get(f"{URL}?{query}").status_code in (200, 302, 400)


def test_staff_who_may_not_view_a_list_may_not_export_it(client, db):
    helper = factories.UserFactory(company=None, role="", is_staff=True)
    helper.groups.add(Group.objects.get(name="Set-up"))
    client.force_login(User.accounts.get(pk=helper.pk))
    assert client.get(URL).status_code == 403
    assert client.get(reverse("admin:crm_company_export")).status_code == 200
