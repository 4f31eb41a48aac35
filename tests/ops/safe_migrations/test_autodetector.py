"""Autodetector of `makemigrations`."""

from django.db.migrations.loader import MigrationLoader
from django.db.models import CheckConstraint, Q

from ops.safe_migrations.autodetector import Autodetector


def detect(label, model):
    """Return the operations of each new migration after a check was added to the model."""
    loader = MigrationLoader(None)
    before = loader.project_state()
    after = before.clone()
    after.add_constraint(label, model, CheckConstraint(condition=Q(id__gt=0), name="planted"))
    changes = Autodetector(before, after).changes(graph=loader.graph)
    assert list(changes) == [label]
    return [[type(operation).__name__ for operation in migration.operations] for migration in changes[label]]


def test_check_of_a_large_table_is_validated_in_a_second_migration():
    assert detect("calls", "call") == [["AddConstraintNotValid"], ["ValidateConstraint"]]


def test_check_of_a_small_table_is_one_step():
    assert detect("crm", "user") == [["AddConstraint"]]
