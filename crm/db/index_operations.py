"""Migration operations that add and remove indexes without blocking writers. Frozen into migrations.

On PostgreSQL an index is built and dropped CONCURRENTLY; on SQLite these are the ordinary operations. They run outside
of a transaction, so a migration that fails leaves some of its indexes behind. A failed concurrent build leaves an
INVALID index, which `IF NOT EXISTS` would keep for ever. Migrating again continues: an index that exists as declared is
kept, and an invalid one is rebuilt. Another index of the same name is refused. One that another session builds is
INVALID, too, so the table's other sessions are waited for first.
"""

import copy
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddIndex, RemoveIndex
from django.db.migrations.state import ProjectState
from django.db.transaction import TransactionManagementError
from django.db.utils import ProgrammingError

from crm.db.broken_indexes import drop_broken_index
from crm.db.introspection import ExistingIndex, declared_definition, find_building_session, find_index

logger = logging.getLogger(__name__)

TIMEOUTS = ["lock_timeout", "statement_timeout", "transaction_timeout"]
INDEX_BUILD_LOCK_ID = 7_061_959_436  # arbitrary, but no other advisory lock in the database may use it
POLL_S = 0.2


class IndexNameTaken(ProgrammingError):
    """The database has an index of this name with another definition. Nothing was changed."""


class AddIndexConcurrently(AddIndex):
    """Build an index while others write. Running it twice is harmless.

    Raises:
        IndexNameTaken: an index of this name is on another table, or has other columns, method or condition.
        TransactionManagementError: the migration lacks `atomic = False`.
    """

    atomic = False

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        indexes = state.models[app_label, self.model_name_lower].options["indexes"]
        set_state_indexes(state, app_label, self.model_name_lower, [*indexes, self.index.clone()])

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            build_index(schema_editor, model, self.index)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            drop_index(schema_editor, model, self.index)


class RemoveIndexConcurrently(RemoveIndex):
    """Drop an index while others write. Running it twice is harmless; backwards it builds the index again."""

    atomic = False

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        indexes = state.models[app_label, self.model_name_lower].options["indexes"]
        left = [index for index in indexes if index.name != self.name]
        set_state_indexes(state, app_label, self.model_name_lower, left)

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._addition(app_label, from_state).database_backwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._addition(app_label, to_state).database_forwards(app_label, schema_editor, from_state, to_state)

    def _addition(self, app_label: str, state: ProjectState) -> AddIndexConcurrently:
        """Return the operation that this one undoes."""
        index = state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
        return AddIndexConcurrently(self.model_name, index)


def set_state_indexes(state: ProjectState, app_label: str, model_name: str, indexes: list[models.Index]) -> None:
    """Set the indexes of a model in the state of a migration.

    Django would render the model and all its relations anew, which took nine tenths of the time of `migrate` on an
    empty database. An index changes no field, so a copy of the rendered class is enough: states before this one share
    the class itself, and keep their indexes.
    """
    state.models[app_label, model_name].options["indexes"] = indexes
    if "apps" not in state.__dict__:  # nothing is rendered yet
        return
    rendered = state.apps.get_model(app_label, model_name)
    attributes = {name: value for name, value in vars(rendered).items() if name not in ("__dict__", "__weakref__")}
    copied = type.__new__(type(rendered), rendered.__name__, rendered.__bases__, attributes)
    copied._meta = copy.copy(rendered._meta)
    copied._meta.indexes = list(indexes)
    state.apps.all_models[app_label][model_name] = copied


def build_index(schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model], index: models.Index) -> None:
    """Build `index` unless a valid one of the same definition exists; rebuild an invalid one.

    Raises:
        IndexNameTaken: the name belongs to an index on another table or with another definition.
    """
    if schema_editor.collect_sql:  # `sqlmigrate` only collects statements, and may have no database
        schema_editor.add_index(model, index, **_concurrently(schema_editor))
        return
    with exclusive_build_lock(schema_editor):
        _wait_for_other_sessions(schema_editor, model)
        while existing := find_index(schema_editor, model, index.name):
            if existing.table != model._meta.db_table:
                raise IndexNameTaken(f"Index {index.name} exists on table {existing.table}; rename or drop it first.")
            if existing.valid:
                _require_definition(schema_editor, model, index, existing)
                return
            if not drop_broken_index(schema_editor.connection, existing.table, index.name):
                _wait_for_other_sessions(schema_editor, model)
        schema_editor.add_index(model, index, **_concurrently(schema_editor))


