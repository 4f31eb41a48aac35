"""Index definitions read from the database, in a form that compares with declarations."""

import re
from dataclasses import dataclass

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# A list of texts in a condition, as PostgreSQL shows it until the index is dumped and restored. Then each text has its
# own cast.
TEXT_LIST = re.compile(r"\(ARRAY\[((?:'(?:[^']|'')*'::character varying(?:, )?)+)\]\)::text\[\]")
TEXT_IN_LIST = re.compile(r"'(?:[^']|'')*'::character varying")


@dataclass(frozen=True)
class ExistingIndex:
    """An index in the database. `definition` has the form of `declared_definition`."""

    table: str
    valid: bool
    definition: str


def find_index(schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model], name: str) -> ExistingIndex | None:
    """Return the index of this name, on any table, in the schema of the model's table."""
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "sqlite":
            cursor.execute("SELECT tbl_name, sql FROM sqlite_master WHERE type = 'index' AND name = %s", [name])
            row = cursor.fetchone()
            return ExistingIndex(row[0], True, row[1]) if row else None
        cursor.execute(
            """
            SELECT t.relname, i.indisvalid AND i.indisready, pg_get_indexdef(i.indexrelid)
            FROM pg_index i
            JOIN pg_class c ON c.oid = i.indexrelid
            JOIN pg_class t ON t.oid = i.indrelid
            WHERE c.relname = %s AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = %s::regclass)
            """,
            [name, schema_editor.quote_name(model._meta.db_table)],
        )
        row = cursor.fetchone()
    return ExistingIndex(row[0], row[1], normalize_definition(row[2])) if row else None


def declared_definition(schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model], index: models.Index) -> str:
    """Return the definition that `index` will have once it is built.

    SQLite stores the statement unchanged. PostgreSQL normalizes it, so the index is built on an empty copy of the table
    and read back.
    """
    statement = index.create_sql(model, schema_editor)
    if schema_editor.connection.vendor == "sqlite":
        return str(statement)
    table, copy = model._meta.db_table, "index_definition_copy"
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {copy} (LIKE {schema_editor.quote_name(table)})")
        try:
            statement.rename_table_references(table, copy)
            cursor.execute(str(statement))
            cursor.execute("SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s::regclass", [copy])
            return normalize_definition(cursor.fetchone()[0])
        finally:
            cursor.execute(f"DROP TABLE {copy}")


def normalize_definition(definition: str) -> str:
    """Return `CREATE [UNIQUE] INDEX name ON schema.table USING …` without the names, in the form after a restore."""
    head, _, tail = definition.partition(" USING ")
    tail = TEXT_LIST.sub(lambda found: f"ARRAY[{TEXT_IN_LIST.sub(_cast, found[1])}]", tail)
    return ("UNIQUE " if head.startswith("CREATE UNIQUE") else "") + "USING " + tail


def _cast(text: re.Match[str]) -> str:
    return f"({text[0]})::text"
