"""`manage.py backup`: a dump by a real pg_dump, restored by a real pg_restore, and compared by checksums."""

import json
import os
import re
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils.timezone import now

from crm.db.tenancy import all_tenants, tenant
from crm.models import Contact
from messaging.models import Message
from ops.backup import dump
from ops.backup.checksums import read_contents
from tests import factories
from tests.conftest import postgres_only
from tests.messaging.conftest import provider_server  # noqa: F401  # a fixture
from tests.ops.index_health.databases import connected_to, new_database
from tests.ops.roles import connected, new_role
from tests.postgres_server import SUPERUSER, find_binaries

RESTORE = Path(__file__).resolve().parents[2] / "deploy" / "restore.sh"

pytestmark = [pytest.mark.django_db(transaction=True), postgres_only, pytest.mark.slow]


@pytest.fixture(scope="module")
def binaries():
    """The folder of pg_dump and pg_restore."""
    folder = find_binaries()
    if not (folder / "pg_dump").exists() or not (folder / "pg_restore").exists():
        pytest.skip("pg_dump and pg_restore are not installed: install requirements/dev.txt, or set PG_BIN")
    return folder


@pytest.fixture
def back_up(binaries, settings):
    """Back the test's database up, as the backup role."""
    settings.PG_BIN = str(binaries)
    with new_role("backup", "BYPASSRLS IN ROLE pg_read_all_data") as role:

        def back_up(file):
            with connected(USER=role):
                call_command("backup", str(file))
            return file

        yield back_up


@pytest.fixture
def company(acme, globex):
    """Rows of several kinds, with odd texts, of two companies."""
    for one in (acme, globex):
        contact = factories.ContactFactory(company=one, first_name="Zoë 'quoted' \\ line\nbreak 雨")
        factories.CallFactory(contact=contact)
        factories.AppointmentFactory(contact=contact)
        factories.WebhookEventFactory(company=one, body=b"\x00\xff raw", created_at=now() - timedelta(days=2))
        factories.WebhookSecretFactory(company=one)
        factories.UserFactory(company=one)
        factories.ProviderAccountFactory(company=one)
        line = factories.PhoneLineFactory(company=one)
        for status in ("queued", "sending", "unknown"):
            factories.MessageFactory(
                contact=contact,
                phone_line=line,
                direction="outgoing",
                kind="reply",
                to_numbers=[contact.phone],
                status=status,
                run_at=now(),
                sent_at=now(),
            )
    return acme


def restore(file, binaries, name):
    """Restore a dump into an empty database, as the role that will own the tables."""
    settings = connection.settings_dict
    done = subprocess.run(
        [RESTORE, file, name, "4"],
        env=os.environ | {"PGHOST": settings["HOST"], "PGUSER": settings["USER"], "PG_BIN": str(binaries)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def compare(file):
    call_command("backup", "--compare", f"{file}.manifest")


@pytest.fixture
def restored(back_up, binaries, company, tmp_path):
    """A backup, and the name of a database that was restored from it."""
    file = back_up(tmp_path / "crm.dump")
    with new_database(tmp_path) as name:
        restore(file, binaries, name)
        yield file, name


def as_backup_role(name):
    """Connect to the restored database as a role that sees all rows: its superuser."""
    return connected(NAME=name, USER=SUPERUSER)


def test_restored_database_equals_the_backup(restored, capsys):
    file, name = restored
    with as_backup_role(name):
        compare(file)
    assert re.search(r"All \d\d tables are as in the backup of 20", capsys.readouterr().out)


def test_restored_database_has_all_indexes_policies_and_triggers(restored, capsys):
    _, name = restored
    counts = (
        "SELECT (SELECT count(*) FROM pg_policy), (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal),"
        " (SELECT count(*) FROM pg_class WHERE relrowsecurity AND relforcerowsecurity)"
    )

    def facts():
        with connection.cursor() as cursor:
            cursor.execute(counts)
            return cursor.fetchone()

    before = facts()
    with connected_to(name):
        assert facts() == before
        assert min(before) > 10
        call_command("index_report", "--fail-on", "drift")
        call_command("migrate", "--check")


def test_product_goes_on_in_the_restored_database(restored, company, client):
    _, name = restored
    with connected_to(name):
        assert client.get("/readyz").status_code == 200
        with tenant(company.pk):
            assert Contact.objects.get().first_name.startswith("Zoë")
            factories.ContactFactory(company=company)  # the sequences go on after the restored ids


def test_restored_database_sends_nothing_again(restored, company, provider_server):  # noqa: F811  # a fixture
    _, name = restored
    with connected_to(name):
        call_command("hold_texts")
        call_command("work", "--until-empty")
        with all_tenants():
            assert set(Message.objects.values_list("status", flat=True)) == {"held"}
    assert provider_server.requests == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("UPDATE contacts SET first_name = 'Zoé' WHERE id = (SELECT min(id) FROM contacts)", "but other values"),
        (
            "DELETE FROM webhook_secrets WHERE id = (SELECT min(id) FROM webhook_secrets)",
            "1 rows, but the backup has 2",
        ),
        ("DROP TABLE webhook_secrets", "webhook_secrets: the table is missing"),
        ("CREATE TABLE more (id bigint)", "more: the backup has no such table"),
    ],
)
def test_difference_is_named_and_fails_the_comparison(restored, capsys, change, sentence):
    file, name = restored
    with as_backup_role(name):
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(change)
        with pytest.raises(CommandError, match=r"^1 tables differ"):
            compare(file)
    assert sentence in capsys.readouterr().out


