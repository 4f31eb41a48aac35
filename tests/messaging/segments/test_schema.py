"""Definitions of segments that aren't valid."""

import json

import pytest
from jsonschema import Draft202012Validator

from crm.db.tenancy import tenant
from messaging.services.segments.schema import MAX_CONDITIONS, SCHEMA, InvalidDefinition, check_definition
from tests import factories

CALL = {"call": {}}
FAULTS = [
    ("Denver", [("", "wrong_type", "Must be an object.")]),
    ({}, [("", "invalid", "Must have exactly one of: all, any, not, field, added, tag, custom_field, lead, flag, "
           "message, call, appointment, invoice, campaign, list, contacts.")]),
    ({"all": [CALL, {"call": {"status": ["answered"]}}]},
     [("all.1.call.status.0", "invalid_choice", "Must be one of: in_progress, missed, unbooked, awaiting_quote, "
       "still_deciding, purchased, lost, cancelled.")]),
    ({"not": {"call": {"within_days": 0}}}, [("not.call.within_days", "min_value", "Must be at least 1.")]),
    ({"call": {"within_days": 4000}}, [("call.within_days", "max_value", "Must be at most 3,650.")]),
    ({"call": {"within_days": "30"}}, [("call.within_days", "wrong_type", "Must be a whole number.")]),
    ({"call": {"within_days": True}}, [("call.within_days", "wrong_type", "Must be a whole number.")]),
    ({"call": {"days": 3}}, [("call", "unknown_field", "Unknown: days. Known: status, direction, within_days.")]),
    ({"flag": {}}, [("flag.type", "required", "This field is required.")]),
    ({"flag": {"type": []}}, [("flag.type", "min_length", "Must not be empty.")]),
    ({"flag": {"type": ["opted_out", "opted_out"]}}, [("flag.type", "invalid", "Must not repeat a value.")]),
    ({"field": {"name": "city"}}, [("field", "invalid", "Must have exactly one of: is, begins_with, is_empty.")]),
    ({"field": {"name": "city", "is": ["a"], "is_empty": False}},
     [("field", "invalid", "Must have exactly one of: is, begins_with, is_empty.")]),
    ({"field": {"name": "city", "begins_with": "a" * 101}},
     [("field.begins_with", "max_length", "Must have at most 100 characters.")]),
    ({"field": {"name": "city", "begins_with": "a\0"}},
     [("field.begins_with", "invalid", "Has a character that can't be stored.")]),
    ({"field": {"name": "city", "begins_with": "a\ud800"}},
     [("field.begins_with", "invalid", "Has a character that can't be stored.")]),
    ({"added": {"since": "2026-02-30"}},
     [("added.since", "invalid", "Must be a day from 1970 to 2099, YYYY-MM-DD.")]),
    ({"added": {"since": "0001-01-01"}},
     [("added.since", "invalid", "Must be a day from 1970 to 2099, YYYY-MM-DD.")]),
    ({"appointment": {"within_days": 1, "next_days": 1}},
     [("appointment", "invalid", "within_days and next_days can't be used together.")]),
    ({"any": []}, [("any", "min_length", "Must not be empty.")]),
    ({"all": [CALL] * 21}, [("all", "max_length", "Must have at most 20 items.")]),
    ({"all": [{"all": [CALL] * 20}] * 3}, [("", "invalid", f"At most {MAX_CONDITIONS} conditions are allowed.")]),
    ({"contacts": {"ids": [*range(1, 1002)]}}, [("contacts.ids", "max_length", "Must have at most 1,000 items.")]),
    ({"campaign": {"id": 999_999}},
     [("campaign.id", "does_not_exist", "There is no campaign with the ID 999999.")]),
    ({"any": [{"tag": {"ids": [999_999]}}]},
     [("any.0.tag.ids.0", "does_not_exist", "There is no tag with the ID 999999.")]),
    ({"list": {"id": 999_999}},
     [("list.id", "does_not_exist", "There is no list of contacts with the ID 999999.")]),
    ({"not": {"custom_field": {"key": "colour", "is": ["red"]}}},
     [("not.custom_field.key", "does_not_exist", "There is no custom field with the key colour.")]),
    ({"custom_field": {"key": "roof_age", "at_least": "12"}},
     [("custom_field.at_least", "wrong_type", "Must be a number.")]),
]  # fmt: skip


@pytest.mark.parametrize(("definition", "faults"), FAULTS, ids=[each[1][0][2][:40] for each in FAULTS])
def test_fault_names_its_place(definition, faults, in_acme):
    with pytest.raises(InvalidDefinition) as caught:
        check_definition(definition)
    assert [(fault.place, fault.code, fault.sentence) for fault in caught.value.faults] == faults


@pytest.mark.parametrize("levels", [7, 100_000])
def test_groups_are_nested_a_few_levels_only(levels, in_acme):
    definition = CALL
    for _ in range(levels):
        definition = {"all": [definition]}
    with pytest.raises(InvalidDefinition, match="At most 6 groups can be nested"):
        check_definition(definition)


def test_comparison_must_fit_the_type_of_the_field(in_acme):
    factories.ContactFieldFactory(company=in_acme, key="roof_age", label="Roof age")
    factories.ContactFieldFactory(company=in_acme, key="roof", label="Roof", field_type="choice", options=["Flat"])
    faults = {
        "roof_age": ({"begins_with": "1"}, "begins_with",
                     "Roof age can be compared with: equals, at_least, at_most, is_empty."),
        "roof": ({"is": ["flat", "Tile"]}, "is.1", "Must be one of: Flat."),
    }  # fmt: skip
    for key, (comparison, part, sentence) in faults.items():
        with pytest.raises(InvalidDefinition) as caught:
            check_definition({"custom_field": {"key": key, **comparison}})
        assert [(fault.place, fault.sentence) for fault in caught.value.faults] == [(f"custom_field.{part}", sentence)]


def test_thousands_of_empty_groups_are_refused_before_they_are_read(in_acme, monkeypatch):
    definition = {"all": []}
    for _ in range(3):
        definition = {"all": [definition] * 20}
    monkeypatch.setattr("messaging.services.segments.schema._validator", None)
    with pytest.raises(InvalidDefinition, match="At most 50 conditions are allowed"):
        check_definition(definition)


def test_fifty_conditions_may_each_have_a_not_and_a_group(in_acme):
    groups = [{"any": [{"not": CALL}] * size} for size in (20, 12, *[1] * 18)]
    check_definition({"all": groups})


def test_contacts_and_campaigns_of_another_company_are_missing(acme, globex):
    contact, campaign = factories.ContactFactory(company=globex), factories.CampaignFactory(company=globex)
    definition = {"any": [{"contacts": {"ids": [contact.pk]}}, {"campaign": {"id": campaign.pk}}]}
    with tenant(acme.pk), pytest.raises(InvalidDefinition) as caught:
        check_definition(definition)
    assert [fault.place for fault in caught.value.faults] == ["any.1.campaign.id", "any.0.contacts.ids.0"]
    with tenant(globex.pk):
        check_definition(definition)


def test_schema_is_a_valid_json_schema_with_titles():
    Draft202012Validator.check_schema(json.loads(json.dumps(SCHEMA)))
    kinds = SCHEMA["$defs"]["condition"]["properties"]
    assert all(kind["title"] and kind["description"] for kind in kinds.values())
