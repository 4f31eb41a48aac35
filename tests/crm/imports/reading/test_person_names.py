"""Names of people and companies in lists."""

import pytest

from crm.services.imports.reading.person_names import fix_capitals, is_company, split_name


@pytest.mark.parametrize(
    ("name", "fixed"),
    [
        ("JOHN SMITH", "John Smith"),
        ("RONALD MCDONALD", "Ronald McDonald"),
        ("FLORA MACDONALD", "Flora MacDonald"),
        ("MACY MACK", "Macy Mack"),
        ("PAT O'BRIEN", "Pat O'Brien"),
        ("GINA D’ANGELO", "Gina D’Angelo"),
        ("ANNA VAN DER BERG", "Anna van der Berg"),
        ("VAN MORRISON", "Van Morrison"),
        ("MARIA DE LA CRUZ", "Maria de la Cruz"),
        ("JOHN SMITH III", "John Smith III"),
        ("JOHN SMITH JR", "John Smith Jr"),
        ("JOHN SMITH JR.", "John Smith Jr."),
        ("ANN SMITH-JONES", "Ann Smith-Jones"),
        ("JOHN & MARY SMITH", "John & Mary Smith"),
        ("JOHN Q SMITH", "John Q Smith"),
        ("ACME HOLDINGS LLC", "Acme Holdings LLC"),
        ("THE SMITH FAMILY TRUST", "The Smith Family Trust"),
        ("SE NA KIM", "Se Na Kim"),
        ("JOSÉ MUÑOZ", "José Muñoz"),
        ("john smith", "John Smith"),
        ("John McSmith", "John McSmith"),
        ("deShawn King", "deShawn King"),
        ("", ""),
    ],
)
def test_capitals_are_fixed(name, fixed):
    assert fix_capitals(name) == fixed


def test_last_name_begins_with_its_particle():
    assert fix_capitals("VAN DER BERG", is_last_name=True) == "van der Berg"
    assert fix_capitals("VAN", is_last_name=True) == "Van"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("John Smith", ("John", "Smith")),
        ("John A Smith", ("John A", "Smith")),
        ("John Smith Jr", ("John", "Smith Jr")),
        ("John Smith, Jr.", ("John", "Smith Jr.")),
        ("Smith, John A", ("John A", "Smith")),
        ("Mary Ann van der Berg III", ("Mary Ann", "van der Berg III")),
        ("Maria de la Cruz", ("Maria", "de la Cruz")),
        ("John & Mary Smith", ("John & Mary", "Smith")),
        ("Van Morrison", ("Van", "Morrison")),
        ("Cher", ("Cher", "")),
        ("", ("", "")),
        ("Smith Family Trust", ("", "Smith Family Trust")),
        ("Acme Roofing, LLC", ("", "Acme Roofing, LLC")),
        ("Estate of Ann Smith", ("", "Estate of Ann Smith")),
        ("First Baptist Church", ("", "First Baptist Church")),
        ("John Church", ("John", "Church")),
    ],
)
def test_full_name_is_split(name, parts):
    assert split_name(name) == parts


@pytest.mark.parametrize(
    "name", ["SMITH FAMILY TRUST", "ACME L.L.C.", "City of Troy", "Smith Properties", "WELLS FARGO BANK NA"]
)
def test_company_is_told_from_a_person(name):
    assert is_company(name)


@pytest.mark.parametrize("name", ["John Smith", "Penny Bank", "Grace Church", "Tom Homes", "Ann Trustman"])
def test_person_is_told_from_a_company(name):
    assert not is_company(name)
