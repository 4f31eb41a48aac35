"""Texts of campaigns: placeholders, and the wording of a first contact."""

import pytest

from crm.error_codes import ErrorCode
from crm.models import Campaign, Company, Contact
from messaging.services.campaigns.texts import (
    UnresolvedPlaceholder,
    UnusableText,
    find_placeholder_faults,
    full_text,
    render_body,
)

ACME = Company(name="Acme Roofing", slug="acme")


def contact(**values):
    return Contact(company=ACME, phone="+13035550142", **values)


def rendered(body, **values):
    return render_body(body=body, contact=contact(**values))


def text_of(body, *, is_first=True, company=ACME, **values):
    return full_text(campaign=Campaign(company=company), step_body=body, contact=contact(**values), is_first=is_first)


# --- Placeholders -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "values", "text"),
    [
        ("Hi {first_name|there}!", {"first_name": "Ann"}, "Hi Ann!"),
        ("Hi {first_name|there}!", {}, "Hi there!"),
        ("Hi { first_name | you }!", {}, "Hi you!"),
        ("Hi{last_name|}!", {}, "Hi!"),
        ("{first_name} {last_name}", {"first_name": "Ann", "last_name": "Lee"}, "Ann Lee"),
        ("Roofs in {city|your town}", {"city": "Denver"}, "Roofs in Denver"),
        ("{company_name} here", {}, "Acme Roofing here"),
        ("No placeholder", {}, "No placeholder"),
        ("{first_name|Tom & Jerry’s | both}", {}, "Tom & Jerry’s | both"),
        # A name is data, whatever is in it.
        ("Hi {first_name}", {"first_name": "{last_name}", "last_name": "Lee"}, "Hi {last_name}"),
        ("Hi {first_name}", {"first_name": "{"}, "Hi {"),
        ("Hi {first_name}", {"first_name": "%s %(x)s \\1"}, "Hi %s %(x)s \\1"),
        ("Hi {first_name}!", {"first_name": "Ann\r\nLee"}, "Hi Ann Lee!"),
        ("Hi {first_name}!", {"first_name": " Ann\tLee\x07 "}, "Hi Ann Lee!"),
        ("Hi {first_name}!", {"first_name": "\u202eAnn\u2066\ufeff"}, "Hi Ann!"),
        ("Hi {first_name}!", {"first_name": "علی‌رضا"}, "Hi علی‌رضا!"),  # its joiner stays
        ("Hi {first_name|there}!", {"first_name": " \n\u200b"}, "Hi there!"),  # nothing to see is no name
        ("One\r\nTwo\rThree\x0bFour", {}, "One\nTwo\nThree Four"),
        ("  Hi \n", {}, "Hi"),
        ("Hi {first_name}", {"first_name": "x" * 100}, "Hi " + "x" * 100),
    ],
)  # fmt: skip
def test_placeholders_are_filled_with_the_contacts_values(body, values, text):
    assert rendered(body, **values) == text


@pytest.mark.parametrize("value", ["", "  ", "\u200b", "\u200d"])
def test_placeholder_without_value_and_default_is_unresolved(value):
    with pytest.raises(UnresolvedPlaceholder, match=r"no first name.*\{first_name\|…\}") as refused:
        rendered("Hi {first_name}!", first_name=value)
    assert refused.value.code == ErrorCode.UNRESOLVED_PLACEHOLDER


@pytest.mark.parametrize(
    ("body", "positions"),
    [
        ("Hi {first_name|there}", []),
        ("Hi {nickname}", [4]),
        ("Hi {First_Name}", [4]),
        ("Hi {}", [4]),
        ("Hi {|there}", [4]),
        ("Hi {first_name", [4]),
        ("Hi first_name}", [14]),
        ("{{first_name}}", [1, 14]),  # as other programs write it
        ("{first_name|{last_name}}", [1, 24]),
        ("}{", [1, 2]),
        ("{nickname} and {", [1, 16]),
    ],
)  # fmt: skip
def test_unknown_placeholders_and_stray_braces_are_faults(body, positions):
    assert [fault.position for fault in find_placeholder_faults(body)] == positions
    if positions:
        with pytest.raises(UnresolvedPlaceholder):
            rendered(body, first_name="Ann", last_name="Lee")


