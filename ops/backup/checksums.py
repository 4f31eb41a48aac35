"""Rows and checksums of every table, which a backup and the database restored from it have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection

# The text of a value depends on these settings of a session.
TEXT_FORM = {
    "timezone": "UTC",
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "row_security": "off",  # a hidden row is an error, never a smaller number
}

# A number of 64 bits. PostgreSQL's own hash functions may change with a major version. `one.*` is the row, also in a
# table with a column called "one".
SHA256 = "sha256(convert_to((one.*)::text, 'UTF8'))"
ROW_HASH = f"('x' || encode(substr({SHA256}, 1, 8), 'hex'))::bit(64)::bigint::numeric"


@dataclass(frozen=True)
class TableContent:
    rows: int
    checksum: str
    """Sum of the rows' hashes: the order of the rows doesn't count."""


def table_names() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema ORDER BY 1")
        return [name for (name,) in cursor.fetchall()]


def read_contents(tables: list[str], *, progress: Callable[[str], Any]) -> dict[str, TableContent]:
    """Return the content of tables, as the open transaction sees them. It reads every row once."""
    contents = {}
    with connection.cursor() as cursor:
        for name, value in TEXT_FORM.items():
            cursor.execute("SELECT set_config(%s, %s, true)", [name, value])
        for table in tables:
            quoted = connection.ops.quote_name(table)
            cursor.execute(f"SELECT count(*), coalesce(sum({ROW_HASH}), 0)::text FROM {quoted} one")  # noqa: S608  # a name of the catalogue
            contents[table] = TableContent(*cursor.fetchone())
            progress(table)
    return contents
