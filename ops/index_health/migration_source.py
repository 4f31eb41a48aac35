"""Migrations that create indexes, and whether they are applied."""

from dataclasses import dataclass

from django.db import connections
from django.db.migrations import AddConstraint, AddIndex, CreateModel, RenameIndex
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation


@dataclass(frozen=True)
class MigrationSource:
    """The migration that creates an index. `manage.py migrate` runs it only if it is not `applied`."""

    app: str
    migration: str
    applied: bool

    def __str__(self) -> str:
        return f"{self.app}.{self.migration}"


def find_migration_sources(alias: str) -> dict[str, MigrationSource]:
    """Return the last migration that creates each index or constraint, by the name of the index."""
    loader = MigrationLoader(connections[alias])
    return {
        name: MigrationSource(app, migration, (app, migration) in loader.applied_migrations)
        for (app, migration), found in sorted(loader.disk_migrations.items())
        for operation in found.operations
        for name in _created_names(operation)
    }


def _created_names(operation: Operation) -> list[str]:
    if isinstance(operation, AddIndex):
        return [operation.index.name]
    if isinstance(operation, AddConstraint):
        return [operation.constraint.name]
    if isinstance(operation, RenameIndex):
        return [operation.new_name]
    if isinstance(operation, CreateModel):
        return [one.name for kind in ("indexes", "constraints") for one in operation.options.get(kind, [])]
    return []
