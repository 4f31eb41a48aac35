"""Health checks, and the self-check behind them."""

import subprocess
import sys
from threading import Event
from types import SimpleNamespace

import pytest
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection  # noqa: F401  # for the marks

from config import health
from config.settings import BASE_DIR
from crm import checks
from crm.models import KeyFingerprint
from crm.services import self_check
from crm.services.key_fingerprints import record_keys, record_newest_secrets_key
from crm.services.self_check import WrongDatabase, check_start, check_web_start, find_problems, wait_until_ready
from tests.conftest import postgres_only
from tests.factories import ProviderAccountFactory, WebhookSecretFactory

NEW = "bmV3LWtleS1vZi10aGlydHktdHdvLWJ5dGVzLS0tLS0="


@pytest.fixture
def later_release(monkeypatch):
    """A migration that isn't applied."""
    known = self_check.load_migrations()
    monkeypatch.setattr(self_check, "load_migrations", lambda: known | {("crm", "9999_later")})


def test_health_checks_succeed(client, db):
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_checks_answer_any_host_over_plain_http(path, client, db, settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]
    settings.ALLOWED_HOSTS = ["crm.example.com"]
    assert client.get(path, headers={"host": "10.0.0.7"}).status_code == 200


def test_liveness_needs_no_database(client):
    assert client.get("/healthz").status_code == 200  # without the fixture, a query fails


def test_missing_migration_fails_readiness(client, db, later_release):
    response = client.get("/readyz")
    assert response.status_code == 503
    assert (response.json()["status"], response.json()["migrations"]) == ("migrations missing", ["crm.9999_later"])


def test_release_on_the_disk_does_not_change_the_readiness_of_a_running_process(db, monkeypatch):
    self_check.load_migrations()
    monkeypatch.setattr(self_check, "MigrationLoader", None)
    assert find_problems() == []


def test_unreachable_database_fails_readiness(client, db, monkeypatch):
    def fail():
        raise OperationalError

    monkeypatch.setattr(health, "find_problems", fail)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (503, "no database")


def test_database_that_hangs_fails_readiness_and_is_asked_once(client, db, monkeypatch):
    answers, asked = Event(), []
    monkeypatch.setattr(health, "READY_TIMEOUT_S", 0.01)
    monkeypatch.setattr(health, "find_problems", lambda: asked.append(1) or answers.wait() or [])
    try:
        assert [client.get("/readyz").status_code for _ in range(3)] == [503, 503, 503]
        assert asked == [1]
    finally:
        answers.set()


@pytest.mark.parametrize(("files", "found"), [({"crm/icon.svg": "crm/icon.1.svg"}, False), ({}, True)])
def test_static_files_that_were_not_collected_are_a_warning(files, found, db, monkeypatch, tmp_path):
    storage = ManifestStaticFilesStorage(location=tmp_path, base_url="/static/")
    storage.hashed_files = files
    monkeypatch.setattr(checks, "staticfiles_storage", storage)
    messages = run_checks(databases=["default"], include_deployment_checks=True)
    assert ("crm.W005" in {message.id for message in messages}) is found


# --- Keys ---


@pytest.mark.parametrize(
    ("name", "value"), [("PRIVACY_KEY", "another-key-of-hashes-for-another-place"), ("SECRETS_KEYS", [NEW])]
)
def test_wrong_key_stops_the_start_and_is_named(name, value, client, transactional_db, settings):
    setattr(settings, name, value)
    [problem] = find_problems()
    assert problem.text.startswith(name)
    assert client.get("/readyz").json() == {"status": "wrong key", "problems": [problem.text]}
    with pytest.raises(WrongDatabase, match=name):
        check_web_start()
    with pytest.raises(CommandError, match=name):
        call_command("work", until_empty=True)
    assert problem.text in {error.msg for error in run_checks(databases=["default"], include_deployment_checks=True)}


def test_added_key_is_accepted_and_the_earlier_one_needed_until_the_rotation(db, settings):
    [earlier] = settings.SECRETS_KEYS
    settings.SECRETS_KEYS = [NEW, earlier]
    assert find_problems() == []
    call_command("rotate_secrets")
    settings.SECRETS_KEYS = [NEW]
    assert find_problems() == []
    settings.SECRETS_KEYS = [earlier]
    assert [problem.status for problem in find_problems()] == ["wrong key"]


