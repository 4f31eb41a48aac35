"""The first page of the admin and its search box, clicked."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.utils.timezone import now

from crm.error_codes import ErrorCode
from tests import factories
from tests.browser.conftest import faults_of, faults_of_paths

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def acme(transactional_db):
    """A company with rows that wait, calls of today and a running campaign."""
    acme = factories.CompanyFactory(name="Acme Roofing", slug="acme", timezone="UTC")
    casey = factories.ContactFactory(company=acme, first_name="Casey", last_name="Customer", phone="+12125550100")
    factories.CallFactory(contact=casey, status="missed", created_at=now())
    sold = factories.CallFactory(
        contact=casey, status="purchased", created_at=now(), lead=factories.LeadFactory(contact=casey)
    )
    factories.CallAnalysisFactory(call=sold, objections=["price"], analyzed_at=now())
    factories.AppointmentFactory(contact=casey, scheduled_start=now(), scheduled_end=now() + timedelta(hours=1))
    for status in ("sent", "failed"):
        factories.MessageFactory(
            contact=casey, direction="outgoing", status=status, created_at=now(), activity__created_at=now()
        )
    campaign = factories.CampaignFactory(company=acme, name="Spring", status="running")
    factories.CampaignMembershipFactory(campaign=campaign, contact=casey)
    factories.WebhookEventFactory.create_batch(3, company=acme, status="dead")
    return acme


def test_first_page_can_be_used_by_everybody(open_page, acme):
    page = open_page("/admin/")
    for summary in page.locator("summary").all():
        summary.click()
    assert faults_of(page) == {}


def test_page_of_a_search_can_be_used_by_everybody(open_page, acme):
    paths = [f"/admin/search/?q={term}" for term in ("casey", "nobody", "")]
    assert faults_of_paths(open_page("/admin/"), paths) == {}


def test_number_typed_after_ctrl_k_opens_the_contact(open_page, acme):
    page = open_page("/admin/crm/company/")
    page.keyboard.press("Control+k")
    page.keyboard.type("(212) 555-0100")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/crm/contact/*/change/")
    assert "Casey Customer" in page.text_content("#content")


def test_name_finds_the_contact_and_its_calls(open_page, acme):
    page = open_page("/admin/")
    page.fill("#site-search-box", "custom")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/search/?q=custom")
    assert [each.text_content() for each in page.locator(".found h2").all()] == ["Contacts", "Calls"]
    page.click("text=Casey Customer >> nth=0")
    page.wait_for_url("**/admin/crm/contact/*/change/")


def test_need_leads_to_its_rows(open_page, acme):
    page = open_page("/admin/")
    page.click("text=Failed webhook events")
    page.wait_for_url("**/admin/messaging/webhookevent/?status__exact=dead")
    assert page.locator("#result_list tbody tr").count() == 3


def test_bar_leads_to_its_calls_and_the_numbers_unfold(open_page, acme):
    page = open_page("/admin/")
    figure = page.locator("#calls")
    table = figure.locator("table").first
    assert not table.is_visible()
    figure.locator("summary").click()
    assert table.inner_text().split()[2:] == ["Missed", "1", "Purchased", "1"]
    figure.locator("svg a").first.click()
    page.wait_for_url("**/admin/calls/call/?**status__exact=missed")
    assert page.locator("#result_list tbody tr").count() == 1


def test_another_company_is_chosen(open_page, acme):
    factories.CompanyFactory(name="Globex Concrete", slug="globex")
    page = open_page("/admin/")
    page.select_option("#id_company", "globex")
    page.click(".home-choice button")
    page.wait_for_url("**/admin/?company=globex")
    assert page.text_content("#today-title") == "Today at Globex Concrete"


def test_tables_under_the_hood_unfold(open_page, acme):
    page = open_page("/admin/")
    audit = page.locator("#under-the-hood >> text=Audit entries")
    assert not audit.is_visible()
    page.click("#under-the-hood summary")
    audit.click()
    page.wait_for_url("**/admin/crm/auditentry/")


def fail_with(error):
    def fail(*args, **kwargs):
        raise error

    return fail


@pytest.mark.parametrize(
    ("path", "error", "heading"),
    [
        ("/nowhere", None, "There is no such page"),
        ("/admin/crm/contact/1/merge/", PermissionDenied(), "You may not open this page"),
        ("/admin/", RuntimeError("unexpected"), "Something went wrong on our side"),
        ("/admin/", OperationalError("server closed the connection"), ErrorCode.UNAVAILABLE.detail),
    ],
)
def test_page_of_an_error_can_be_used_by_everybody(path, error, heading, chromium, live_server, open_page, monkeypatch):
    [context] = [open_page("/admin/").context]
    page = context.new_page()  # which doesn't complain of the error's status
    if error:
        monkeypatch.setattr("ops.admin_site.make_home", fail_with(error))
        monkeypatch.setattr("crm.admin.contacts.merge_view", fail_with(error))
    page.goto(path)
    assert page.text_content("h1") == heading
    assert faults_of(page) == {}
