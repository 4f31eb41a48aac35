"""The role that each command needs, as docs/deploying.md says."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils.timezone import now

from crm.db.tenancy import tenant
from crm.models import Import
from ops.index_health.catalog import expected
from tests import factories
from tests.conftest import postgres_only
from tests.messaging.payloads import message_v4
from tests.ops.roles import connected, new_role, superuser
from tests.test_commands import COMMANDS

pytestmark = [pytest.mark.django_db(transaction=True), postgres_only, pytest.mark.slow]

PHONE = "+12125550139"
OF_THE_OWNER = {
    "erase_contact": ["acme", PHONE, "--yes"],
    "grant_app_role": ["somebody"],
    "maintain_indexes": ["--apply"],
    "migrate": [],
    "migrate_safely": [],
    "restore_archive": ["{folder}"],
    "seed_demo": ["--companies", "1"],
}
OF_THE_APPLICATION = [
    ["archive", "--older-than", "730d", "--to", "{folder}"],
    ["archive", "--verify", "--to", "{folder}"],
    ["create_company", "--name", "New", "--slug", "new", "--timezone", "America/Denver", "--manager", "boss"],
    ["export_contact", "acme", PHONE],
    ["hold_texts"],
    ["import_contacts", "{contacts}", "--company", "acme"],
    ["index_report"],
    ["provider_account", "acme", "openphone", "--from-file", "{secret}"],
    ["rebuild_rollups"],
    ["reconcile", "--since", "2026-03-01", "--company", "acme"],
    ["replay_webhooks", "{requests}", "--company", "acme"],
    ["reprocess_events", "--company", "acme", "--status", "processed"],
    ["rotate_secrets"],
    ["undo_import", "{import_id}"],
    ["webhook_secret", "acme", "twilio", "--from-file", "{secret}"],
    ["work", "--until-empty"],
    # What the owner's commands do without changing anything.
    ["erase_contact", "acme", PHONE],
    ["maintain_indexes"],
    ["migrate", "--check"],
    ["migrate", "--plan"],
    ["migrate_safely", "--plan"],
    ["restore_archive", "{folder}", "--dry-run"],
    ["seed_demo", "--if-empty"],
    # Django's and its libraries'.
    ["axes_reset"],
    ["axes_reset_username", "maria"],
    ["check", "--deploy", "--database", "default"],
    ["clearsessions"],
    ["createsuperuser", "--noinput", "--username", "root", "--email", "root@example.com"],
    ["flushexpiredtokens"],
]


@pytest.fixture
def as_app(acme, tmp_path):
    """The names of files for the commands, while connected as an application role that is no owner."""
    factories.ContactFactory(company=acme, phone=PHONE)
    factories.WebhookSecretFactory(company=acme)
    old = {"company": acme, "created_at": now() - timedelta(days=800), "processed": True, "status": "processed"}
    factories.WebhookEventFactory(**old)
    files = {name: tmp_path / name for name in ("folder", "requests", "secret", "contacts")}
    files["folder"].mkdir()
    files["requests"].mkdir()
    (files["requests"] / "message.json").write_text(json.dumps(message_v4()))
    files["secret"].write_text("a-secret-that-is-long-enough-for-every-provider")
    files["contacts"].write_text("Name,Phone\nAnn,(212) 555-0141\n")
    imported = tmp_path / "imported.csv"
    imported.write_text("Name,Phone\nBob,(212) 555-0142\n")
    call_command("import_contacts", str(imported), company="acme")
    with tenant(acme.pk):
        files["import_id"] = Import.objects.get().pk
    with new_role("commands") as role:
        call_command("grant_app_role", role, "--apply")
        call_command("archive", "--older-than", "730d", "--to", str(files["folder"]))
        factories.WebhookEventFactory(**old)
        with connected(USER=role):
            yield role, files


def run(arguments, files):
    call_command(*[argument.format(**files) for argument in arguments])


def test_every_command_is_here():
    """`backup` needs a third role, which sees the rows of all companies. `stream` has tests of its own."""
    listed = {*OF_THE_OWNER, *(arguments[0] for arguments in OF_THE_APPLICATION), "backup", "stream"}
    assert set(COMMANDS) | {"migrate"} <= listed


@pytest.mark.parametrize("arguments", OF_THE_APPLICATION, ids=" ".join)
def test_command_runs_as_the_application_role(as_app, capsys, arguments):
    run(arguments, as_app[1])


@pytest.mark.parametrize("command", OF_THE_OWNER)
def test_command_of_the_owner_says_which_role_it_needs(as_app, command):
    role, files = as_app
    with pytest.raises(CommandError, match=f"The role {role} doesn't own"):
        run([command, *OF_THE_OWNER[command]], files)


@pytest.mark.parametrize("command", OF_THE_OWNER)
def test_command_of_the_owner_connects_to_the_direct_url(as_app, settings, command):
    role, files = as_app
    owner = connection.settings_dict | {"USER": "crm"}
    settings.DIRECT_DATABASE = owner
    run([command, *([role] if command == "grant_app_role" else OF_THE_OWNER[command])], files)


@pytest.mark.parametrize("command", ["migrate", "migrate_safely"])
def test_migration_of_a_new_database_says_which_role_it_needs(transactional_db, command):
    with new_role("newcomer") as role, superuser() as cursor:
        database = f"new_of_{role}"
        cursor.execute(f"CREATE DATABASE {database} TEMPLATE template0")
        try:
            with (
                connected(USER=role, NAME=database),
                pytest.raises(CommandError, match=f"The role {role} may not create"),
            ):
                call_command(command, verbosity=0)
        finally:
            cursor.execute(f"DROP DATABASE {database}")


def test_drift_that_the_role_cannot_find_fails_the_report(as_app, settings, monkeypatch):
    monkeypatch.setattr(expected, "_declared_cache", {})
    with pytest.raises(CommandError, match="drift is unknown"):
        call_command("index_report", "--fail-on", "drift")
    settings.DIRECT_DATABASE = connection.settings_dict | {"USER": "crm"}
    call_command("index_report", "--fail-on", "drift")


def test_deploying_lists_the_commands_of_the_owner():
    page = Path(django_settings.BASE_DIR, "docs", "deploying.md").read_text()
    [paragraph] = re.findall(r"These commands need the owner.*?\n\n", page, re.DOTALL)
    assert set(re.findall(r"`([a-z_]+)(?: --[a-z-]+)?`", paragraph.partition(" They connect")[0])) == set(OF_THE_OWNER)
