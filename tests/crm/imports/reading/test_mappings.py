"""Mappings: by presets, by memory, by likeness, and their checks."""

import json

import pytest

from crm.services.exports.headers import CREATED_AT, FLAGS, HEADERS, ID, OTHER_PHONES, TAGS
from crm.services.imports.reading.headers import fingerprint_of
from crm.services.imports.reading.mapping import CustomField, InvalidMapping, Mapping, validate_mapping
from crm.services.imports.reading.outcomes import Reason
from crm.services.imports.reading.people import people_of
from crm.services.imports.reading.presets import PRESETS
from crm.services.imports.reading.suggestions import choose_mapping, guess_type
from crm.services.imports.reading.targets import LABELS, InvalidTarget, Target

RADAR = [
    "Type", "Address", "City", "ZIP", "Subdivision", "Longitude", "Latitude", "APN", "Yr Built", "Purchase Date",
    "Purchase Mos Since", "Sq Ft", "Beds", "Baths", "Est Value", "Est Equity $", "Owner", "Mail Address", "Mail City",
    "Mail State", "Mail ZIP", "Owner Occ?", "Listed for Sale?", "Listing Status", "Foreclosure?", "Est Equity %",
    "High Equity?", "Primary Name", "Primary Mobile Phone1", "Primary Mobile 1 Status", "Primary Email1",
    "Primary Email 1 Status", "Primary Email1 Hash", "Secondary Name", "Secondary Mobile Phone1",
    "Secondary Mobile 1 Status", "Secondary Email1", "Secondary Email 1 Status", "Secondary Email1 Hash",
]  # fmt: skip
RADAR_ROW = {
    "Type": "SFR", "Address": "1 Main St", "City": "Troy", "ZIP": "12180", "APN": "12-3", "Yr Built": "1954",
    "Purchase Date": "03/01/1990", "Est Value": "$350,000", "Mail State": "NY", "Owner Occ?": "1", "Foreclosure?": "0",
    "Primary Name": "JOHN O'BRIEN", "Primary Mobile Phone1": "(212) 555-0100", "Primary Mobile 1 Status": "Active",
    "Primary Email1": "j@example.com", "Primary Email 1 Status": "Active", "Secondary Name": "MARY VAN DER BERG",
    "Secondary Mobile Phone1": "212-555-0101", "Secondary Mobile 1 Status": "Active",
}  # fmt: skip
KNOWN = {"roof_age": CustomField("Roof age", "number"), "company": CustomField("Company")}


def people(header, row, **choices):
    mapping = validate_mapping(choose_mapping(header, **choices).mapping)
    return people_of([row.get(name, "") for name in header], mapping)


def test_propertyradar_has_39_columns_and_all_but_two_hashes_are_used():
    choice = choose_mapping(RADAR)
    assert (choice.mapping.preset, len(RADAR)) == ("propertyradar", 39)
    assert set(RADAR) - set(choice.mapping.columns) == {"Primary Email1 Hash", "Secondary Email1 Hash"}


@pytest.mark.parametrize("header", [RADAR, RADAR[::-1], [name.upper() for name in RADAR[::-1]]])
def test_propertyradar_is_known_by_its_columns_in_any_order_and_case(header):
    row = {name: RADAR_ROW.get(next(n for n in RADAR if n.upper() == name.upper()), "") for name in header}
    john, mary = people(header, row)
    assert john.columns == {
        "first_name": "John", "last_name": "O'Brien", "email": "j@example.com", "address": "1 Main St", "city": "Troy",
        "postal_code": "12180",
    }  # fmt: skip
    assert (mary.columns["first_name"], mary.columns["last_name"]) == ("Mary", "van der Berg")
    assert john.numbers[0].phone == "+12125550100"
    assert mary.fields == john.fields
    assert john.fields["estimated_value"] == 350_000
    assert (john.fields["owner_occupied"], john.fields["foreclosure"]) == (True, False)


def test_propertyradar_number_that_is_not_active_is_skipped():
    row = RADAR_ROW | {"Primary Mobile 1 Status": "Inactive"}
    (mary,) = people(RADAR, row)
    assert mary.columns["first_name"] == "Mary"


def test_propertyradar_people_with_one_number_become_one():
    (john,) = people(RADAR, RADAR_ROW | {"Secondary Mobile Phone1": "2125550100"})
    assert [note.reason for note in john.notes] == [Reason.SAME_NUMBER]