def test_manifest_counts_the_rows_of_every_table_at_the_instant_of_the_dump(back_up, company, tmp_path, monkeypatch):
    original = dump._run_pg_dump

    def run_while_another_session_writes(*args, **kwargs):
        other = connection.Database.connect(**connection.get_connection_params() | {"user": "crm"})
        with other, other.cursor() as cursor:
            cursor.execute("SELECT set_config('crm.all_companies', 'on', false); DELETE FROM webhook_secrets")
        other.close()
        original(*args, **kwargs)

    monkeypatch.setattr(dump, "_run_pg_dump", run_while_another_session_writes)
    file = back_up(tmp_path / "crm.dump")
    tables = json.loads(Path(f"{file}.manifest").read_text())["tables"]
    assert tables["webhook_secrets"]["rows"] == 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM webhook_secrets")
        assert cursor.fetchone() == (0,)


def test_files_are_for_the_owner_only_and_never_overwritten(back_up, company, tmp_path):
    file = back_up(tmp_path / "crm.dump")
    for path in (file, Path(f"{file}.manifest")):
        assert path.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()
    with pytest.raises(CommandError, match="exists already"):
        back_up(file)
    assert file.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crm.dump", "crm.dump.manifest"]


def test_failed_dump_leaves_no_file_and_shows_the_reason(back_up, company, tmp_path, settings, binaries):
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump: error: the disk is full' >&2\nexit 1\n")
    (fake / "pg_dump").chmod(0o755)
    settings.PG_BIN = str(fake)
    with pytest.raises(CommandError, match="the disk is full"):
        back_up(tmp_path / "crm.dump")
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


def test_password_is_in_the_environment_and_not_in_the_arguments(back_up, company, tmp_path, settings, binaries):
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "pg_dump").write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\necho "$PGPASSWORD" > {tmp_path}/password\n'
        f'exec {binaries}/pg_dump "$@"\n'
    )
    (fake / "pg_dump").chmod(0o755)
    settings.PG_BIN = str(fake)
    with connected(PASSWORD="a pass'word"):
        back_up(tmp_path / "crm.dump")
    assert "pass'word" not in (tmp_path / "arguments").read_text()
    assert (tmp_path / "password").read_text() == "a pass'word\n"


def test_missing_pg_dump_is_named(back_up, company, tmp_path, settings):
    settings.PG_BIN = str(tmp_path / "nowhere")
    with pytest.raises(CommandError, match="set PG_BIN"):
        back_up(tmp_path / "crm.dump")
    assert list(tmp_path.iterdir()) == []


def test_role_that_policies_bind_is_refused(company, tmp_path):
    with pytest.raises(CommandError, match="Connect as the backup role"):
        call_command("backup", str(tmp_path / "crm.dump"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "[]", '{"tables": {}}', '{"tables": {"contacts": 3}}'])
def test_file_that_is_not_a_manifest_is_named(transactional_db, tmp_path, content):
    (tmp_path / "other").write_text(content)
    with pytest.raises(CommandError, match="is not a manifest"):
        call_command("backup", "--compare", str(tmp_path / "other"))


def test_checksum_is_of_whole_rows_whatever_the_columns_are_called(transactional_db):
    def checksum():
        with transaction.atomic():
            return read_contents(["odd"], progress=str)["odd"].checksum

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE odd (one integer, two integer); INSERT INTO odd VALUES (1, 1)")
        try:
            before = checksum()
            cursor.execute("UPDATE odd SET two = 2")
            assert checksum() != before
        finally:
            cursor.execute("DROP TABLE odd")
