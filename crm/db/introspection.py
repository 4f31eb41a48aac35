"""Indexes in the database: their definitions, and the sessions that may be building them."""

from dataclasses import dataclass

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# Sessions with a lock on table t as for a build. Locks are visible to all, unlike the progress of other roles. A
# concurrent build holds one on its table until its end, between its transactions too, as does DROP INDEX CONCURRENTLY.
# An autovacuum worker has no user.
BUILDING_SESSIONS = """
SELECT a.pid, coalesce(a.application_name, '') FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'relation' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (l.relation = t.oid OR l.relation IN (SELECT indexrelid FROM pg_index WHERE indrelid = t.oid))
    AND l.mode IN (
        'ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'
    )
    AND l.pid <> pg_backend_pid() AND a.usesysid IS NOT NULL
"""


@dataclass(frozen=True)
class ExistingIndex:
    """An index in the database. `definition` has the form of `declared_definition`."""

    table: str
    valid: bool
    definition: str

    def finds_the_same(self, definition: str) -> bool:
        """Return whether an index of this definition finds the same rows. Storage parameters may differ."""
        # It loads PostgreSQL's grammar, which a worker doesn't need to read the migrations.
        from crm.db.index_definitions import reword_definition

        return reword_definition(self.definition) == reword_definition(definition)


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
    return ExistingIndex(row[0], row[1], without_names(row[2])) if row else None


def find_building_session(connection: BaseDatabaseWrapper, table: str) -> str:
    """Describe a session that may be building an index of the table on PostgreSQL; empty if there is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT b.* FROM pg_class t CROSS JOIN LATERAL ({BUILDING_SESSIONS}) b WHERE t.oid = %s::regclass LIMIT 1",  # noqa: S608  # a constant
            [connection.ops.quote_name(table)],
        )
        row = cursor.fetchone()
    if row is None:
        return ""
    pid, application = row
    return f"session {pid} ({application})" if application else f"session {pid}"


def declared_definition(schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model], index: models.Index) -> str:
    """Return the definition that `index` will have once it is built.

    SQLite stores the statement unchanged. PostgreSQL rewrites it, so the index is built on an empty copy of the table
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
            return without_names(cursor.fetchone()[0])
        finally:
            cursor.execute(f"DROP TABLE {copy}")


def without_names(definition: str) -> str:
    """Return `CREATE [UNIQUE] INDEX name ON schema.table USING …` as `[UNIQUE] USING …`."""
    head, _, tail = definition.partition(" USING ")
    return ("UNIQUE " if head.startswith("CREATE UNIQUE") else "") + "USING " + tail
