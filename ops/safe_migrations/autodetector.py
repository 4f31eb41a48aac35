"""Autodetector of `makemigrations`: it also finds triggers, and splits checks of large tables in two steps."""

from typing import Any

from django.apps import apps
from django.db.migrations import AddConstraint, Migration
from django.db.migrations.autodetector import MigrationAutodetector, OperationDependency
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState
from django.db.models import CheckConstraint, Model

from crm.db.audit import CreateAuditTriggers, DropAuditTriggers
from crm.db.change_feed import CreateFeedTriggers, DropFeedTriggers
from crm.db.constraint_operations import AddConstraintNotValid, ValidateConstraint
from crm.db.policies import SameCompany
from crm.db.postgres_operations import TriggerOperation, Undone
from crm.db.triggers import CreateTriggers, DropTriggers, TriggerDeclaration, declared_triggers
from ops.safe_migrations.file_checks import SMALL_TABLES

Key = tuple[str, tuple[str, ...]]
"""An app, and the key of an operation."""

DROPS: dict[type[TriggerOperation], type[TriggerOperation]] = {
    CreateTriggers: DropTriggers, CreateAuditTriggers: DropAuditTriggers, CreateFeedTriggers: DropFeedTriggers
}  # fmt: skip


class Autodetector(MigrationAutodetector):
    def generate_altered_db_table(self) -> None:
        """Add the triggers after Django's last step: they need all tables and columns."""
        super().generate_altered_db_table()
        created, declared = _read_created(), _read_declared()
        for (label, key), operation in declared.items():
            before = created.get((label, key))
            if before is None or before.deconstruct() != operation.deconstruct() or self._has_other_columns(operation):
                self.add_operation(label, operation, dependencies=_find_needs(operation))
        for label, key in created.keys() - declared.keys():
            _, arguments, options = created[label, key].deconstruct()
            # Before the model goes, whose table they write to: each write to theirs would fail.
            self.add_operation(label, DROPS[type(created[label, key])](*arguments, **options), beginning=True)

    def arrange_for_graph(self, changes: Any, *args: Any, **options: Any) -> Any:
        for label, migrations in changes.items():
            checks = [(m, op) for m in migrations for op in m.operations if self._reads_a_large_table(label, op)]
            for migration, operation in checks:
                online = AddConstraintNotValid(operation.model_name, operation.constraint)
                migration.operations[migration.operations.index(operation)] = online
            if checks:
                members = {
                    "dependencies": [(label, migrations[-1].name)],
                    "operations": [ValidateConstraint(op.model_name, op.constraint.name) for _, op in checks],
                }
                migrations.append(type("Migration", (Migration,), members)(f"auto_{len(migrations) + 1}", label))
        return super().arrange_for_graph(changes, *args, **options)

    def _has_other_columns(self, operation: TriggerOperation) -> bool:
        """Return whether the model got other generated columns, which its triggers name, or other times of change."""
        if not isinstance(operation, CreateAuditTriggers | CreateFeedTriggers):
            return False
        before, after = (
            {_named_columns(model) for (_, name), model in state.models.items() if name == operation.model_name}
            for state in (self.from_state, self.to_state)
        )
        return before != after

    def _reads_a_large_table(self, label: str, operation: Operation) -> bool:
        """Return whether the operation adds a check to a table that exists and isn't small."""
        if not isinstance(operation, AddConstraint) or not isinstance(
            operation.constraint, CheckConstraint | SameCompany
        ):
            return False
        model = self.from_state.models.get((label, operation.model_name_lower))
        return model is not None and model.options.get("db_table") not in SMALL_TABLES


def _read_created() -> dict[Key, TriggerOperation]:
    """Return the last operation of each key in the migrations: a later one replaces triggers of the same names."""
    created: dict[Key, TriggerOperation] = {}
    for (label, _), migration in sorted(MigrationLoader(None).disk_migrations.items()):
        for operation in migration.operations:
            if isinstance(operation, Undone):
                created.pop((label, operation.key), None)
            elif isinstance(operation, TriggerOperation):
                created[label, operation.key] = operation
    return created


def _read_declared() -> dict[Key, TriggerOperation]:
    operations = [
        (model._meta.app_label, declaration.operation(model))
        for model, declaration in declared_triggers(TriggerDeclaration)
    ]
    return {(label, operation.key): operation for label, operation in operations}


def _find_needs(operation: TriggerOperation) -> list[Any]:
    """Return the dependencies on the model with the table that the triggers are on, and on its fields.

    The table may be another app's. Django adds foreign keys of a new model after the model.
    """
    return [
        OperationDependency(model._meta.app_label, str(model._meta.model_name), name, OperationDependency.Type.CREATE)
        for model in apps.get_models()
        if _is_on(operation, model)
        for name in (None, *(field.name for field in model._meta.local_fields))
    ]


def _is_on(operation: TriggerOperation, model: type[Model]) -> bool:
    if isinstance(operation, CreateTriggers):
        return bool(model._meta.db_table == operation.on)
    return bool(model._meta.model_name == operation.key[-1])


def _named_columns(model: ModelState) -> frozenset[str]:
    return frozenset(name for name, field in model.fields.items() if field.generated or name == "updated_at")
