"""Plans of segments: under row-level security each condition is answered through an index of the company's rows."""

import pytest
from django.db import connection  # noqa: F401  # the skip asks for it

from crm.models import Campaign, ContactList, Tag
from messaging.services.campaigns.audience import add_audience
from messaging.services.segments.compile import contacts_in
from messaging.services.segments.nodes import NODES
from messaging.services.segments.preview import preview_of
from tests.plans.conftest import buffers_read, tables_scanned

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="plans of PostgreSQL only"),
]

TABLES = {
    "activities", "appointments", "calls", "campaign_memberships", "contact_field_values", "contact_flags",
    "contact_list_entries", "contact_phones", "contact_tags", "contacts", "invoices", "leads", "marketing_consents",
    "message_threads",
}  # fmt: skip
DEFINITIONS = [
    {"field": {"name": "city", "is": ["Denver"]}},
    {"field": {"name": "postal_code", "begins_with": "80"}},
    {"added": {"within_days": 365}},
    {"lead": {"status": ["new", "lost"]}},
    {"flag": {"type": ["opted_out"]}},
    {"message": {"direction": "incoming", "within_days": 365}},
    {"call": {"status": ["missed"], "within_days": 365}},
    {"call": {"status": ["missed"]}},
    {"appointment": {"within_days": 365}},
    {"appointment": {"next_days": 30}},
    {"invoice": {"overdue_days": 30}},
    {"campaign": {"id": 1}},
    {"campaign": {"id": 1, "status": ["replied"]}},
    {"contacts": {"ids": [1, 2, 3]}},
    {"tag": {"ids": [1]}},
    {"list": {"id": 1}},
    {"custom_field": {"key": "alarm_code", "is": ["#1031"]}},
    {"custom_field": {"key": "roof_type", "is": ["metal", "tile"]}},
    {"custom_field": {"key": "alarm_code", "begins_with": "#10"}},
    {"custom_field": {"key": "roof_age", "equals": 12}},
    {"custom_field": {"key": "roof_age", "at_least": 30}},
    {"custom_field": {"key": "roof_age", "at_most": 3}},
    {"custom_field": {"key": "warranty_until", "since": "2034-01-01"}},
    {"custom_field": {"key": "warranty_until", "before": "2028-01-01"}},
    {"custom_field": {"key": "warranty_until", "within_days": 30}},
    {"custom_field": {"key": "warranty_until", "next_days": 3000}},
    {"custom_field": {"key": "financed", "is_yes": True}},
    {"custom_field": {"key": "roof_age", "is_empty": False}},
]


def name_of(definition):
    [(name, value)] = definition.items()
    return f"{name}-{'-'.join(value)}"


def with_campaign(definition, sample):
    if "campaign" in definition:
        return {"campaign": definition["campaign"] | {"id": sample.campaign.pk}}
    if "contacts" in definition:
        return {"contacts": {"ids": [sample.contact.pk]}}
    if "tag" in definition:
        return {"tag": {"ids": [Tag.objects.get(name="VIP").pk]}}
    if "list" in definition:
        return {"list": {"id": ContactList.objects.get(name="Home show").pk}}
    return definition


def test_every_kind_of_condition_is_planned_here():
    assert {name for definition in DEFINITIONS for name in definition} == set(NODES)


@pytest.mark.parametrize("definition", DEFINITIONS, ids=name_of)
@pytest.mark.parametrize("negated", [False, True], ids=["", "not"])
def test_condition_never_scans_a_table(definition, negated, sample):
    wanted = with_campaign(definition, sample)
    wanted = {"not": wanted} if negated else wanted
    contacts = contacts_in(wanted, company_id=sample.company.pk)
    assert not tables_scanned(lambda: list(contacts.values_list("pk"))) & TABLES


def test_conditions_joined_by_or_never_scan_a_table(sample):
    parts = [with_campaign(definition, sample) for definition in DEFINITIONS]
    contacts = contacts_in({"any": parts}, company_id=sample.company.pk)
    assert not tables_scanned(lambda: list(contacts.values_list("pk"))) & TABLES


def test_few_contacts_cost_few_pages(sample):
    """A condition on one contact's history is asked for that contact alone."""
    some = {"contacts": {"ids": [sample.contact.pk]}}
    parts = [with_campaign(definition, sample) for definition in DEFINITIONS]
    contacts = contacts_in({"all": [some, {"any": parts}]}, company_id=sample.company.pk)
    assert buffers_read(lambda: list(contacts.values_list("pk"))) < 200


@pytest.mark.parametrize("definition", [{"all": []}, {"not": {"call": {"within_days": 365}}}], ids=["all", "call"])
def test_preview_never_scans_a_table(definition, sample):
    assert not tables_scanned(lambda: preview_of(definition, company=sample.company)) & TABLES


def test_audience_never_scans_a_table(sample):
    campaign = Campaign.objects.create(company=sample.company, name="Autumn", body="Is your roof dry?")
    assert not tables_scanned(lambda: add_audience(campaign=campaign, definition={"all": []}, dry_run=True)) & TABLES
