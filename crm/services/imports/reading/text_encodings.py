"""Encodings of text files: from the byte order mark, else by trying UTF-8, else by a guess."""

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from charset_normalizer import from_bytes

from crm.services.imports.reading.faults import FileFault, UnreadableFile

CHUNK = 1 << 20
SAMPLE = 1 << 16  # bytes for a guess
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, ""),  # begins like UTF-16, and no program writes it
    (codecs.BOM_UTF32_BE, ""),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Files of other programs, by their first bytes. An Excel file is a ZIP archive, and is told apart by its contents.
SIGNATURES = (
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG", "a PNG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"SQLite format 3", "a database"),
    (b"PAR1", "a Parquet file"),
)
# Texts that aren't tables, by how they begin after spaces, in small letters.
TEXTS = (
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),  # some programs call such a page .xls
    (b"<table", "a web page"),
    (b"<?xml", "an XML file"),
    (b"begin:vcard", "a file of vCards"),
    (b"[{", "a JSON file"),
    (b'{"', "a JSON file"),
    (b"{\\rtf", "a document of a word processor"),
)
OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK\x03\x04"
# Those of American offices. More of them would be guessed from a few letters, mostly wrongly.
GUESSED = ("cp1252", "mac_roman")
# UTF-8, to which rows of a program without it were added. Their letters are read as Windows-1252.
MIXED = "UTF-8 and Windows-1252"
ASCII = bytes(range(128))
CONTROLS = bytes(range(9)) + bytes(range(14, 27)) + bytes(range(28, 32))


def detect_encoding(path: Path) -> str:
    """Return the encoding of a text file. Each byte of the file can be decoded with it.

    Raises:
        UnreadableFile: it is a file of another kind, or has NUL characters.
    """
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    _check_kind(head)
    encoding = next((name for mark, name in MARKS if head.startswith(mark)), None)
    if encoding == "":
        raise UnreadableFile(FileFault.ENCODING, "The file is UTF-32. Save it as CSV in UTF-8.")
    if encoding is None:
        encoding = _utf_16_without_mark(head)
    if encoding is not None:
        _check_decodes(path, encoding)
        return encoding
    if len(head.translate(None, CONTROLS)) < len(head) * 0.95:
        raise UnreadableFile(FileFault.BINARY, "This isn't a text file. Upload a CSV or an Excel file (.xlsx).")
    if _is_utf_8(path):
        return "utf-8"
    return MIXED if _is_mostly_utf_8(path) else _guess(path)


def open_text(path: Path, encoding: str) -> TextIO:
    """Open a text file, with its own ends of lines, in an encoding of `detect_encoding`."""
    if encoding == MIXED:
        return path.open(encoding="utf-8", errors=AS_WINDOWS_1252, newline="")
    return path.open(encoding=encoding, newline="")


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    """Decode bytes that aren't UTF-8."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return "".join(map(_letter, wrong)), error.end


def _letter(byte: int) -> str:
    return bytes([byte]).decode("cp1252", errors="replace")


AS_WINDOWS_1252 = "as_windows_1252"
codecs.register_error(AS_WINDOWS_1252, _as_windows_1252)


def _check_kind(head: bytes) -> None:
    if head.startswith(OLD_EXCEL):
        raise UnreadableFile(
            FileFault.OLD_EXCEL,
            "This is an Excel file of before 2007 (.xls). Save it as .xlsx or CSV, and upload that.",
        )
    if head.startswith(ZIP):
        raise UnreadableFile(
            FileFault.BAD_EXCEL, "The file is damaged or incomplete. Save it again, or save it as CSV."
        )
    for signature, kind in SIGNATURES:
        if head.startswith(signature):
            raise UnreadableFile(FileFault.BINARY, f"This is {kind}. Upload a CSV or an Excel file (.xlsx).")
    begin = head[:200].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    for words, kind in TEXTS:
        if begin.startswith(words):
            raise UnreadableFile(
                FileFault.BINARY,
                f"This is {kind}. Open it in the program that made it, and save the list as CSV or .xlsx.",
            )


def _utf_16_without_mark(head: bytes) -> str | None:
    """Return the byte order if nearly each second byte is zero, as in English text."""
    half = len(head) // 2
    if half < 2:
        return None
    even, odd = head[0::2].count(0) / half, head[1::2].count(0) / half
    if odd > 0.7 and even < 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > 0.7 and odd < 0.1 else None


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _check_decodes(path: Path, encoding: str) -> None:
    """Read the file to its end, so that no row is stored of a file that turns out to be damaged."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 1
    try:
        for chunk in _chunks(path):
            text = decoder.decode(chunk)
            _check_no_nul(nul := text.find("\0"), lines + text.count("\n", 0, max(nul, 0)))
            lines += text.count("\n")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise UnreadableFile(
            FileFault.ENCODING, f"The file says that it is {encoding.upper()}, but it is damaged near line {lines:,}."
        ) from None


def _is_utf_8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines, valid = 1, True
    for chunk in _chunks(path):
        _check_no_nul(nul := chunk.find(b"\0"), lines + chunk.count(b"\n", 0, max(nul, 0)))
        lines += chunk.count(b"\n")
        if valid and not (chunk.isascii() and not decoder.getstate()[0]):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                valid = False  # read on, for NUL characters
    return valid and not decoder.getstate()[0]


def _is_mostly_utf_8(path: Path) -> bool:
    """Return whether more than half of the bytes beyond ASCII are UTF-8. In another encoding nearly none is."""
    decoder = codecs.getincrementaldecoder("utf-8")("ignore")
    valid = beyond = 0
    for chunk in _chunks(path):
        valid += len(decoder.decode(chunk).encode().translate(None, ASCII))
        beyond += len(chunk.translate(None, ASCII))
    return valid * 2 > beyond


def _check_no_nul(place: int, line: int) -> None:
    if place != -1:
        raise UnreadableFile(
            FileFault.NUL,
            f"Line {line:,} has a NUL character: the file is damaged, or isn't text. Save it again as CSV.",
        )


def _guess(path: Path) -> str:
    """Return the likeliest encoding of a file that isn't Unicode."""
    used: set[int] = set()
    sample = bytearray()
    for chunk in _chunks(path):
        beyond = chunk.translate(None, ASCII)
        used.update(beyond)
        if beyond and len(sample) < SAMPLE:
            for line in chunk.splitlines(keepends=True):
                if not line.isascii() and len(sample) < SAMPLE:
                    sample += line[:SAMPLE]
    possible = [name for name in GUESSED if _decodes(bytes(sorted(used)), name)]
    if not possible:
        raise UnreadableFile(FileFault.ENCODING, "The file's encoding is unknown. Save it as CSV in UTF-8.")
    best = from_bytes(bytes(sample), cp_isolation=possible).best() if len(possible) > 1 else None
    return best.encoding if best is not None and best.encoding in possible else possible[0]


def _decodes(letters: bytes, encoding: str) -> bool:
    try:
        letters.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
