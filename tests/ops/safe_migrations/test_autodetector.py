"""Autodetector of `makemigrations`."""

from dataclasses import replace

import pytest
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.writer import MigrationWriter
from django.db.models import CharField, CheckConstraint, GeneratedField, Q
from django.db.models.functions import Upper

from analytics.models import CallObjection
from calls.models import Appointment, Call
from crm.db.audit import Audit
from crm.db.change_feed import Feed
from crm.models import Invoice
from ops.safe_migrations.autodetector import Autodetector
from tests.conftest import postgres_only


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


# --- Triggers ---


def operations_for(label, change=lambda state: None):
    """Return the operations that makemigrations writes for an app after a change of the models' state."""
    loader = MigrationLoader(None)
    before = loader.project_state()
    after = before.clone()
    change(after)
    changes = Autodetector(before, after).changes(graph=loader.graph)
    assert set(changes) <= {label}
    return [operation for migration in changes.get(label, []) for operation in migration.operations]


def names_of(operations):
    return [type(operation).__name__ for operation in operations]


def test_declarations_are_those_of_the_migrations():
    assert operations_for("crm") == []


def test_changed_triggers_are_created_again(monkeypatch):
    changed = replace(Call.triggers, postgresql=Call.triggers.postgresql + "-- more")
    monkeypatch.setattr(Call, "triggers", changed)
    [operation] = operations_for("calls")
    assert operation.postgresql == changed.postgresql


@pytest.mark.parametrize(
    ("declaration", "name"),
    [("triggers", "DropTriggers"), ("feed", "DropFeedTriggers"), ("audit", "DropAuditTriggers")],
)
def test_triggers_whose_declaration_has_gone_are_dropped(monkeypatch, declaration, name):
    model = {"triggers": Call, "feed": Call, "audit": Appointment}[declaration]
    monkeypatch.setattr(model, declaration, None)
    [operation] = operations_for("calls")
    assert type(operation).__name__ == name
    assert operation.describe().startswith("Drop")


@pytest.mark.parametrize(
    ("declaration", "value"),
    [("audit", Audit(skips=("updated_at",), hides=("number",))), ("feed", Feed("invoices", ignores=("number",)))],
)
def test_new_or_changed_declaration_is_written(monkeypatch, declaration, value):
    monkeypatch.setattr(Invoice, declaration, value, raising=False)
    [operation] = operations_for("crm")
    assert getattr(operation, declaration) == value


def test_triggers_go_before_the_model_whose_table_they_write_to(monkeypatch):
    monkeypatch.setattr(CallObjection, "triggers", None)
    monkeypatch.setattr(CallObjection, "feed", None, raising=False)
    operations = operations_for("analytics", lambda state: state.remove_model("analytics", "callobjection"))
    assert names_of(operations)[0] == "DropTriggers"
    assert "DeleteModel" in names_of(operations)


def test_triggers_that_name_generated_columns_follow_a_new_one():
    shout = GeneratedField(expression=Upper("first_name"), output_field=CharField(max_length=100), db_persist=True)
    operations = operations_for("crm", lambda state: state.add_field("crm", "contact", "shout", shout, True))
    assert names_of(operations) == ["AddField", "CreateAuditTriggers", "CreateFeedTriggers"]


def test_triggers_of_a_new_model_follow_its_foreign_keys():
    """As if the app had no appointments yet."""
    loader = MigrationLoader(None)
    after = loader.project_state()
    before = after.clone()
    before.remove_model("calls", "appointment")
    detector = Autodetector(before, after)
    [migration, *_] = detector.changes(graph=loader.graph)["calls"]
    names = names_of(migration.operations)
    assert max(index for index, name in enumerate(names) if name in ("CreateModel", "AddField")) < min(
        index for index, name in enumerate(names) if name.startswith("Create") and name != "CreateModel"
    )


@pytest.mark.parametrize("declaration", ["triggers", "feed", "audit"])
def test_migration_file_of_an_operation_is_read_as_written(monkeypatch, declaration):
    model = Appointment if declaration == "audit" else Call
    monkeypatch.setattr(model, declaration, None)
    operations = operations_for("calls")
    migration = Migration("2000_planted", "calls")
    migration.operations = operations
    written = {}
    exec(MigrationWriter(migration).as_string(), written)  # noqa: S102  # the writer's own text
    assert [one.deconstruct() for one in written["Migration"].operations] == [one.deconstruct() for one in operations]


@postgres_only
@pytest.mark.parametrize("declaration", ["triggers", "feed", "audit"])
def test_drop_is_undone_by_going_back(monkeypatch, db, declaration):
    model = Appointment if declaration == "audit" else Call
    monkeypatch.setattr(model, declaration, None)
    [drop] = operations_for("calls")
    state = MigrationLoader(None).project_state()
    before = triggers()
    with connection.schema_editor() as editor:
        drop.database_forwards("calls", editor, state, state)
        dropped = triggers()
        drop.database_backwards("calls", editor, state, state)
    assert dropped < before == triggers()


def triggers():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal")
        return {definition for (definition,) in cursor.fetchall()}
