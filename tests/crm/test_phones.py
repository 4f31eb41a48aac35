"""One function brings every spelling of a number into one form."""

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
def test_every_spelling_of_an_american_number_is_one_number(text):
    assert normalize_phone(text) == "+12125550100"


def test_what_is_normalised_stays_as_it_is():
    assert normalize_phone(normalize_phone("(212) 555-0100")) == "+12125550100"


def test_a_country_code_is_kept():
    assert normalize_phone("+44 20 7946 0100") == "+442079460100"


def test_a_number_that_cannot_exist_but_could_be_dialled_is_taken():
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
def test_what_nobody_could_dial_is_no_number(text):
    with pytest.raises(InvalidPhone):
        normalize_phone(text)


def test_digits_of_a_term():
    assert digits_of("(212) 555-01") == "21255501"
    assert digits_of("O'Brien ２") == ""
