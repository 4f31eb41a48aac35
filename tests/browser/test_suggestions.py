"""Boxes of forms that suggest rows as somebody types, in the browser."""

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.browser.conftest import faults_of

pytestmark = [pytest.mark.slow, pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def caseys(transactional_db):
    """Contacts of one name in two companies, by the name of the company."""
    return {
        name: factories.ContactFactory(company=factories.CompanyFactory(name=name), first_name="Casey", last_name=name)
        for name in ("Acme", "Globex")
    }


def choose(page, field, term, suggestions):
    """Type into the box of a field, and choose the first of its suggestions, which must be these."""
    page.click(f".form-row:has(#id_{field}) .select2-selection")
    page.keyboard.type(term)
    expect(page.locator(".select2-results__option")).to_have_text(suggestions)
    page.keyboard.press("Enter")


def test_new_lead_is_of_a_contact_of_the_company_that_is_chosen_first(open_page, caseys):
    page = open_page("/admin/crm/lead/add/")
    choose(page, "company", "Globex", ["Globex"])
    choose(page, "contact", "Casey", ["Casey Globex · Globex"])


def test_campaign_gets_contacts_of_its_company(open_page, caseys):
    campaign = factories.CampaignFactory(company=caseys["Acme"].company, status="draft", scheduled_at=None)
    page = open_page(f"/admin/crm/campaign/{campaign.pk}/audience")
    choose(page, "contacts", "Casey", ["Casey Acme · Acme"])
    assert faults_of(page) == {}
