"""Storage settings of busy tables."""

import pytest
from django.db import connection

from crm.db.rate_counters import TABLE
from crm.db.storage import StorageSettings
from tests.conftest import postgres_only
from tests.db.catalogue import product_models

pytestmark = [pytest.mark.django_db, postgres_only]


def stored():
    """Return the storage parameters of the tables that have any, as numbers."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname, o.option_name, o.option_value::float
            FROM pg_class c, pg_options_to_table(c.reloptions) o
            WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
            """
        )
        found = {}
        for table, parameter, value in cursor.fetchall():
            found.setdefault(table, {})[parameter] = value
        return found


def declarations():
    return {
        model: constraint
        for model in product_models()
        for constraint in model._meta.constraints
        if isinstance(constraint, StorageSettings)
    }


def test_tables_have_the_declared_settings_and_no_others():
    declared = {model._meta.db_table: constraint.parameters for model, constraint in declarations().items()}
    assert stored() == declared | {TABLE: {"fillfactor": 50}}


@pytest.mark.parametrize(
    "table",
    ["activities", "calls", "conversations", "idempotency_keys", "message_threads", "phone_lines", "webhook_events"],
)
def test_busy_table_is_vacuumed_and_analyzed_before_a_fiftieth_has_changed(table):
    settings = stored()[table]
    assert settings["autovacuum_vacuum_scale_factor"] <= 0.02
    assert settings["autovacuum_analyze_scale_factor"] <= 0.02


def test_reversal_removes_the_settings():
    [(model, constraint)] = [pair for pair in declarations().items() if pair[0]._meta.db_table == "phone_lines"]
    with connection.schema_editor() as editor:
        editor.remove_constraint(model, constraint)
    assert "phone_lines" not in stored()
