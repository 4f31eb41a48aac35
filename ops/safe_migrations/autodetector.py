"""Autodetector of `makemigrations`: it also finds changed triggers, and splits checks of large tables in two steps."""

from typing import Any

from django.db.migrations import AddConstraint, Migration
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.models import CheckConstraint

from crm.db.constraint_operations import AddConstraintNotValid, ValidateConstraint
from crm.db.policies import SameCompany
from crm.db.triggers import CreateTriggers, Triggers, declared_triggers
from ops.safe_migrations.file_checks import SMALL_TABLES


class Autodetector(MigrationAutodetector):
    def generate_added_constraints(self) -> None:
        super().generate_added_constraints()
        created = {
            (label, operation.on, operation.name): operation.deconstruct()
            for (label, _), migration in sorted(MigrationLoader(None).disk_migrations.items())
            for operation in migration.operations
            if isinstance(operation, CreateTriggers)
        }  # a later migration replaces a trigger of the same name
        for model, triggers in declared_triggers(Triggers):
            label = model._meta.app_label
            operation = CreateTriggers(triggers.on, triggers.name, triggers.postgresql, triggers.each_row)
            if created.get((label, triggers.on, triggers.name)) != operation.deconstruct():
                self.add_operation(label, operation)

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

    def _reads_a_large_table(self, label: str, operation: Operation) -> bool:
        """Return whether the operation adds a check to a table that exists and isn't small."""
        if not isinstance(operation, AddConstraint) or not isinstance(
            operation.constraint, CheckConstraint | SameCompany
        ):
            return False
        model = self.from_state.models.get((label, operation.model_name_lower))
        return model is not None and model.options.get("db_table") not in SMALL_TABLES
