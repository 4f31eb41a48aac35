"""Normalization of phone numbers."""

import pytest

from crm.phones import InvalidPhone, digits_of, normalize_phone


@pytest.mark.parametrize(
    "text",
    [
        "+12125550100",
        "12125550100",
        "2125550100",
        "(212) 555-0100",
        "212.555.0100",
        "  +1 212 555 0100 ",
        "1-212-555-0100",
        "tel:+1-212-555-0100",
        "212-555-0100 ext. 12",
        "+1 (212) 555–0100",
        "２１２５５５０１００",
    ],
)
def test_american_number_is_normalized_from_every_spelling(text):
    assert normalize_phone(text) == "+12125550100"


def test_normalized_number_stays_unchanged():
    assert normalize_phone(normalize_phone("(212) 555-0100")) == "+12125550100"


def test_country_code_is_kept():
    assert normalize_phone("+44 20 7946 0100") == "+442079460100"


def test_possible_number_with_an_unknown_area_code_is_accepted():
    assert normalize_phone("+15555550100") == "+15555550100"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "22395",
        "262966",
        "555-0100",
        "Anonymous",
        "Restricted",
        "+1",
        "+",
        "12",
        "9" * 16,
        "+1" + "5" * 300,
        "🙂",
    ],
)
def test_impossible_number_is_refused(text):
    with pytest.raises(InvalidPhone):
        normalize_phone(text)


def test_digits_of_returns_ascii_digits():
    assert digits_of("(212) 555-01") == "21255501"
    assert digits_of("O'Brien ２") == ""
