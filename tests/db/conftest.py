"""Fixtures of the tests of crm.db."""

import pytest
from django.db import connection
from django.db.migrations.state import ProjectState

from tests.db.scratch import TABLE, declare_rows


@pytest.fixture
def scratch(transactional_db):
    """The project state of an app `crm` with one small table that holds two equal numbers."""
    state = ProjectState()
    create = declare_rows()
    create.state_forwards("crm", state)
    with connection.schema_editor() as editor:
        create.database_forwards("crm", editor, ProjectState(), state)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {TABLE} (number, word) VALUES (7, 'seven'), (7, NULL), (8, 'eight')")
    yield state
    with connection.schema_editor() as editor:
        create.database_backwards("crm", editor, state, ProjectState())