@pytest.mark.parametrize(
    ("body", "advice"),
    [
        ("Hi {firstname}", "Did you mean {first_name}?"),
        ("Hi {First Name}", "Did you mean {first_name}?"),
        ("Hi {zodiac}", "Use one of {first_name}, {last_name},"),
        ("Hi {{first_name}}", "Character 4: “{” belongs to no placeholder. Write a placeholder with one brace"),
    ],
)
def test_fault_says_what_to_do(body, advice):
    assert advice in find_placeholder_faults(body)[0].detail


# --- First contact ----------------------------------------------------------------------------------------------------


def test_first_contact_learns_who_writes_and_how_to_opt_out():
    assert text_of("Is your roof ready?") == "Acme Roofing: Is your roof ready?\nReply STOP to opt out."


def test_later_texts_are_sent_as_written():
    assert text_of("Is your roof ready?", is_first=False) == "Is your roof ready?"


@pytest.mark.parametrize(
    "body",
    [
        "Acme Roofing here.",
        "ACME  ROOFING here.",
        "This is Acme Roofing’s spring check.",
        "{company_name} here.",
        "Greetings from acme-roofing!",
    ],
)
def test_company_name_is_not_added_twice(body):
    assert text_of(body).count("Acme Roofing:") == 0


def test_company_is_known_without_its_legal_form():
    company = Company(name="Acme Roofing, LLC", slug="acme")
    assert text_of("Acme Roofing here.", company=company) == "Acme Roofing here.\nReply STOP to opt out."
    assert text_of("Hello.", company=company) == "Acme Roofing, LLC: Hello.\nReply STOP to opt out."


def test_part_of_a_longer_word_is_not_the_companys_name():
    assert text_of("Acme Roofings here.").startswith("Acme Roofing: ")


def test_braces_and_line_breaks_of_the_companys_name_are_data():
    company = Company(name="Acme\n{first_name}", slug="acme")
    assert text_of("Hello.", company=company, first_name="Ann").startswith("Acme {first_name}: Hello.")


@pytest.mark.parametrize(
    "wording",
    [
        "Reply STOP to opt out.",
        "reply stop to end",
        "Text STOP to unsubscribe",
        "Txt “STOP” to quit",
        "Reply with STOP any time.",
        "To opt out, text back STOP.",
        "STOP to opt out",
        "STOP=opt out",
        "Stop 2 end",
        "Opt out: STOP",
        "Send UNSUBSCRIBE to leave.",
        "Responda ALTO para cancelar",
    ],
)
def test_opt_out_wording_is_not_added_twice(wording):
    assert text_of(f"Acme Roofing: hello. {wording}") == f"Acme Roofing: hello. {wording}"


@pytest.mark.parametrize(
    "words",
    [
        "Stop by our showroom.",
        "Don’t stop!",
        "Reply by the end of May.",
        "We stop leaks.",
        "Text us to stop leaks.",
        "",
    ],
)
def test_other_uses_of_the_words_are_no_opt_out_wording(words):
    assert text_of(f"Acme Roofing: hello. {words}").endswith("\nReply STOP to opt out.")


# --- Texts that can't be sent -----------------------------------------------------------------------------------------


def test_text_of_1600_characters_is_the_longest():
    assert len(text_of("x" * 1600, is_first=False)) == 1600
    with pytest.raises(UnusableText, match="1601 characters") as refused:
        text_of("x" * 1601, is_first=False)
    assert refused.value.code == ErrorCode.MESSAGE_TOO_LONG


def test_added_wording_counts_towards_the_length():
    with pytest.raises(UnusableText, match=r"1637 characters; shorten it to 1600"):
        text_of("x" * 1600)


@pytest.mark.parametrize("body", ["{first_name|}", "\u200d\u200d", "\u200d \n{first_name|\u200c}", "\u202e"])
def test_text_that_is_empty_for_a_contact_is_refused(body):
    with pytest.raises(UnusableText) as refused:
        text_of(body)
    assert refused.value.code == ErrorCode.MESSAGE_EMPTY