def test_propertyradar_trust_has_no_first_name():
    (trust,) = people(RADAR, RADAR_ROW | {"Primary Name": "O'BRIEN FAMILY TRUST", "Secondary Mobile Phone1": ""})
    assert "first_name" not in trust.columns
    assert trust.columns["last_name"] == "O'Brien Family Trust"


def test_propertyradar_columns_that_a_user_chose_are_known():
    header = [
        "Primary First Name", "Primary Last Name", "Primary Phone1", "Secondary First Name", "Secondary Phone1",
        "Est Equity", "Owner Occ?", "Est Open Loans $", "Purchase Amt", "FCL Stage",
    ]  # fmt: skip
    row = {
        "Primary First Name": "ANN", "Primary Last Name": "MCDONALD", "Primary Phone1": "2125550100", "Owner Occ?": "Y",
        "Secondary First Name": "BOB", "Secondary Phone1": "2125550101", "Purchase Amt": "99",
    }  # fmt: skip
    ann, bob = people(header, row)
    assert ann.columns == {"first_name": "Ann", "last_name": "McDonald"}
    assert bob.columns == {"first_name": "Bob"}
    assert ann.fields == {"owner_occupied": True, "purchase_amount": 99}


def test_skip_trace_marks_and_landlines_are_kept():
    header = [
        "Owner 1 First Name", "Owner 1 Last Name", "Mailing Address", "Mailing Unit #", "Mailing City", "Mailing State",
        "Mailing Zip", *(f"Phone {n}{mark}" for n in range(1, 6) for mark in ("", " Type", " DNC")),
    ]  # fmt: skip
    row = {"Owner 1 First Name": "ANN", "Phone 1": "2125550100", "Phone 1 Type": "Landline", "Phone 2": "2125550101",
           "Phone 2 Type": "Mobile", "Phone 2 DNC": "Yes", "Mailing City": "Troy"}  # fmt: skip
    assert choose_mapping(header).mapping.preset == "skip_trace"
    (ann,) = people(header, row)
    assert [(number.can_text, number.do_not_contact) for number in ann.numbers] == [(False, False), (True, True)]
    assert ann.flags == {"do_not_contact"}
    assert ann.fields == {"mail_city": "Troy"}


@pytest.mark.parametrize(
    "header",
    [
        ["First name", "Last name", "Address", "Email", "Phone number", "Role"],
        ["Role", "Phone number", "Email", "Address", "Last name", "First name"],
        ["firstName", "lastName", "company", "role", "emails", "phoneNumbers"],
    ],
)
def test_openphone_is_known_by_its_columns(header):
    choice = choose_mapping(header)
    assert choice.mapping.preset == "openphone"
    assert set(choice.mapping.columns) == set(header)
    validate_mapping(choice.mapping)


def test_own_export_is_read_back_with_tags_and_custom_fields():
    header = [*HEADERS.values(), OTHER_PHONES, TAGS, FLAGS, CREATED_AT, ID, "Roof age", "Company"]
    row = {
        "First name": "Ann", "Phone": "+12125550100", "Postal code": "02134", "Time zone": "America/New_York",
        OTHER_PHONES: "+12125550101, +12125550102", TAGS: "VIP, a;b | c", FLAGS: "opted_out, office_number",
        CREATED_AT: "2026-03-01T10:00:00-05:00", ID: "7", "Roof age": "12", "Company": "'=1+1  x",
    }  # fmt: skip
    choice = choose_mapping(header, known_fields=KNOWN)
    assert (choice.mapping.preset, choice.suggestions) == ("own_export", [])
    (ann,) = people(header, row, known_fields=KNOWN)
    assert ann.columns == {"first_name": "Ann", "postal_code": "02134", "timezone": "America/New_York"}
    assert [number.phone for number in ann.numbers] == ["+12125550100", "+12125550101", "+12125550102"]
    assert (ann.tags, ann.flags) == (["VIP", "a;b | c"], {"opted_out", "office_number"})
    assert ann.fields == {"roof_age": 12.0, "company": "=1+1  x"}


