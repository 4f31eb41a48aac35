"""The admin page of segments: the definition is checked for the row's company, and previewed."""

import json
import re
from html import unescape

import pytest
from django.urls import reverse

from crm.db.tenancy import all_tenants
from crm.models import Segment
from tests import factories

DENVER = {"field": {"name": "city", "is": ["Denver"]}}
PREVIEW, CHOICES = "admin:crm_segment_preview", "admin:crm_segment_choices"


@pytest.fixture
def page(client, staff):
    client.force_login(staff)
    return client


@pytest.fixture
def denver(acme):
    flagged = factories.ContactFactory(company=acme, city="Denver")
    factories.ContactFlagFactory(contact=flagged, flag_type="opted_out")
    return factories.ContactFactory(company=acme, city="Denver", first_name="Ann<b>")


def add(page, company, definition):
    form = {"company": company.pk, "name": "Denver", "definition": definition}
    return page.post(reverse("admin:crm_segment_add"), form)


def errors_of(response):
    return response.context["adminform"].form.errors


def test_segment_is_added_with_its_author(page, acme, staff):
    assert add(page, acme, json.dumps(DENVER)).status_code == 302
    with all_tenants():
        segment = Segment.objects.get()
    assert (segment.definition, segment.created_by) == (DENVER, staff)


@pytest.mark.parametrize(
    ("definition", "error"),
    [
        ("{", "Enter valid JSON."),
        ("[" * 100_000, "Enter valid JSON."),
        ('{"call": {"within_days": ' + "9" * 5000 + "}}", "Enter valid JSON."),
        ('{"call": {"within_days": 0}}', "call.within_days: Must be at least 1."),
        ('{"call": {}, "lead": {}}', "Must have exactly one of: all, any, not"),
    ],
)
def test_definition_that_is_not_valid_is_refused(definition, error, page, acme):
    assert error in errors_of(add(page, acme, definition))["definition"][0]


def test_campaign_of_another_company_is_refused(page, acme, globex):
    definition = json.dumps({"campaign": {"id": factories.CampaignFactory(company=globex).pk}})
    assert "There is no campaign" in errors_of(add(page, acme, definition))["definition"][0]
    assert add(page, globex, definition).status_code == 302


def test_page_shows_the_sentence_and_the_numbers(page, acme, denver):
    segment = factories.SegmentFactory(company=acme, definition=DENVER)
    html = page.get(reverse("admin:crm_segment_change", args=[segment.pk])).content.decode()
    assert "Contacts in Denver." in html
    assert "<strong>1</strong> contact would be in an audience, 1 of them without" in html
    assert '<th scope="row">Opted out</th><td>1</td>' in html
    assert "Ann&lt;b&gt;" in html
    assert f'data-company="{acme.pk}"' in html
    assert 'src="/static/messaging/segments' in html


def test_preview_of_an_unsaved_definition(page, acme, denver):
    answer = page.post(reverse(PREVIEW), {"company": acme.pk, "definition": json.dumps(DENVER)})
    assert "Contacts in Denver." in answer.json()["html"]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"definition": "{}"}, "Choose a company"),
        ({"company": "9" * 30, "definition": "{}"}, "Choose a company"),
        ({"company": "acme", "definition": "{}"}, "Choose a company"),
        ({"company": "ACME", "definition": "{"}, "valid JSON"),
        ({"company": "ACME"}, "Choose a condition."),
        ({"company": "ACME", "definition": "{}"}, "Choose a condition."),
        ({"company": "ACME", "definition": '{"colour": 1}'}, "Unknown: colour."),
    ],
)
def test_preview_says_what_is_missing(body, text, page, acme):
    if body.get("company") == "ACME":
        body = body | {"company": acme.pk}
    assert text in page.post(reverse(PREVIEW), body).json()["html"]


def choices(page, company, **query):
    answer = page.get(reverse(CHOICES), {"company": company.pk} | query)
    return [(each["id"], each["text"]) for each in answer.json()["results"]]


def test_builder_finds_campaigns_and_contacts_of_the_company_by_name(page, acme, globex):
    spring = factories.CampaignFactory(company=acme, name="Spring check")
    factories.CampaignFactory(company=globex, name="Spring check")
    ann = factories.ContactFactory(company=acme, first_name="Ann", last_name="Lee", phone="+13035550142")
    factories.ContactFactory(company=globex, first_name="Ann", last_name="Lee")
    text = f"Spring check · {spring.created_at:%Y-%m-%d} · #{spring.pk}"
    assert choices(page, acme, model="campaign", q="spring") == [(spring.pk, text)]
    assert choices(page, acme, model="campaign", ids=f"{spring.pk},x,{'9' * 30}") == [(spring.pk, text)]
    assert choices(page, acme, model="contact", q="ann lee") == [(ann.pk, f"Ann Lee +13035550142 · #{ann.pk}")]
    assert choices(page, acme, model="contact", q="a") == []
    assert choices(page, acme, model="user", q="stella") == []
    assert page.get(reverse(CHOICES), {"company": "x", "model": "contact", "q": "ann"}).json() == {"results": []}


def test_builder_knows_which_parts_are_rows(page, acme):
    html = page.get(reverse("admin:crm_segment_add")).content.decode()
    references = {"campaign.id": "campaign", "contacts.ids": "contact", "list.id": "contactlist", "tag.ids": "tag"}
    found = json.loads(unescape(re.search('data-references="(.*?)"', html)[1]))
    assert found == references


def test_builder_finds_tags_and_lists_of_the_company_by_name(page, acme, globex):
    for company in (globex, acme):
        tag = factories.TagFactory(company=company, name="VIP")
        contacts = factories.ContactListFactory(company=company, name="Open house")
    assert choices(page, acme, model="tag", q="vip") == [(tag.pk, f"VIP · #{tag.pk}")]
    assert choices(page, acme, model="contactlist", q="house") == [(contacts.pk, f"Open house · #{contacts.pk}")]


def test_preview_needs_the_permission_to_view(client, acme, staff):
    staff.is_superuser = False
    staff.save()
    client.force_login(staff)
    assert client.post(reverse(PREVIEW), {"company": acme.pk, "definition": "{}"}).status_code == 403
    assert client.get(reverse(PREVIEW)).status_code in (403, 405)
    assert client.get(reverse(CHOICES), {"company": acme.pk, "model": "campaign", "q": "a"}).status_code == 403
