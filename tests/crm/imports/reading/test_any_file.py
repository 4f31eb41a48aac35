"""Any file and any row: read as it was written, or refused with a sentence."""

import csv
import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from crm.services.imports.reading.faults import UnreadableFile
from crm.services.imports.reading.files import open_table
from crm.services.imports.reading.mapping import InvalidMapping, validate_mapping
from crm.services.imports.reading.outcomes import Person, RejectedRow
from crm.services.imports.reading.people import people_of
from crm.services.imports.reading.suggestions import choose_mapping
from tests.crm.imports.reading.accepted import accept_suggestions
from tests.crm.imports.reading.test_mappings import RADAR

quickly = settings(max_examples=150, database=None, deadline=None, derandomize=True)

letters = st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"])  # many control characters are no text
cells = st.text(letters, max_size=12) | st.sampled_from(
    ["Ann", "a,b", "c;d", "x\ty", 'say "hi"', "two\nlines", "=1+1", " ", ""]
)
HEADER = ["Name", "Phone", "Notes"]
HINTS = [
    b"Name,Phone\n", b"\xff\xfe", b"\xef\xbb\xbf", b"\xfe\xff", b"PK\x03\x04", b'"', b"\n", b"\r", b",", b";", b"\x00",
    b"2125550100", b"sep=;\n", b"\xe9",
]  # fmt: skip


def read_or_refuse(path):
    detail = "Read."
    try:
        for number, row in open_table(path, "list").rows():
            assert number > 1
            assert any(row)
    except UnreadableFile as error:
        detail = error.detail
    assert detail.endswith(".")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("any")


@quickly
@given(
    rows=st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_written_rows_are_read_back(folder, rows, delimiter, encoding, newline):
    rows = [["Ann", *row[1:]] for row in rows]  # none is blank, or the header
    with (folder / "upload").open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator=newline, quoting=csv.QUOTE_ALL).writerows([HEADER, *rows])
    table = open_table(folder / "upload", "list.csv")
    assert table.header == HEADER
    assert [cells for _, cells in table.rows()] == rows


@quickly
@given(pieces=st.lists(st.binary(max_size=12) | st.sampled_from(HINTS), max_size=40))
def test_any_bytes_are_read_or_refused(folder, pieces):
    (folder / "upload").write_bytes(b"".join(pieces))
    read_or_refuse(folder / "upload")


@quickly
@given(data=st.data())
def test_any_damage_to_an_excel_file_is_read_or_refused(folder, data):
    workbook = Workbook()
    for row in (HEADER, ["Ann", 2125550100, "=1+1"], ["Bob", 2125550101.5, True]):
        workbook.active.append(row)
    buffer = io.BytesIO()
    workbook.save(buffer)
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(folder / "upload", "w") as target:
        hurt = data.draw(st.sampled_from(source.namelist()))
        for name in source.namelist():
            text = source.read(name)
            if name == hurt:
                place = data.draw(st.integers(0, len(text)))
                length = data.draw(st.integers(0, 40))
                text = text[:place] + data.draw(st.binary(max_size=8)) + text[place + length :]
            target.writestr(name, text)
    read_or_refuse(folder / "upload")


@quickly
@given(
    row=st.lists(cells | st.sampled_from(["2125550100", "Inactive", "1.3E+10", "x" * 600]), min_size=35, max_size=41)
)
def test_any_row_becomes_people_or_is_rejected(row):
    mapping = validate_mapping(accept_suggestions(choose_mapping(RADAR)))
    outcomes = people_of(row, mapping)
    assert outcomes
    assert all(isinstance(each, Person | RejectedRow) for each in outcomes)
    assert all(each.numbers for each in outcomes if isinstance(each, Person))
    assert all(each.detail.endswith(".") for each in outcomes if isinstance(each, RejectedRow))


@quickly
@given(header=st.lists(st.text(letters, min_size=1, max_size=12) | st.sampled_from(RADAR), unique=True, max_size=12))
def test_any_header_gets_a_mapping_without_errors_but_a_missing_phone(header):
    choice = choose_mapping(header)
    errors = {}
    try:
        validate_mapping(accept_suggestions(choice))
    except InvalidMapping as error:
        errors = error.errors
    assert errors in ({}, {"": "No column goes to the phone. A contact needs a number."})