def test_secret_of_a_missing_key_is_a_warning_beside_keys_that_are_known(
    client, transactional_db, settings, caplog, acme
):
    [known] = settings.SECRETS_KEYS
    settings.SECRETS_KEYS = [NEW, known]
    WebhookSecretFactory(company=acme)
    ProviderAccountFactory(company=acme)
    assert client.get("/readyz").json() == {"status": "ready"}
    settings.SECRETS_KEYS = [known]  # NEW has gone too early
    text = "The key of 1 secrets in {} isn't among SECRETS_KEYS. Add it, or replace the secrets."
    warnings = [text.format(table) for table in ("provider_accounts", "webhook_secrets")]
    response = client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "ready")
    assert sorted(response.json()["warnings"]) == warnings
    assert check_start() == []
    assert sorted(caplog.messages) == warnings
    found = run_checks(databases=["default"], include_deployment_checks=True)
    assert sorted(warning.msg for warning in found if warning.id == "crm.W004") == warnings


def test_migrate_keeps_the_fingerprints_of_the_first_keys(db, settings):
    before = set(KeyFingerprint.objects.values_list("name", "fingerprint"))
    settings.PRIVACY_KEY = "another-key-of-hashes-for-another-place"
    record_keys()
    assert set(KeyFingerprint.objects.values_list("name", "fingerprint")) == before
    assert {name for name, _ in before} == {"PRIVACY_KEY", "SECRETS_KEYS"}


def test_fingerprint_does_not_contain_the_key(db, settings):
    record_newest_secrets_key()
    for fingerprint in KeyFingerprint.objects.values_list("fingerprint", flat=True):
        assert fingerprint not in (settings.PRIVACY_KEY, settings.SECRETS_KEYS[0])
        assert len(fingerprint) == 64


# --- The database server ---


@postgres_only
@pytest.mark.parametrize(
    ("row", "statuses"),
    [
        (("UTF8", False, False, "crm", False), []),
        (("SQL_ASCII", False, False, "crm", False), ["wrong encoding"]),
        (("UTF8", True, True, "crm", False), ["not the primary"]),
        (("UTF8", False, True, "crm", False), ["read-only"]),
        (("UTF8", False, False, "postgres", True), ["wrong role"]),
    ],
)
def test_server_that_does_not_fit_is_reported(db, settings, monkeypatch, row, statuses):
    settings.PRODUCTION = True
    encoding, standby, read_only, role, unbound = row
    monkeypatch.setattr(self_check, "SERVER", f"SELECT '{encoding}', {standby}, {read_only}, '{role}', {unbound}")
    assert [problem.status for problem in find_problems()] == statuses


def test_worker_waits_for_a_database_that_is_not_ready(transactional_db, monkeypatch, caplog):
    answers = iter(
        [
            OperationalError('connection failed:\nFATAL: role "x" does not exist\n'),
            OperationalError(),
            [SimpleNamespace(text="Migrations are missing.")],
            [],
        ]
    )
    monkeypatch.setattr(self_check, "INTERVAL_S", 0)

    def check():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(self_check, "check_start", check)
    wait_until_ready(stop=Event())
    assert [record.getMessage() for record in caplog.records] == [
        'Waiting: The database doesn\'t answer: connection failed: FATAL: role "x" does not exist',
        "Waiting: The database doesn't answer: OperationalError",
        "Waiting: Migrations are missing.",
    ]
    assert next(answers, None) is None


def test_web_server_starts_before_the_migrations(transactional_db, later_release, caplog):
    check_web_start()
    assert [problem.status for problem in check_start()] == ["migrations missing"]
    assert "Migrations are missing: crm.9999_later" in caplog.text


@pytest.mark.slow
def test_web_server_starts_without_a_database(tmp_path):
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            "import django; django.setup(); from crm.services.self_check import *; check_web_start()",
        ],
        env={"DATABASE_URL": f"postgres://crm@/crm?host={tmp_path}", "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, "The database doesn't answer: connection" in ended.stderr) == (0, True)


@pytest.mark.slow
def test_check_of_a_deployment_names_a_database_that_does_not_answer(tmp_path):
    ended = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--database", "default"],
        cwd=BASE_DIR,
        env={"DATABASE_URL": f"postgres://crm@/crm?host={tmp_path}"},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert "(crm.E004) The database doesn't answer: connection" in ended.stderr
    assert "Traceback" not in ended.stderr
