"""A database that pg_dump and pg_restore copied: it words conditions anew, and has no drift."""

import subprocess

import pytest
from django.core.management import call_command
from django.db import connection

from tests.conftest import postgres_only
from tests.ops.index_health.databases import connected_to, new_database
from tests.postgres_server import SUPERUSER, find_binaries

pytestmark = [postgres_only, pytest.mark.slow]


def definitions():
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'")
        return dict(cursor.fetchall())


@pytest.fixture
def restored(demo, django_db_blocker, tmp_path):
    """A connection to a copy of the demo database that was dumped and restored. Yields the original's definitions."""
    dump, programs = str(tmp_path / "demo.dump"), find_binaries()
    if not ((programs / "pg_dump").exists() and (programs / "pg_restore").exists()):
        pytest.skip("This PostgreSQL has no pg_dump and pg_restore.")
    # Row-level security would hide rows from the owner.
    who = ["-h", connection.get_connection_params()["host"], "-U", SUPERUSER]
    subprocess.run([programs / "pg_dump", *who, "-Fc", "-f", dump, demo], check=True)
    with django_db_blocker.unblock(), new_database(tmp_path) as name:
        subprocess.run([programs / "pg_restore", *who, "--exit-on-error", "-d", name, dump], check=True)
        with connected_to(demo):
            original = definitions()
        with connected_to(name):
            yield original


def test_restored_database_has_no_drift(restored, capsys):
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as deploy/restore.sh does
    call_command("index_report", "--fail-on", "drift,redundant")
    assert "No findings." in capsys.readouterr().out
    assert definitions().keys() == restored.keys()
    assert definitions() != restored  # in words, or this test would prove nothing
