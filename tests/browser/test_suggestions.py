"""Boxes of forms that suggest rows as somebody types, in the browser."""

import pytest

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


def suggested(page, field, term):
    """Return what the box of a field suggests for a term, and choose the first."""
    page.click(f".form-row:has(#id_{field}) .select2-selection")
    page.keyboard.type(term)
    options = page.locator(".select2-results__option--selectable, .select2-results__option[role=option]")
    page.wait_for_selector(f".select2-results__option:has-text('{term}')")
    found = options.all_text_contents()
    page.keyboard.press("Enter")
    return found


def test_new_lead_is_of_a_contact_of_the_company_that_is_chosen_first(open_page, caseys):
    page = open_page("/admin/crm/lead/add/")
    assert suggested(page, "company", "Globex") == ["Globex"]
    assert suggested(page, "contact", "Casey") == ["Casey Globex · Globex"]


def test_campaign_gets_contacts_of_its_company(open_page, caseys):
    campaign = factories.CampaignFactory(company=caseys["Acme"].company, status="draft", scheduled_at=None)
    page = open_page(f"/admin/crm/campaign/{campaign.pk}/audience")
    assert suggested(page, "contacts", "Casey") == ["Casey Acme · Acme"]
    assert faults_of(page) == {}
