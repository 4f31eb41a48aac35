"""Normalization of phone numbers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.phones import InvalidPhone, _normalize_any, digits_of, is_withheld, normalize_phone, spellings_of


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
        "٢١٢٥٥٥٠١٠٠",
        "0012125550100",
        "00 1 212 555 0100",
        "011 1 212 555 0100",
        "+12125550100x12",
        "whatsapp:+12125550100",
        "rcs:+12125550100",
        "sip:+12125550100@example.com",
    ],
)
def test_american_number_is_normalized_from_every_spelling(text):
    assert normalize_phone(text) == "+12125550100"


def test_normalized_number_stays_unchanged():
    assert normalize_phone(normalize_phone("(212) 555-0100")) == "+12125550100"


def test_country_code_is_kept():
    assert normalize_phone("+44 20 7946 0100") == "+442079460100"


@pytest.mark.parametrize(
    ("number", "spellings"),
    [
        (  # Mexico
            "+525512345678",
            "+525512345678|+5215512345678|5215512345678|525512345678|00525512345678|005215512345678|011 52 55 1234 5678"
            "|+52 1 55 1234 5678|+52 044 55 1234 5678|+52 01 55 1234 5678|whatsapp:+5215512345678",
        ),
        (  # Argentina
            "+5491112345678",
            "+5491112345678|+541112345678|5491112345678|541112345678|005491112345678|00541112345678|+54 11 15-1234-5678"
            "|+54 9 11 1234 5678|011 54 11 1234 5678",
        ),
        (  # Brazil
            "+5511912345678",
            "+5511912345678|+55 11 91234-5678|5511912345678|005511912345678|+55 (011) 91234-5678",
        ),
        ("+442079460100", "+44 (0)20 7946 0100|0044 20 7946 0100|442079460100|+4402079460100"),
        ("+4915123456789", "+49 151 23456789|004915123456789|4915123456789|+49 (0) 151 23456789"),
        ("+33612345678", "+33 6 12 34 56 78|0033612345678|33612345678"),
        ("+390612345678", "+39 06 1234 5678|00390612345678|390612345678"),
    ],
)
def test_foreign_number_has_one_form(number, spellings):
    assert {normalize_phone(text) for text in spellings.split("|")} == {number}
    assert normalize_phone(number) == number


@pytest.mark.parametrize(
    ("number", "digits"),
    [
        ("+12125550100", "12125550100 2125550100 0012125550100 002125550100"),
        ("+525512345678", "525512345678 5215512345678 00525512345678 005215512345678"),
        ("+5491112345678", "5491112345678 541112345678 005491112345678 00541112345678"),
        ("+5511987654321", "5511987654321 551187654321 005511987654321 00551187654321"),
        ("+442079460100", "442079460100 00442079460100"),
    ],
)
def test_number_is_known_in_the_spellings_of_providers(number, digits):
    assert spellings_of(number) == set(digits.split())


def test_brazilian_mobile_number_without_its_ninth_digit_gains_it():
    assert normalize_phone("+551187654321") == normalize_phone("+5511987654321") == "+5511987654321"
    assert normalize_phone("+551132165498") == "+551132165498"  # a landline


WITHHELD = [
    "+266696687", "266696687", "+1266696687", "+7378742833", "+17378742833", "7378742833", "+2562533", "+8656696",
    "+86282452253", "86282452253", "+10000000000", "0000000000", "+11111111111", "+19999999999", "+1 (555) 555-5555",
    "whatsapp:+266696687",
]  # fmt: skip


@pytest.mark.parametrize("text", WITHHELD)
def test_number_of_a_withheld_caller_is_refused(text):
    assert is_withheld(text)
    with pytest.raises(InvalidPhone):
        normalize_phone(text)


@pytest.mark.parametrize("text", ["+12125550100", "+15555550100", "+8628245225", "+528245225312", "", "Anonymous"])
def test_other_text_is_not_the_number_of_a_withheld_caller(text):
    assert not is_withheld(text)


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
        "55512345678901",
        "sip:anonymous@anonymous.invalid",
    ],
)
def test_impossible_number_is_refused(text):
    with pytest.raises(InvalidPhone):
        normalize_phone(text)


def test_digits_of_returns_ascii_digits():
    assert digits_of("(212) 555-01") == "21255501"
    assert digits_of("O'Brien ２ ٣") == "23"


@pytest.mark.parametrize("text", [
    "whatsapp:US.13491208655302741918", "US.13491208655302741918", "US.12125550100", "whatsapp:BR.12125550100",
    "messenger:12125550100", "messenger:+12125550100", "client:12125550100", "client:ann2125550100", "client:ann",
    "rcs:acme_12125550100_agent", "rcs:acme12125550100", "sip:ann2125550100@x.test", "sip:ann@2125550100.test",
    "viber:12125550100", "instagram:12125550100", "sim:DE12125550100",
])  # fmt: skip
def test_name_with_digits_is_not_a_number(text):
    with pytest.raises(InvalidPhone):
        normalize_phone(text)


@pytest.mark.parametrize("text", [
    "whatsapp:+12125550100", "WhatsApp: +1 212 555 0100", "sip:12125550100;user=phone@x.test", "sips:2125550100@x.test",
    "sms:+12125550100", "tel:+12125550100;ext=5", "Cell: 212-555-0100", "Tel.: (212) 555-0100",
])  # fmt: skip
def test_number_may_follow_a_channel_or_a_label(text):
    assert normalize_phone(text) == "+12125550100"


@settings(max_examples=2_000, database=None, deadline=None, derandomize=True)
@given(
    st.from_regex(r"\A\s?(\+?1?[ .-]?)\(?[0-9]{3}\)?[ .-]{0,3}[0-9]{3}[ .-]?[0-9]{3,5}\s?\Z")
    | st.sampled_from(WITHHELD).map(lambda number: number.removeprefix("+"))
)
def test_short_way_of_american_numbers_gives_what_the_general_way_gives(text):
    def result(normalize):
        try:
            return normalize(text)
        except InvalidPhone:
            return None

    assert result(normalize_phone) == result(_normalize_any)