@pytest.mark.parametrize(
    ("header", "phones"),
    [
        (["First Name", "Last Name", "Phone", "Company"], {"Phone": "phone"}),
        (
            ["first_name", "last_name", "phone_number_1", "phone_number_2", "email", "location", "company"],
            {"phone_number_1": "phone", "phone_number_2": "phone:2"},
        ),
        (["First_name", "Last_name", "Cell", "Title", "City", "Company"], {"Cell": "phone"}),
        (
            ["Name", "Work phone", "Mobile", "Phone", "Home phone"],
            {"Phone": "phone", "Mobile": "phone:4", "Home phone": "phone:2", "Work phone": "phone:3"},
        ),
    ],
)
def test_lists_of_other_programs_are_plain(header, phones):
    choice = choose_mapping(header, known_fields=KNOWN)
    assert choice.mapping.preset == "plain"
    assert {column: target for column, target in choice.mapping.columns.items() if "phone" in target} == phones
    validate_mapping(choice.mapping)


def test_column_that_nothing_knows_is_offered_as_a_custom_field_of_its_type():
    header = ["Name", "Phone", "Roof type", "Quote", "Signed", "Paid"]
    sample = [
        ["Ann", "2125550100", "Slate", "$1,200", "3/1/2020", "Y"],
        ["Bob", "2125550101", "Tile", "", "3/2/2020", "N"],
    ]
    choice = choose_mapping(header, sample=sample)
    assert set(choice.mapping.columns) == {"Name", "Phone"}
    assert [(each.column, each.target, each.score) for each in choice.suggestions] == [
        ("Roof type", "field:roof_type", 0), ("Quote", "field:quote", 0), ("Signed", "field:signed", 0),
        ("Paid", "field:paid", 0),
    ]  # fmt: skip
    assert [spec.type for spec in choice.new_fields.values()] == ["text", "number", "date", "yes_no"]


def test_columns_like_known_ones_are_suggested_for_a_person_to_confirm():
    choice = choose_mapping(["Frist Name", "Surename", "Mobile Nr.", "E-Mail Adress"])
    assert choice.needs_person
    assert choice.mapping.columns == {
        "Surename": "last_name", "Mobile Nr.": "phone", "E-Mail Adress": "email", "Frist Name": "first_name",
    }  # fmt: skip
    assert all(80 <= each.score < 100 for each in choice.suggestions)


def test_mapping_is_remembered_by_the_set_of_columns_and_comes_before_a_preset():
    header = ["Name", "Phone", "Cell"]
    stored = json.dumps(Mapping(tuple(header), {"Name": "full_name", "Cell": "phone"}).to_json())
    memory = {fingerprint_of(header): json.loads(stored)}
    choice = choose_mapping(["CELL", "phone", " Name"], remembered=memory.get)
    assert choice.origin == "remembered"
    assert [(each.column, each.score) for each in choice.suggestions] == [("phone", 0)]
    assert choice.mapping.columns == {" Name": "full_name", "CELL": "phone"}
    assert choose_mapping(["Name", "Phone"], remembered=memory.get).origin == "preset"


@pytest.mark.parametrize(
    ("header", "unused"),
    [
        (["Name", "First name", "Last name", "Phone"], {"Name"}),
        (["Primary Name", "APN", "Primary Phone1", "Secondary Mobile 1 Status"], {"Secondary Mobile 1 Status"}),
        (["Name", "Phone", "Consent date"], {"Consent date"}),
    ],
)
def test_column_that_another_one_is_missing_for_or_replaces_is_not_used(header, unused):
    mapping = choose_mapping(header).mapping
    assert set(header) - set(mapping.columns) == unused
    validate_mapping(mapping)


def test_preset_may_be_named():
    assert choose_mapping(["First name", "Phone"], preset="openphone").mapping.columns == {"First name": "first_name"}
    with pytest.raises(InvalidMapping, match="propertyradar"):
        choose_mapping(["Phone"], preset="salesforce")


def test_mapping_survives_json():
    mapping = choose_mapping(RADAR).mapping
    again = Mapping.from_json(json.loads(json.dumps(mapping.to_json())))
    assert again.to_json() == mapping.to_json()
    assert (again.header, again.fields, again.targets) == (mapping.header, mapping.fields, mapping.targets)


