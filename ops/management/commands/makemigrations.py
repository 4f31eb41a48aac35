"""`manage.py makemigrations`: Django's, which also finds new and changed triggers."""

from django.core.management.commands import makemigrations
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader

from crm.db.triggers import CreateTriggers, Triggers, declared_triggers


class TriggerDetector(MigrationAutodetector):
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


class Command(makemigrations.Command):
    autodetector = TriggerDetector
