"""Headers: the names of a file's columns, and the set of names by which a file's kind is known."""

import re
from hashlib import sha256

from crm.phones import InvalidPhone, digits_of, normalize_phone
from crm.services.imports.reading.faults import FileFault, UnreadableFile

MAX_COLUMNS = 1_000
MAX_NAME = 200
_NOT_NAMES = re.compile(r"[^\s@]+@[^\s@]+\.[a-z]{2,}|[$(-]?\d[\d.,]*%?|\d{1,4}[/-]\d{1,2}[/-]\d{1,4}", re.IGNORECASE)
_SEPARATORS = re.compile(r"[^\w$%#]+|_+")


def read_header(cells: list[str]) -> list[str]:
    """Return the names of the columns. A column without a name gets its number: `Column 7`.

    Raises:
        UnreadableFile: the cells are values and no names, or a name occurs twice.
    """
    names = [cell.strip().strip("\ufeff")[:MAX_NAME].strip() for cell in cells]
    if len(names) > MAX_COLUMNS:
        raise UnreadableFile(
            FileFault.TOO_MANY_COLUMNS, f"The file has {len(names):,} columns; up to {MAX_COLUMNS:,} can be read."
        )
    if (value := next((name for name in names if _is_value(name)), None)) is not None:
        raise UnreadableFile(
            FileFault.NO_HEADER,
            f"The first row has the value “{value[:40]}”, where the name of a column is expected. "
            "Add a row with the columns' names above it.",
        )
    names = [name or f"Column {place}" for place, name in enumerate(names, start=1)]
    seen: dict[str, str] = {}
    for name in names:
        if (other := seen.setdefault(key_of(name), name)) is not name:
            raise UnreadableFile(
                FileFault.COLUMN_TWICE, f"Two columns have the name “{name}” (“{other}”). Rename one of them."
            )
    return names


def key_of(name: str) -> str:
    """Return the name by which columns are compared: `Primary Mobile_1 ` is `primary mobile 1`."""
    return _SEPARATORS.sub(" ", name.casefold()).strip()


def fingerprint_of(header: list[str]) -> str:
    """Return the identity of a set of columns, in any order."""
    return sha256("\n".join(sorted(map(key_of, header))).encode()).hexdigest()


def _is_value(name: str) -> bool:
    if _NOT_NAMES.fullmatch(name):
        return True
    if len(digits_of(name)) < 10:
        return False
    try:
        normalize_phone(name)
    except InvalidPhone:
        return False
    return True
