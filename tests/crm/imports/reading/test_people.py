"""People of rows."""

from datetime import date

import pytest

from crm.services.imports.reading.files import open_table
from crm.services.imports.reading.mapping import CustomField, Mapping, validate_mapping
from crm.services.imports.reading.outcomes import Consent, Person, Reason, RejectedRow
from crm.services.imports.reading.people import people_of

FIELDS = {
    "roof_age": CustomField("Roof age", "number"),
    "built": CustomField("Built", "date"),
    "owner": CustomField("Owner", "yes_no"),
    "roof": CustomField("Roof", "choice", ("Slate", "Tile")),
    "notes": CustomField("Notes"),
}


def outcomes(columns, *, fixes_capitals=False, **cells):
    """Return the outcomes of one row. Columns are named as their targets, with _ for : and __ for @."""
    header = [*columns]
    mapping = Mapping(tuple(header), dict(zip(header, header, strict=True)), FIELDS, fixes_capitals=fixes_capitals)
    return people_of(
        [cells.get(name.replace("@", "__").replace(":", "_"), "") for name in header], validate_mapping(mapping)
    )


def person(*columns, **cells):
    (found,) = outcomes(("phone", *columns), **{"phone": "2125550100", **cells})
    assert isinstance(found, Person), found
    return found


def rejected(*columns, **cells):
    (found,) = outcomes(("phone", *columns), **{"phone": "2125550100", **cells})
    assert isinstance(found, RejectedRow), found
    return found


def test_row_becomes_a_person():
    found = person("first_name", "last_name", "email", "city", "postal_code", first_name=" Ann ", last_name="van  Dyke",
                   email="ann@example.com", city="", postal_code="02134")  # fmt: skip
    assert [number.phone for number in found.numbers] == ["+12125550100"]
    assert found.columns == {
        "first_name": "Ann", "last_name": "van Dyke", "email": "ann@example.com", "postal_code": "02134",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("phone", "reason"),
    [
        ("", Reason.NO_PHONE),
        ("n/a", Reason.NO_PHONE),
        ("1.30356E+10", Reason.SCIENTIFIC),
        ("2,12556E+09", Reason.SCIENTIFIC),
        ("1.3e10", Reason.SCIENTIFIC),
        ("555-0100", Reason.TOO_SHORT),
        ("212555010", Reason.TOO_SHORT),
        ("2125550100123", Reason.TOO_LONG),
        ("212-555-0100 / 212-555-0101", Reason.TOO_LONG),
        ("call the office", Reason.LETTERS),
        ("000-000-0000", Reason.NOT_A_PHONE),
    ],
)
def test_row_is_rejected_for_its_phone(phone, reason):
    found = rejected(phone=phone)
    assert (found.reason, found.field) == (reason, "phone")


@pytest.mark.parametrize(
    "phone", ["2125550100.0", '="2125550100"', "'+12125550100", "(212) 555-0100 ext. 7", "1 212 555 0100"]
)
def test_phone_is_freed_of_what_programs_add(phone):
    assert person(phone=phone).numbers[0].phone == "+12125550100"


def test_extension_is_noted():
    (note,) = person(phone="212-555-0100 x12").notes
    assert (note.reason, note.field) == (Reason.EXTENSION, "phone")


def test_ten_digits_with_a_decimal_zero_are_not_taken_for_a_foreign_number():
    assert person(phone="4155550100.0").numbers[0].phone == "+14155550100"


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("email", "ann@", Reason.EMAIL),
        ("email", "ann@example.com; bob@example.com", Reason.EMAIL),
        ("first_name", "x" * 101, Reason.TEXT_TOO_LONG),
        ("city", "x" * 101, Reason.TEXT_TOO_LONG),
        ("timezone", "Mars/Base", Reason.TIMEZONE),
        ("tag", "x" * 51, Reason.TEXT_TOO_LONG),
        ("field:roof_age", "old", Reason.NUMBER),
        ("field:built", "13/40/2020", Reason.DATE),
        ("field:built", "3/1/26", Reason.DATE),
        ("field:built", "01/01/1492", Reason.DATE),
        ("field:owner", "perhaps", Reason.YES_NO),
        ("field:roof", "Straw", Reason.CHOICE),
        ("field:notes", "x" * 501, Reason.TEXT_TOO_LONG),
        ("consent", "perhaps", Reason.YES_NO),
    ],
)
def test_row_is_rejected_for_a_value_and_the_column_named(column, cell, reason):
    found = rejected(column, **{column.replace(":", "_"): cell})
    assert (found.reason, found.field) == (reason, column)


