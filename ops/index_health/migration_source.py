"""Which migration makes an index, and whether it has run."""

from dataclasses import dataclass

from django.db import connections
from django.db.migrations import AddConstraint, AddIndex, CreateModel, RenameIndex
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation


@dataclass(frozen=True)
class MigrationSource:
    """`applied`: `manage.py migrate` will not run it again."""

    app: str
    migration: str
    applied: bool

    def __str__(self) -> str:
        return f"{self.app}.{self.migration}"


def find_migration_sources(alias: str) -> dict[str, MigrationSource]:
    """By the name of an index or constraint; of several migrations, the last."""
    loader = MigrationLoader(connections[alias])
    return {
        name: MigrationSource(app, migration, (app, migration) in loader.applied_migrations)
        for (app, migration), found in sorted(loader.disk_migrations.items())
        for operation in found.operations
        for name in _names(operation)
    }


def _names(operation: Operation) -> list[str]:
    if isinstance(operation, AddIndex):
        return [operation.index.name]
    if isinstance(operation, AddConstraint):
        return [operation.constraint.name]
    if isinstance(operation, RenameIndex):
        return [operation.new_name]
    if isinstance(operation, CreateModel):
        return [one.name for kind in ("indexes", "constraints") for one in operation.options.get(kind, [])]
    return []
