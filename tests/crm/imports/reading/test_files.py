"""Files of contacts as tables: encodings, delimiters, records and faults."""

import tracemalloc

import pytest

from crm.services.imports.reading.csv_records import MAX_CELL, MAX_MENDED
from crm.services.imports.reading.faults import FileFault, UnreadableFile
from crm.services.imports.reading.files import open_table

HEADER = "First name,Last name,Phone"
ROWS = f"{HEADER}\r\nJosé,Muñoz,2125550100\r\nZoë,O’Brien,2125550101\r\n"


@pytest.fixture
def opened(tmp_path):
    """A function that writes a file and opens it as a table."""

    def write(content, encoding="utf-8"):
        path = tmp_path / "upload"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return open_table(path, "list.csv")

    return write


def cells_of(table):
    return [cells for _, cells in table.rows()]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_unicode_is_read_with_and_without_a_byte_order_mark(opened, encoding, mark):
    table = opened(mark + ROWS, encoding)
    assert table.header == ["First name", "Last name", "Phone"]
    assert cells_of(table) == [["José", "Muñoz", "2125550100"], ["Zoë", "O’Brien", "2125550101"]]


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman"])
def test_encoding_of_an_office_program_is_guessed(opened, encoding):
    names = ["José Muñoz", "Zoë O’Brien", "François Peña", "Günter Groß", "Renée Beyoncé", "Jürgen Häßler"]
    text = "Name,Phone\n" + "".join(f"{name},21255501{n:02}\n" for n, name in enumerate(names))
    table = opened(text, encoding)
    assert table.encoding == encoding
    assert [cells[0] for cells in cells_of(table)] == names


def test_one_accent_is_enough_for_windows_encoding(opened):
    table = opened("Name,Phone\nJosé Garcia,2125550100\n", "cp1252")
    assert cells_of(table)[0][0] == "José Garcia"


def test_rows_of_another_encoding_in_a_file_of_utf_8_leave_the_other_rows_alone(opened):
    text = HEADER + "\nJosé,Muñoz,2125550100\nZoë,O’Brien,2125550101\n"
    table = opened(text.encode() + "Renée,Fox,2125550102\n".encode("cp1252"))
    assert [cells[0] for cells in cells_of(table)] == ["José", "Zoë", "Renée"]


def test_accent_after_a_million_plain_bytes_is_read(opened):
    rows = "".join(f"Ann {n},2125550100\n" for n in range(80_000))
    table = opened(f"Name,Phone\n{rows}Zoë,2125550101\n", "cp1252")
    assert [*table.rows()][-1][1][0] == "Zoë"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_the_one_with_a_constant_number_of_columns(opened, delimiter):
    rows = [["Name", "Phone", "Notes"], ["Ann", "2125550100", '"a, b; c|d, e"'], ["Bob", "2125550101", '"x;y\t"']]
    table = opened("\n".join(map(delimiter.join, rows)))
    assert (table.delimiter, table.header) == (delimiter, rows[0])
    assert all(len(cells) == 3 for cells in cells_of(table))


def test_delimiter_that_excel_declares_is_believed(opened):
    table = opened("sep=;\nName;Phone\nAnn;2125550100\n")
    assert (table.delimiter, table.header, cells_of(table)) == (";", ["Name", "Phone"], [["Ann", "2125550100"]])


def test_one_column_needs_no_delimiter(opened):
    assert cells_of(opened("Phone\n2125550100\n2125550101\n")) == [["2125550100"], ["2125550101"]]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_newlines_of_each_system_end_a_row(opened, newline):
    table = opened(ROWS.replace("\r\n", newline))
    assert [number for number, _ in table.rows()] == [2, 3]


def test_row_with_quoted_newlines_counts_once(opened):
    table = opened(f'{HEADER}\nAnn,"Smith\nor Jones",2125550100\nBob,Hill,2125550101\n')
    assert [*table.rows()] == [(2, ["Ann", "Smith\nor Jones", "2125550100"]), (3, ["Bob", "Hill", "2125550101"])]


def test_blank_rows_are_left_out_and_counted(opened):
    table = opened(f"{HEADER}\n\nAnn,Smith,2125550100\n,,\n\nBob,Hill,2125550101\n,,\n,,\n")
    assert [number for number, _ in table.rows()] == [3, 6]


def test_rows_with_too_few_or_too_many_cells_are_kept_as_they_are(opened):
    table = opened(f"{HEADER}\nAnn,Smith\nBob,Hill,2125550101,x\n")
    assert cells_of(table) == [["Ann", "Smith"], ["Bob", "Hill", "2125550101", "x"]]


@pytest.mark.parametrize("after", ["", '\nDan,Dee,2125550103\nEve,"Fox",2125550104'])
def test_unclosed_quotation_mark_breaks_its_own_row_alone(opened, after):
    table = opened(f'{HEADER}\nAnn,Smith,2125550100\nBob,"Hill,2125550101\nCid,Fox,2125550102{after}\n')
    broken = [cells for cells in cells_of(table) if len(cells) != 3]
    assert broken == [['Bob,"Hill,2125550101']]
    assert [number for number, _ in table.rows()] == list(range(2, 5 + after.count("\n")))


def test_unclosed_quotation_mark_that_the_next_row_closes_breaks_its_own_row_alone(opened):
    table = opened(f'{HEADER}\nAnn,"Smith,2125550100\nBob,"Hill",2125550101\n')
    assert cells_of(table) == [['Ann,"Smith,2125550100'], ["Bob", "Hill", "2125550101"]]