def test_custom_fields_get_values_of_their_types():
    cells = {
        "field_roof_age": "$1,234.50", "field_built": "03/01/1990", "field_owner": "Y", "field_roof": "SLATE",
        "field_notes": "=1+1",
    }  # fmt: skip
    found = person("field:roof_age", "field:built", "field:owner", "field:roof", "field:notes", **cells)
    assert found.fields == {
        "roof_age": 1234.5, "built": date(1990, 3, 1), "owner": True, "roof": "Slate", "notes": "=1+1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("12", 12.0),
        ("-3", -3.0),
        ("(1,200)", -1200.0),
        ("45%", 45.0),
        ("$ 5", 5.0),
        ("-$5.50", -5.5),
        (".5", 0.5),
        ("0", 0.0),
    ],
)
def test_number_is_read(cell, value):
    assert person("field:roof_age", field_roof_age=cell).fields == {"roof_age": value}


@pytest.mark.parametrize("cell", ["1,2", "1.2.3", "12 34", "(5", "5)", "$", "1e5", "٣"])
def test_number_that_may_be_another_one_is_rejected(cell):
    assert rejected("field:roof_age", field_roof_age=cell).reason == Reason.NUMBER


@pytest.mark.parametrize(
    "cell", ["03/01/2020", "3/1/2020", "2020-03-01", "2020-03-01 10:00:00", "2020-03-01T00:00:00Z", "3-1-2020"]
)
def test_date_is_read(cell):
    assert person("field:built", field_built=cell).fields == {"built": date(2020, 3, 1)}


@pytest.mark.parametrize("cell", ["", "#N/A", "#REF!", "NULL", "-", "n/a"])
def test_nothing_is_left_out(cell):
    assert person("field:roof_age", "email", field_roof_age=cell, email=cell).fields == {}


def test_person_may_be_called_null():
    assert person("last_name", last_name="Null").columns == {"last_name": "Null"}


@pytest.mark.parametrize("cell", ["=HYPERLINK(1)", "+cmd", "-cmd", "@SUM(A1)"])
def test_formula_is_kept_as_text_with_and_without_the_mark_that_defuses_it(cell):
    for written in (cell, f"'{cell}"):
        assert person("last_name", last_name=written).columns == {"last_name": cell}


def test_tags_are_split():
    assert person("tag", tag="VIP; roof | VIP,, spring 26").tags == ["VIP", "roof", "spring 26"]


def test_lines_of_the_address_are_joined():
    assert (
        person("address", "address:2", address="1 Main St", address_2="Apt 4").columns["address"] == "1 Main St Apt 4"
    )


@pytest.mark.parametrize(
    ("cell", "refused"), [("Yes", True), ("DNC", True), ("litigator", True), ("N", False), ("0", False), ("", False)]
)
def test_do_not_call_mark_that_is_not_a_clear_no_counts(cell, refused):
    flags = {"do_not_contact"} if refused else set()
    found = person("phone_dnc", phone_dnc=cell)
    assert (found.flags, found.numbers[0].do_not_contact) == (flags, refused)
    assert person("do_not_contact", do_not_contact=cell).flags == flags
    assert person("opted_out", opted_out=cell).flags == ({"opted_out"} if refused else set())


def test_flags_are_named_by_their_types():
    assert person("flag", flag="office_number, opted_out").flags == {"office_number", "opted_out"}
    assert rejected("flag", flag="vip").reason == Reason.CHOICE


def test_cell_with_several_numbers_is_split():
    found = person("other_phones", other_phones="(212) 555-0101; 2125550102, 123\n212-555-0100")
    assert [number.phone for number in found.numbers] == ["+12125550100", "+12125550101", "+12125550102"]
    assert [note.reason for note in found.notes] == [Reason.TOO_SHORT]
    assert person("other_phones", phone="", other_phones="2125550101").numbers[0].phone == "+12125550101"


@pytest.mark.parametrize("text", ["two  spaces", "two\nlines", "'quoted'", "'tis", "#1", "=1+1"])
def test_text_of_a_custom_field_is_kept_as_it_is(text):
    assert person("field:notes", field_notes=f" {text} ").fields == {"notes": text}


def test_name_is_brought_to_one_line():
    assert person("last_name", last_name="van\n der  Berg").columns == {"last_name": "van der Berg"}


def test_landline_gets_no_texts():
    kinds = {"Landline": False, "Mobile": True, "VoIP": True, "": True}
    assert {kind: person("phone_type", phone_type=kind).numbers[0].can_text for kind in kinds} == kinds


def test_number_that_is_not_active_is_left_out_with_a_note():
    found = person("phone_status", "phone:2", "phone_status:2", phone_status="Inactive", phone_2="2125550101",
                   phone_status_2="Active")  # fmt: skip
    assert [number.phone for number in found.numbers] == ["+12125550101"]
    assert [note.reason for note in found.notes] == [Reason.NOT_ACTIVE]
    assert rejected("phone_status", phone_status="Disconnected").reason == Reason.NOT_ACTIVE


