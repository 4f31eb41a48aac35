"""Filters, views and actions of the admin's lists, clicked."""

import pytest

from tests import factories
from tests.browser.conftest import faults_of

pytestmark = [pytest.mark.slow, pytest.mark.database, pytest.mark.django_db(transaction=True)]


def test_company_is_found_by_its_name_and_the_filters_are_saved_as_a_view(open_page, transactional_db):
    companies = [factories.CompanyFactory(name=f"Company {n:02}") for n in range(12)]
    factories.LeadFactory(contact__company=companies[7])
    factories.LeadFactory(contact__company=companies[8])
    page = open_page("/admin/crm/lead/")
    page.fill("[aria-label='Find company']", "07")
    page.click(".filter-suggest a >> text=Company 07")
    page.wait_for_url("**/?company__id__exact=*")
    assert page.locator("#result_list tbody tr").count() == 1
    page.click("text=Today >> nth=-1")
    page.wait_for_url("**created_at=today**")
    page.click("text=Save this view")
    page.fill(".saved-views input[name=name]", "New of seven")
    page.click(".saved-views button")
    page.wait_for_selector(".saved-views [aria-current]")
    page.goto(page.url.split("/admin/")[0] + "/admin/")
    page.click("text=New of seven")
    page.wait_for_url("**/crm/lead/?company__id__exact=*")


def test_all_matching_rows_are_confirmed_before_an_action(open_page, transactional_db):
    contact = factories.ContactFactory()
    factories.MessageFactory.create_batch(55, contact=contact, direction="outgoing", status="held")
    page = open_page("/admin/messaging/message/?held=1")
    page.check("#action-toggle")
    page.click("text=Select all 55 messages")
    page.select_option("select[name=action]", "cancel")
    page.click("button[name=index]")
    page.wait_for_selector(".confirm-action")
    assert "55 messages" in page.text_content(".confirm-action")
    assert faults_of(page) == {}
    page.click(".confirm-buttons button")
    page.wait_for_selector(".messagelist")
    assert "Cancelled: 55" in page.text_content(".messagelist")