@pytest.mark.parametrize(
    "value",
    [
        None, [], {}, {"columns": []}, {"columns": {}, "fields": {"a": {}}}, {"columns": "x"},
        {"columns": {}, "fields": {"a": {"label": None}}}, {"columns": {}, "fields": {"a": {"label": 5}}},
        {"columns": {}, "fields": {"a": {"label": "A", "options": [1]}}}, {"columns": {}, "preset": "\0"},
        {"columns": {"A": "phone"}, "tag_separators": "\ud800"},
    ],
)  # fmt: skip
def test_json_of_another_shape_is_refused(value):
    with pytest.raises(InvalidMapping):
        Mapping.from_json(value)


@pytest.mark.parametrize(
    ("columns", "wrong", "error"),
    [
        ({"A": "phone", "Z": "email"}, "Z", "no such column"),
        ({"A": "phone", "B": "phone"}, "B", "A goes to Phone already"),
        ({"A": "phone", "B": "phon"}, "B", "isn't a target"),
        ({"A": "phone", "B": "first_name:2"}, "B", "can't have the number 2"),
        ({"A": "phone", "B": "field:x"}, "B", "no custom field x"),
        ({"A": "phone", "B": "field"}, "B", "name the custom field"),
        ({"A": "phone", "B": "phone_dnc:2"}, "B", "No column goes to Phone 2"),
        ({"A": "phone", "B": "phone@3"}, "B", "up to 2 people"),
        ({"A": "phone", "B": "phone@2"}, "A", "Whose phone is it?"),
        ({"A": "phone", "B": "full_name", "C": "last_name"}, "B", "C goes to Last name already"),
        ({"B": "email"}, "", "A contact needs a number"),
    ],
)
def test_wrong_mapping_is_refused_and_the_column_named(columns, wrong, error):
    with pytest.raises(InvalidMapping) as caught:
        validate_mapping(Mapping(("A", "B", "C"), columns))
    assert error in caught.value.errors[wrong]


def test_known_custom_field_keeps_its_type():
    mapping = Mapping(("A", "B"), {"A": "phone", "B": "field:roof_age"}, {"roof_age": CustomField("Age", "text")})
    assert validate_mapping(mapping, KNOWN).fields == {"roof_age": KNOWN["roof_age"]}


@pytest.mark.parametrize("name", PRESETS)
def test_targets_of_presets_exist(name):
    preset = PRESETS[name]
    for target in preset.targets.values():
        assert str(Target.parse(target)) == target


@pytest.mark.parametrize("text", [*LABELS, "phone:2", "phone@2", "phone_dnc:2@1", "field:roof_age", "field:apn@2"])
def test_target_is_written_as_it_is_read(text):
    assert str(Target.parse(text)) == text
    assert Target.parse(text).label


@pytest.mark.parametrize("text", ["", "Phone", "phone:", "phone:0", "phone:99", "phone:x", "phone@0", "city:2"])
def test_text_that_is_not_a_target_is_refused(text):
    with pytest.raises(InvalidTarget):
        Target.parse(text)


@pytest.mark.parametrize(
    ("cells", "field_type"),
    [
        ([], "text"),
        (["", "n/a"], "text"),
        (["1", "0"], "yes_no"),
        (["1", "2"], "number"),
        (["02134", "12180"], "text"),
        (["2125550100"], "text"),
        (["2020-03-01", "3/1/2020"], "date"),
        (["3/1/2020", "soon"], "text"),
    ],
)
def test_type_of_a_column_is_guessed(cells, field_type):
    assert guess_type(cells) == field_type


@pytest.mark.parametrize(
    ("key", "spec", "error"),
    [
        ("A-B", CustomField("Roof"), "small letters"),
        ("x" * 51, CustomField("Roof"), "small letters"),
        ("roof", CustomField(""), "needs a label"),
        ("roof", CustomField("Roof", "magic"), "must be one of"),
        ("roof", CustomField("Roof", "choice"), "needs from 1 to"),
        ("roof", CustomField("Roof", "choice", ("Slate", "slate")), "none of them twice"),
        ("roof", CustomField("Roof", "choice", ("",)), "from 1 to 100 characters"),
        ("roof", CustomField("Roof", "text", ("Slate",)), "Only a choice"),
    ],
)
def test_custom_field_that_cannot_be_made_is_refused(key, spec, error):
    mapping = Mapping(("A", "B"), {"A": "phone", "B": f"field:{key}"}, {key: spec})
    with pytest.raises(InvalidMapping, match=error):
        validate_mapping(mapping)
    if spec.label:  # the company's own field is as it is
        validate_mapping(mapping, {key: spec})
