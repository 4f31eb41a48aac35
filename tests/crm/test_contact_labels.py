"""The spelling of tags, custom fields and their values."""

from datetime import date

import pytest

from crm.contact_labels import (
    InvalidValue,
    choose_option,
    key_from_label,
    label_key,
    parse_date,
    parse_number,
    parse_text,
    parse_yes_no,
)


@pytest.mark.parametrize("spelling", ["Storm  Damage", " storm damage ", "STORM DAMAGE"])
def test_case_and_spaces_make_no_other_tag(spelling):
    assert label_key(spelling) == "storm damage"


@pytest.mark.parametrize(
    ("label", "key"),
    [("Roof age (years)", "roof_age_years"), ("Größe", "groe"), ("2nd owner", "field_2nd_owner"), ("屋根", "")],
)
def test_key_is_made_from_the_label(label, key):
    assert key_from_label(label) == key


@pytest.mark.parametrize(("value", "number"), [("12.5", 12.5), (12, 12.0), ("-3", -3.0)])
def test_numbers(value, number):
    assert parse_number(value) == number


@pytest.mark.parametrize("value", ["1e3", "1,000", "", True, None, float("nan"), float("inf"), 1e16, "9" * 16, "１２"])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(InvalidValue):
        parse_number(value)


@pytest.mark.parametrize("value", ["2026-2-3", "03/02/2026", "2026-02-30", "1799-12-31", 20260302, None])
def test_what_is_no_day_is_refused(value):
    assert parse_date("1890-05-01") == date(1890, 5, 1)
    with pytest.raises(InvalidValue):
        parse_date(value)


def test_yes_and_no_in_words():
    assert [parse_yes_no(word) for word in ("Yes", "y", "1", True)] == [True] * 4
    assert [parse_yes_no(word) for word in ("NO", "n", "0", False)] == [False] * 4
    for odd in ("maybe", "", 2, None):
        with pytest.raises(InvalidValue):
            parse_yes_no(odd)


@pytest.mark.parametrize("value", ["", "  ", "x" * 501, "a\x00b", "a\ud800", 5])
def test_text_that_cannot_be_stored_is_refused(value):
    with pytest.raises(InvalidValue):
        parse_text(value)


def test_option_is_stored_as_it_is_defined():
    assert choose_option(" metal", ["Shingle", "Metal"]) == "Metal"
    with pytest.raises(InvalidValue, match="Shingle, Metal"):
        choose_option("tile", ["Shingle", "Metal"])