def test_second_number_that_is_wrong_is_left_out_with_a_note():
    found = person("phone:2", "phone:3", phone_2="123", phone_3="212-555-0100")
    assert len(found.numbers) == 1
    assert [(note.reason, note.field) for note in found.notes] == [(Reason.TOO_SHORT, "phone:2")]


def test_second_number_becomes_the_main_one_where_the_first_cell_is_empty():
    assert person("phone:2", phone="", phone_2="2125550101").numbers[0].phone == "+12125550101"


def test_consent_keeps_its_day_and_wording():
    columns = ("consent", "consent_date", "consent_wording")
    found = person(*columns, consent="yes", consent_date="2026-01-02", consent_wording="Text me")
    assert found.consent == Consent(date(2026, 1, 2), "Text me")
    assert person(*columns, consent="no", consent_date="2026-01-02").consent is None


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("consent_date", "last May", Reason.DATE),
        ("consent_date", "3/1/26", Reason.DATE),
        ("consent_date", "2026-02-30", Reason.DATE),
        ("consent_date", "01/01/1885", Reason.DATE),
        ("consent_date", "2199-01-01", Reason.DATE),
        ("consent_wording", "x" * 2001, Reason.TEXT_TOO_LONG),
    ],
)
def test_row_with_a_consent_that_proves_nothing_is_rejected_and_the_column_named(column, cell, reason):
    found = rejected("consent", column, consent="yes", **{column: cell})
    assert (found.reason, found.field) == (reason, column)
    assert person("consent", column, consent="no", **{column: cell}).consent is None


@pytest.mark.parametrize("nothing", ["", "n/a", "-", "NULL", "#N/A"])
def test_consent_without_a_day_or_a_wording_has_none(nothing):
    columns = ("consent", "consent_date", "consent_wording")
    found = person(*columns, consent="yes", consent_date=nothing, consent_wording=nothing)
    assert found.consent == Consent(None, "")


@pytest.mark.parametrize("cells", [["Ann"], ["Ann", "2125550100", "x"]])
def test_row_of_another_width_is_rejected(cells):
    mapping = Mapping(("Name", "Phone"), {"Name": "full_name", "Phone": "phone"})
    (found,) = people_of(cells, mapping)
    assert found.reason == Reason.CELLS


def test_empty_cells_beyond_the_header_are_ignored():
    mapping = Mapping(("Name", "Phone"), {"Name": "full_name", "Phone": "phone"})
    (found,) = people_of(["Ann", "2125550100", "", " "], mapping)
    assert isinstance(found, Person)


def test_row_that_repeats_the_header_is_rejected():
    mapping = Mapping(("Name", "Phone"), {"Name": "full_name", "Phone": "phone"})
    assert people_of(["Name", "Phone "], mapping)[0].reason == Reason.HEADER_AGAIN


def test_unclosed_quotation_mark_is_named(tmp_path):
    path = tmp_path / "upload"
    path.write_text('Name,Phone\n"Ann,2125550100\nBob,2125550101\n')
    mapping = Mapping(("Name", "Phone"), {"Name": "full_name", "Phone": "phone"})
    (ann,), (bob,) = (people_of(cells, mapping) for _, cells in open_table(path, "list.csv").rows())
    assert "quotation mark" in ann.detail
    assert isinstance(bob, Person)


TWO = ("full_name@1", "phone@1", "full_name@2", "phone@2", "city")


def test_two_people_of_a_row_share_its_other_columns():
    first, second = outcomes(TWO, full_name__1="Ann Smith", phone__1="2125550100", full_name__2="Bob Hill",
                             phone__2="2125550101", city="Troy")  # fmt: skip
    assert (first.columns["first_name"], second.columns["first_name"]) == ("Ann", "Bob")
    assert first.columns["city"] == second.columns["city"] == "Troy"
    assert (first.person, second.person) == (1, 2)


def test_second_person_with_the_same_number_is_noted_at_the_first():
    (first,) = outcomes(
        TWO, full_name__1="Ann Smith", phone__1="2125550100", full_name__2="Bob Hill", phone__2="(212) 555-0100"
    )
    (note,) = first.notes
    assert (note.reason, note.detail) == (Reason.SAME_NUMBER, "Bob Hill has the same number.")


def test_person_without_a_number_is_left_out_beside_one_with():
    assert [found.person for found in outcomes(TWO, full_name__1="Ann", full_name__2="Bob", phone__2="2125550101")] == [
        2
    ]
    (found,) = outcomes(TWO, full_name__1="Ann", full_name__2="Bob")
    assert (found.reason, found.person) == (Reason.NO_PHONE, 1)


def test_one_person_may_be_rejected_beside_the_other():
    first, second = outcomes(TWO, phone__1="123", phone__2="2125550101")
    assert (first.reason, second.numbers[0].phone) == (Reason.TOO_SHORT, "+12125550101")
