"""Boxes of the admin's forms that suggest rows as somebody types."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib import admin
from django.urls import reverse

from tests import factories
from tests.config.test_admin_pages import FACTORIES

pytestmark = pytest.mark.django_db
WITH_BOXES = sorted(
    str(model._meta.model_name)
    for model, model_admin in admin.site._registry.items()
    if set(model_admin.autocomplete_fields) - {"company", "groups"}
)


def companies_asked(html):
    """Return the companies whose rows the page's boxes suggest, and None for rows of all companies."""
    boxes = re.findall(r"<select [^>]*admin-autocomplete[^>]*>", html)
    boxes = [box for box in boxes if 'name="company"' not in box]
    urls = [unescape(re.search(r'data-ajax--url="([^"]*)"', box)[1]) for box in boxes]
    return {parse_qs(urlsplit(url).query).get("company__id__exact", [None])[0] for url in urls}


def test_tables_with_boxes_are_tested_here():
    assert {"appointment", "campaign", "lead", "task"} <= set(WITH_BOXES)


@pytest.mark.parametrize("name", WITH_BOXES)
def test_form_of_a_row_suggests_rows_of_its_company(name, client, staff):
    client.force_login(staff)
    row = FACTORIES[name]()
    page = reverse(f"admin:{row._meta.app_label}_{name}_change", args=[row.pk])
    assert companies_asked(client.get(page).content.decode()) <= {str(row.company_id)}


def test_form_of_a_new_row_suggests_rows_of_the_company_that_its_link_names(client, staff, acme, globex):
    client.force_login(staff)
    contact = factories.ContactFactory(company=globex)
    assert companies_asked(client.get("/admin/crm/lead/add/").content.decode()) == {None}
    assert companies_asked(client.get(f"/admin/crm/lead/add/?company={acme.pk}").content.decode()) == {str(acme.pk)}
    booking = client.get(f"/admin/calls/appointment/add/?contact={contact.pk}")
    assert companies_asked(booking.content.decode()) == {str(globex.pk)}
    refused = client.post("/admin/crm/lead/add/", {"company": acme.pk})
    assert companies_asked(refused.content.decode()) == {str(acme.pk)}


def test_audience_of_a_campaign_is_chosen_from_its_company(client, staff, acme):
    client.force_login(staff)
    campaign = factories.CampaignFactory(company=acme, status="draft", scheduled_at=None)
    page = client.get(reverse("admin:crm_campaign_audience", args=[campaign.pk]))
    assert companies_asked(page.content.decode()) == {str(acme.pk)}