def _require_definition(
    schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model], index: models.Index, existing: ExistingIndex
) -> None:
    declared = declared_definition(schema_editor, model, index)
    if not existing.finds_the_same(declared):
        raise IndexNameTaken(
            f"Index {index.name} exists with another definition.\n"
            f"  in the database: {existing.definition}\n"
            f"  declared:        {declared}\n"
            "Drop or rename it, then migrate again."
        )


def drop_index(schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model], index: models.Index) -> None:
    """Drop `index` if it exists on the model's table, valid or not."""
    if schema_editor.collect_sql:
        schema_editor.remove_index(model, index, **_concurrently(schema_editor))
        return
    with exclusive_build_lock(schema_editor):
        _wait_for_other_sessions(schema_editor, model)
        existing = find_index(schema_editor, model, index.name)
        if existing and existing.table == model._meta.db_table:
            schema_editor.remove_index(model, index, **_concurrently(schema_editor))


def _wait_for_other_sessions(schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model]) -> None:
    """Wait until no other session holds a lock on the table as for a build of one of its indexes.

    It is polled: a waiting statement holds a snapshot, for which the other build would wait. PostgreSQL would end one.
    """
    if schema_editor.connection.vendor != "postgresql":
        return
    table, named = model._meta.db_table, ""
    while session := find_building_session(schema_editor.connection, table):
        if session != named:
            logger.warning(
                "Waiting for %s, which holds a lock on table %s and may be building an index. "
                "Nothing is dropped meanwhile.",
                session,
                table,
            )
            named = session
        time.sleep(POLL_S)


def _concurrently(schema_editor: BaseDatabaseSchemaEditor) -> dict[str, bool]:
    """Return the argument that only PostgreSQL's schema editor takes."""
    return {"concurrently": True} if schema_editor.connection.vendor == "postgresql" else {}


@contextmanager
def exclusive_build_lock(schema_editor: BaseDatabaseSchemaEditor) -> Iterator[None]:
    """Allow one index build at a time on PostgreSQL, without timeouts while it waits for old transactions.

    A second `migrate` would mistake the unfinished index of the first for an invalid one, and both would deadlock.
    A timeout would only leave an INVALID index behind: a waiting concurrent build blocks no other session.

    Raises:
        TransactionManagementError: inside a transaction, which CREATE INDEX CONCURRENTLY refuses.
    """
    if schema_editor.connection.vendor != "postgresql":
        yield
        return
    if schema_editor.connection.in_atomic_block:
        raise TransactionManagementError(
            "CREATE INDEX CONCURRENTLY can't run in a transaction; set atomic = False on the migration."
        )
    with schema_editor.connection.cursor() as cursor:
        # The lock is polled: a session that waits for it holds a snapshot, and the running build would wait for that.
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [INDEX_BUILD_LOCK_ID])
        while not cursor.fetchone()[0]:
            time.sleep(POLL_S)
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [INDEX_BUILD_LOCK_ID])
        try:
            with _without_timeouts(schema_editor):
                yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [INDEX_BUILD_LOCK_ID])


@contextmanager
def _without_timeouts(schema_editor: BaseDatabaseSchemaEditor) -> Iterator[None]:
    """Switch off the session's timeouts that this PostgreSQL version has, and restore them afterwards."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [TIMEOUTS])
        before = cursor.fetchall()
        try:
            for name, _ in before:
                cursor.execute("SELECT set_config(%s, '0', false)", [name])
            yield
        finally:
            for name, setting in before:
                cursor.execute("SELECT set_config(%s, %s, false)", [name, setting])