def test_unclosed_quotation_marks_of_two_rows_at_the_same_place_break_both(opened):
    table = opened(f'{HEADER}\n"Ann,Smith,2125550100\n"Bob,Hill,2125550101\nCid,Fox,2125550102\n')
    assert cells_of(table) == [
        ['"Ann,Smith,2125550100'],
        ['"Bob,Hill,2125550101'],
        ["Cid", "Fox", "2125550102"],
    ]


def test_quoted_newlines_with_spaces_after_the_mark_are_one_cell(opened):
    table = opened(f'{HEADER}\nAnn,"Smith\nJones"  ,2125550100\n')
    assert [cells[1].strip() for cells in cells_of(table)] == ["Smith\nJones"]


def test_unclosed_quotation_mark_before_many_rows_breaks_its_own_row_alone(opened):
    rows = "".join(f"Ann {n},Smith,2125550100\n" for n in range(20_000))
    table = opened(f'{HEADER}\nBob,"Hill,2125550101\n{rows}')
    assert len(cells_of(table)) == 20_001


def test_column_without_a_name_gets_its_number(opened):
    assert opened("Phone,,Name,\n2125550100,,Ann,\n").header == ["Phone", "Column 2", "Name", "Column 4"]


JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256)) * 20
OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)
FAULTS = {
    "nothing": (b"", FileFault.EMPTY),
    "blank lines": (b"\n\r\n  \n", FileFault.EMPTY),
    "only a byte order mark": (b"\xef\xbb\xbf", FileFault.EMPTY),
    "only commas": (b",,,\n,,,\n", FileFault.EMPTY),
    "phone numbers at the top": (b"Ann,(212) 555-0100\nBob,212-555-0101\n", FileFault.NO_HEADER),
    "an email address at the top": (b"Ann,ann@example.com\nBob,bob@example.com\n", FileFault.NO_HEADER),
    "amounts at the top": (b"Ann,120000\nBob,90000\n", FileFault.NO_HEADER),
    "its header twice": (b"Name,Phone\nName,Phone\nAnn,2125550100\n", FileFault.HEADER_TWICE),
    "a column twice": (b"Name,Phone,phone \nAnn,2125550100,2125550101\n", FileFault.COLUMN_TWICE),
    "a header alone": (b"Name,Phone\n\n,\n", FileFault.NO_ROWS),
    "a NUL character": (b"Name,Phone\nA\0nn,2125550100\n", FileFault.NUL),
    "a NUL character in UTF-16": ("\ufeffName,Phone\nA\0nn,2125550100\n".encode("utf-16-le"), FileFault.NUL),
    "a picture": (JPEG, FileFault.BINARY),
    "a PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", FileFault.BINARY),
    "a web page that is called a spreadsheet": (b" <html><table>\n<tr><td>Phone</td></tr>\n</table>", FileFault.BINARY),
    "vCards": (b"BEGIN:VCARD\r\nFN:Ann\r\nTEL:2125550100\r\nEND:VCARD\r\n", FileFault.BINARY),
    "JSON": (b'[{"phone": "2125550100"}]', FileFault.BINARY),
    "machine code": (bytes(range(256)) * 50, FileFault.BINARY),
    "Excel of before 2007": (OLD_EXCEL, FileFault.OLD_EXCEL),
    "UTF-32": ("\ufeffName,Phone\nAnn,2125550100\n".encode("utf-32-le"), FileFault.ENCODING),
    "half a character of UTF-16": ("\ufeffName,Phone\nAnn,2125550100\n".encode("utf-16-le") + b"A", FileFault.ENCODING),
    "too many columns": (",".join(f"c{n}" for n in range(1001)).encode() + b"\n1\n", FileFault.TOO_MANY_COLUMNS),
}


@pytest.mark.parametrize(("content", "code"), FAULTS.values(), ids=FAULTS)
def test_file_is_refused_for(opened, content, code):
    with pytest.raises(UnreadableFile) as caught:
        opened(content)
    assert caught.value.code == code
    assert caught.value.detail.endswith(".")


def test_message_names_the_line_of_a_nul_character(opened):
    with pytest.raises(UnreadableFile, match="Line 3 has a NUL character"):
        opened(b"Name,Phone\nAnn,2125550100\nB\0b,2125550101\n")


LONG_CELLS = {"one line": ("", "x"), "many lines": ('"', "some words\n")}


@pytest.mark.parametrize(("mark", "words"), LONG_CELLS.values(), ids=LONG_CELLS)
def test_cell_of_40_mb_is_refused_in_little_memory(opened, mark, words):
    rows = "Ann,Smith,2125550100\n" * 1_000
    cell = f"{mark}{words * ((40 << 20) // len(words))}{mark}"
    table = opened(f"{HEADER}\n{rows}Bob,{cell},2125550101\n")
    del cell
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableFile) as caught:
            for _ in table.rows():
                pass
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()
    assert caught.value.code == FileFault.CELL_TOO_LONG


def test_longest_cell_is_read(opened):
    assert len(cells_of(opened(f"Name,Notes\nAnn,{'x' * MAX_CELL}\n"))[0][1]) == MAX_CELL


def test_file_full_of_unclosed_quotation_marks_is_refused(opened):
    rows = 'Bob,"Hill,2125550101\nCid,Fox,2125550102\nDan,Fox,2125550102\n' * (MAX_MENDED + 1)
    with pytest.raises(UnreadableFile) as caught:
        cells_of(opened(f"{HEADER}\n{rows}"))
    assert caught.value.code == FileFault.QUOTES


def test_rows_are_read_in_constant_memory(opened):
    table = opened(HEADER + "\n" + "".join(f"Ann {n},Smith,2125550100\n" for n in range(50_000)))
    tracemalloc.start()
    try:
        assert sum(1 for _ in table.rows()) == 50_000
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()
