"""Fixtures for migrations that no release contains."""

import sys

import pytest
from django.core.management import call_command

from tests.ops.safe_migrations.planted import last_migration, plant


@pytest.fixture
def planted(request, tmp_path, settings):
    """A function that adds migrations of the app `calls` from their operations' source. The teardown reverses them."""

    def plant_calls(*migrations, atomic=True):
        settings.MIGRATION_MODULES = plant(tmp_path, "calls", *migrations, atomic=atomic)

    yield plant_calls
    if "transactional_db" in request.fixturenames:
        call_command("migrate", "calls", last_migration("calls"), verbosity=0)
    if str(tmp_path) in sys.path:
        sys.path.remove(str(tmp_path))
