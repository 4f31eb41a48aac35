"""Excel files as tables."""

import io
import zipfile
from datetime import date, datetime, time

import pytest
from openpyxl import Workbook

from crm.services.imports.reading.faults import FileFault, UnreadableFile
from crm.services.imports.reading.files import open_table

SHEET = "xl/worksheets/sheet1.xml"


def workbook_of(*rows):
    workbook = Workbook()
    for row in rows:
        workbook.active.append(row)
    return workbook


@pytest.fixture
def opened(tmp_path):
    """A function that writes an Excel file and opens it as a table. It may replace parts of the archive."""

    def write(workbook, parts=None, compression=zipfile.ZIP_DEFLATED):
        path = tmp_path / "upload"
        buffer = io.BytesIO()
        workbook.save(buffer)
        with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(path, "w", compression) as target:
            for name in source.namelist():
                target.writestr(name, (parts or {}).get(name, lambda text: text)(source.read(name)))
        return open_table(path, "list.xlsx")

    return write


def cells_of(table):
    return [cells for _, cells in table.rows()]


def test_values_become_the_text_that_a_person_sees(opened):
    values = ["Ann", 2125550100, 2125550100.0, 12.5, True, False, date(2026, 3, 1), datetime(2026, 3, 1, 9, 30), None]
    table = opened(workbook_of([f"c{n}" for n in range(len(values))], values, [time(9, 30), -3, 0.1]))
    assert table.kind == "xlsx"
    assert cells_of(table)[0] == [
        "Ann", "2125550100", "2125550100", "12.5", "TRUE", "FALSE", "2026-03-01", "2026-03-01 09:30:00", "",
    ]  # fmt: skip
    assert cells_of(table)[1][:3] == ["09:30:00", "-3", "0.1"]


def test_number_that_excel_has_rounded_keeps_its_exponent(opened):
    assert "e+" in cells_of(opened(workbook_of(["Phone"], [1.30356e20])))[0][0]


def test_first_sheet_with_rows_is_read(opened):
    workbook = Workbook()
    workbook.create_sheet("List").append(["Name", "Phone"])
    workbook["List"].append(["Ann", 2125550100])
    workbook.create_sheet("Other").append(["Other"])
    assert cells_of(opened(workbook)) == [["Ann", "2125550100"]]


def test_rows_have_the_numbers_of_excel_and_the_width_of_the_header(opened):
    table = opened(workbook_of(["Name", "Phone", "City"], [], ["Ann", 2125550100], ["Bob", None, None, "x"]))
    assert [*table.rows()] == [(3, ["Ann", "2125550100", ""]), (4, ["Bob", "", "", "x"])]


def test_sheet_with_a_wrong_dimension_is_read_whole(opened):
    def shrink(xml):
        return xml.replace(b'<dimension ref="A1:B3"', b'<dimension ref="A1"')

    table = opened(workbook_of(["Name", "Phone"], ["Ann", 1], ["Bob", 2]), {SHEET: shrink})
    assert cells_of(table) == [["Ann", "1"], ["Bob", "2"]]


def test_formula_counts_as_its_last_value_and_is_not_run(opened):
    def calculate(xml):
        return xml.replace(b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>").replace(
            b"<f>1+1</f><v></v>", b"<f>1+1</f><v>2</v>"
        )

    table = opened(workbook_of(["Name", "Sum"], ["Ann", "=1+1"]), {SHEET: calculate})
    assert cells_of(table) == [["Ann", "2"]]


def test_text_that_looks_like_a_formula_stays_a_text(opened):
    workbook = workbook_of(["Name", "Phone"], ["x", 1])
    workbook.active["A2"].value = "=cmd|' /C calc'!A0"
    workbook.active["A2"].data_type = "s"
    assert cells_of(opened(workbook))[0][0] == "=cmd|' /C calc'!A0"


def test_archive_that_unpacks_to_too_much_is_refused_before_it_is_read(opened):
    with pytest.raises(UnreadableFile) as caught:
        opened(workbook_of(["Name"], ["Ann"]), {SHEET: lambda xml: xml + b" " * (64 << 20)})
    assert caught.value.code == FileFault.ZIP_BOMB


def test_archive_that_lies_about_its_size_is_refused(opened, tmp_path):
    opened(workbook_of(["Name"], ["Ann"]), {SHEET: lambda xml: xml + b" " * (64 << 20)}, zipfile.ZIP_STORED)
    path = tmp_path / "upload"
    with zipfile.ZipFile(path) as archive:
        true_size = archive.getinfo(SHEET).file_size
    path.write_bytes(path.read_bytes().replace(true_size.to_bytes(4, "little"), (2000).to_bytes(4, "little")))
    with pytest.raises(UnreadableFile) as caught:
        cells_of(open_table(path, "list.xlsx"))
    assert caught.value.code == FileFault.BAD_EXCEL


def test_file_that_defines_entities_is_refused(opened):
    def laugh(xml):
        return b'<!DOCTYPE x [<!ENTITY lol "lol">]>' + xml[xml.index(b"<worksheet") :]

    with pytest.raises(UnreadableFile) as caught:
        opened(workbook_of(["Name"], ["Ann"]), {SHEET: laugh})
    assert caught.value.code == FileFault.ZIP_BOMB


def test_archive_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "photos.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("photo.jpg", b"\xff\xd8\xff")
    with pytest.raises(UnreadableFile) as caught:
        open_table(path, "photos.xlsx")
    assert caught.value.code == FileFault.BINARY


@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml"])
def test_damaged_file_is_refused(opened, part):
    with pytest.raises(UnreadableFile) as caught:
        cells_of(opened(workbook_of(["Name"], ["Ann"]), {part: lambda xml: xml[: len(xml) // 2]}))
    assert caught.value.code == FileFault.BAD_EXCEL


@pytest.mark.parametrize(("rows", "code"), [([], FileFault.EMPTY), ([["Name", "Phone"]], FileFault.NO_ROWS)])
def test_workbook_without_rows_is_refused(opened, rows, code):
    with pytest.raises(UnreadableFile) as caught:
        opened(workbook_of(*rows))
    assert caught.value.code == code
