"""Faults of whole files, for which nothing of a file is imported."""

from enum import StrEnum


class FileFault(StrEnum):
    """A reason for which a file can't be read."""

    EMPTY = "empty_file"
    NO_HEADER = "no_header"
    HEADER_TWICE = "header_twice"
    COLUMN_TWICE = "column_twice"
    TOO_MANY_COLUMNS = "too_many_columns"
    NO_ROWS = "no_rows"
    TOO_LARGE = "file_too_large"
    NUL = "nul_character"
    BINARY = "binary_file"
    OLD_EXCEL = "old_excel_file"
    BAD_EXCEL = "damaged_excel_file"
    ZIP_BOMB = "zip_bomb"
    ENCODING = "unknown_encoding"
    CELL_TOO_LONG = "cell_too_long"
    QUOTES = "unbalanced_quotes"


class UnreadableFile(ValueError):
    """The file can't be read; `detail` tells a person why, and what to do."""

    def __init__(self, code: FileFault, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail
