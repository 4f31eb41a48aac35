"""Settings from environment variables."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "$o-private-that-only-this-test-knows-it",
    "SECRETS_KEYS": "a2V5LW9mLXRoaXJ0eS10d28tYnl0ZXMtZm9yLXRlc3Q=",
    "PRIVACY_KEY": "a-key-of-hashes-that-only-this-test-knows",
    "ALLOWED_HOSTS": "crm.example.com, www.example.com",
    "PUBLIC_URL": "https://crm.example.com/",
    "DATABASE_URL": "postgres://crm@db.example.com/crm",
}
SHOW = """
import json, config.settings as s
print(json.dumps({name: getattr(s, name) for name in dir(s) if name.isupper()}, default=str))
"""


@pytest.fixture
def project(tmp_path):
    """A copy of the settings without the developer's `.env`."""
    shutil.copytree(Path(settings.BASE_DIR, "config"), tmp_path / "config")
    shutil.copy(Path(settings.BASE_DIR, "pyproject.toml"), tmp_path)
    return tmp_path


def start(project, variables):
    return subprocess.run([sys.executable, "-c", SHOW], cwd=project, env=variables, capture_output=True, text=True)


def settings_of(project, **variables):
    started = start(project, variables)
    assert started.returncode == 0, started.stderr
    return json.loads(started.stdout)


def problems_of(project, **variables):
    """Return the problems that a failed start lists."""
    started = start(project, variables)
    assert started.returncode != 0
    heading, problems = started.stderr.split("Invalid settings; .env.example describes them:\n")
    assert heading.strip().endswith("ImproperlyConfigured:")
    return [line.strip() for line in problems.splitlines()]


def test_only_sqlite_silences_the_check_of_included_columns(project):
    assert settings_of(project)["SILENCED_SYSTEM_CHECKS"] == ["models.W040"]
    assert "SILENCED_SYSTEM_CHECKS" not in settings_of(project, DATABASE_URL="postgres://crm@primary/crm")


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", [["check", "--database", "default"], ["migrate", "--plan"], ["makemigrations", "--check"]]
)
def test_command_on_sqlite_prints_no_warning(command, tmp_path):
    command = [sys.executable, "manage.py", *command]
    variables = os.environ | {"DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3"}
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "models.W" not in done.stdout + done.stderr


def test_default_environment_is_local_development(project):
    found = settings_of(project)
    assert found["DEBUG"] is True
    assert found["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
    assert found["DATABASES"]["default"]["NAME"] == str(project / "crm.sqlite3")


def test_production_starts_with_its_required_settings(project):
    found = settings_of(project, **PRODUCTION)
    assert found["DEBUG"] is False
    assert found["SECRET_KEY"] == PRODUCTION["SECRET_KEY"]  # the library would read $ as a reference
    assert found["ALLOWED_HOSTS"] == ["crm.example.com", "www.example.com"]
    assert found["PUBLIC_URL"] == "https://crm.example.com"
    assert found["CSRF_TRUSTED_ORIGINS"] == ["https://crm.example.com"]
    assert found["SECURE_SSL_REDIRECT"] is True
    assert found["SESSION_COOKIE_SECURE"] is True
    assert found["CSRF_COOKIE_SECURE"] is True


@pytest.mark.parametrize("missing", ["SECRET_KEY", "SECRETS_KEYS", "PRIVACY_KEY", "ALLOWED_HOSTS", "PUBLIC_URL"])
@pytest.mark.parametrize("empty", [False, True])
def test_missing_production_setting_is_named(project, missing, empty):
    given = PRODUCTION | {missing: ""} if empty else {k: v for k, v in PRODUCTION.items() if k != missing}
    [problem] = problems_of(project, **given)
    assert missing in problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "development-only-secret-key-which-production-refuses"),
        ("SECRET_KEY", "short"),
        ("SECRETS_KEYS", " , "),
        ("SECRETS_KEYS", "no-key"),
        ("PRIVACY_KEY", "short"),
        ("DEBUG", "true"),
        ("DEBUG_TOOLBAR", "true"),
        ("DATABASE_URL", "sqlite:///crm.sqlite3"),
        ("ALLOWED_HOSTS", " , "),
        ("SECURE_SSL_REDIRECT", "perhaps"),
        ("SECURE_HSTS_SECONDS", "-1"),
        ("SECURE_HSTS_SECONDS", "a year"),
        ("METRICS_TOKEN", "fifteen letters"),
    ],
)
def test_invalid_production_setting_is_named(project, name, value):
    [problem] = problems_of(project, **PRODUCTION | {name: value})
    assert name in problem


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "prod"),
        ("ENVIRONMENT", ""),
        ("SECRETS_KEYS", "no-key"),
        ("PRIVACY_KEY", "short"),
        ("DEBUG", "maybe"),
        ("DEBUG", ""),
        ("PUBLIC_URL", "ftp://crm.example.com"),
        ("PUBLIC_URL", ""),
        ("OPENPHONE_API_URL", "api.openphone.com"),
        ("SMS_BACKEND", "pigeon"),
        ("EMAIL_URL", "mail.example.com"),
        ("EMAIL_URL", "pigeon://mail.example.com"),
        ("EMAIL_URL", "smtp://mail.example.com:port"),
        ("REQUIRE_SECOND_FACTOR", "perhaps"),
        ("DATABASE_URL", "mysql://crm@localhost/crm"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "postgres://crm@localhost:port/crm"),
        ("DATABASE_URL", "sqlite:////no/such/folder/crm.sqlite3"),
        ("WORKER_LEASE_S", "ten"),
        ("WORKER_LEASE_S", "0"),
        ("WORKER_LEASE_S", "-3"),
        ("WORKER_MAX_TRIES", "0"),
        ("ACCESS_TOKEN_LIFETIME_S", "1h"),
        ("REFRESH_TOKEN_LIFETIME_S", "0"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
        ("SLOW_REQUEST_MS", "-1"),
        ("CORS_ALLOWED_ORIGINS", "app.example.com"),
        ("CORS_ALLOWED_ORIGINS", "*"),
        ("CORS_ALLOWED_ORIGINS", "https://app.example.com/"),
        ("THROTTLE_USER_PER_MIN", "-1"),
        ("THROTTLE_SIGN_IN_PER_MIN", "20/m"),
        ("TRUSTED_PROXIES", "yes"),
        ("SIGN_IN_TRIES", "0"),
        ("SIGN_IN_LOCK_S", "0"),
        ("ADMIN_SESSION_S", "1"),
        ("INDEX_BLOAT_PERCENT", "0"),
        ("SLOW_STATEMENT_MS", "fast"),
        ("DIRECT_DATABASE_URL", "nonsense"),
        ("DIRECT_DATABASE_URL", "postgres://crm@primary/crm"),  # of a SQLite database
        ("REPLICA_URLS", "nonsense"),
        ("REPLICA_URLS", "postgres://crm@replica/crm"),  # of a SQLite database
        ("INDEX_UNUSED_DAYS", "-1"),
        ("INDEX_LARGE_BYTES", "5GB"),
        ("TABLE_LARGE_BYTES", "0"),
    ],
)
def test_invalid_setting_stops_the_start_and_is_named(project, name, value):
    [problem] = problems_of(project, **{name: value})
    assert name in problem


INVALID = {"ENVIRONMENT": "production", "DEBUG": "maybe", "PORT": "65536", "WEB_WORKERS": "0", "DATABASE_URL": "x"}
COMMANDS = [["manage.py", "migrate"], ["-m", "gunicorn", "-c", "config/gunicorn.py", "--check-config", "config.wsgi"]]


def run(project, command, variables):
    shutil.copy(Path(settings.BASE_DIR, "manage.py"), project)
    return subprocess.run([sys.executable, *command], cwd=project, env=variables, capture_output=True, text=True)


@pytest.mark.parametrize("command", COMMANDS, ids=["manage.py", "gunicorn"])
def test_start_names_all_missing_and_invalid_settings_without_a_traceback(project, command):
    started = run(project, command, INVALID)
    assert started.returncode == 1
    assert "Traceback" not in started.stderr
    problems = started.stderr.split("Invalid settings; .env.example describes them:\n")[1].splitlines()
    named = {problem.split()[0].rstrip(":") for problem in problems}
    assert named == INVALID.keys() - {"ENVIRONMENT"} | PRODUCTION.keys() - {"ENVIRONMENT"}
    assert len(problems) == len(named)


@pytest.mark.parametrize("command", COMMANDS, ids=["manage.py", "gunicorn"])
@pytest.mark.parametrize("variables", [{"PORT": "http"}, {"PORT": "0"}, {"WEB_WORKERS": "two"}, {"WEB_WORKERS": ""}])
def test_invalid_setting_of_the_web_server_is_named(project, command, variables):
    started = run(project, command, variables)
    assert (started.returncode, started.stderr.count("\n")) == (1, 2)
    assert started.stderr.splitlines()[1].split()[0] in variables


def test_replicas_are_additional_databases(project):
    found = settings_of(
        project,
        DATABASE_URL="postgres://crm@primary/crm",
        REPLICA_URLS="postgres://crm@one/crm, postgres://crm@two/crm?sslmode=require",
    )
    assert list(found["DATABASES"]) == ["default", "replica1", "replica2"]
    assert found["DATABASES"]["replica2"]["HOST"] == "two"
    assert found["DATABASES"]["replica2"]["OPTIONS"]["sslmode"] == "require"


def test_direct_url_is_a_connection_of_the_default_database(project):
    found = settings_of(
        project, DATABASE_URL="postgres://crm@pooler:6432/crm", DIRECT_DATABASE_URL="postgres://crm@primary/crm"
    )
    assert list(found["DATABASES"]) == ["default"]
    assert (found["DIRECT_DATABASE"]["HOST"], found["DATABASES"]["default"]["HOST"]) == ("primary", "pooler")
    assert settings_of(project, DATABASE_URL="postgres://crm@pooler:6432/crm")["DIRECT_DATABASE"] == {}


@pytest.mark.parametrize(("word", "meaning"), [("true", True), ("On", True), ("1", True), ("no", False), ("0", False)])
def test_boolean_setting_accepts_the_usual_words(project, word, meaning):
    assert settings_of(project, DEBUG=word)["DEBUG"] is meaning


def test_error_does_not_contain_the_database_password(project):
    started = start(project, {"DATABASE_URL": "mysql://crm:open-sesame@localhost/crm"})
    assert "DATABASE_URL" in started.stderr
    assert "open-sesame" not in started.stderr


def test_error_does_not_contain_a_key(project):
    started = start(project, {"SECRETS_KEYS": "open-sesame", "PRIVACY_KEY": "open-sesame"})
    assert "SECRETS_KEYS" in started.stderr
    assert "open-sesame" not in started.stderr


def test_development_keys_depend_on_the_secret_key(project):
    first, second = (settings_of(project, SECRET_KEY=f"developer-{n}") for n in range(2))
    assert first["SECRETS_KEYS"] != second["SECRETS_KEYS"]
    assert first["PRIVACY_KEY"] != second["PRIVACY_KEY"]


def test_postgresql_connections_persist_unless_the_url_overrides_it(project):
    url = "postgres://crm:secret@db.example.com:5433/crm"
    ours = settings_of(project, DATABASE_URL=url)["DATABASES"]["default"]
    assert (ours["HOST"], ours["PORT"], ours["CONN_MAX_AGE"]) == ("db.example.com", 5433, 60)
    theirs = settings_of(project, DATABASE_URL=url + "?conn_max_age=0&sslmode=require")["DATABASES"]["default"]
    assert (theirs["CONN_MAX_AGE"], theirs["OPTIONS"]["sslmode"]) == (0, "require")


def test_connections_to_postgresql_notice_a_lost_server_unless_the_url_overrides_it(project):
    url = "postgres://crm@db.example.com/crm?connect_timeout=9"
    options = settings_of(project, DATABASE_URL=url)["DATABASES"]["default"]["OPTIONS"]
    waiting = options["keepalives_idle"] + options["keepalives_interval"] * options["keepalives_count"]
    assert (options["connect_timeout"], options["tcp_user_timeout"]) == (9, 15_000)
    assert waiting < 20


def test_sqlite_options_of_the_url_are_merged_with_the_defaults(project):
    options = settings_of(project, DATABASE_URL="sqlite:///crm.sqlite3?timeout=5")["DATABASES"]["default"]["OPTIONS"]
    assert (options["timeout"], options["transaction_mode"]) == (5, "IMMEDIATE")


def test_environment_overrides_the_env_file(project):
    (project / ".env").write_text("WORKER_LEASE_S=7\nWORKER_MAX_TRIES=3\n")
    found = settings_of(project, WORKER_MAX_TRIES="5")
    assert (found["WORKER_LEASE_S"], found["WORKER_MAX_TRIES"]) == (7, 5)


def variables_read():
    """Return the names in `env.…("NAME", …)` and `os.environ.get("NAME", …)` calls."""
    calls = [
        node
        for file in Path(settings.BASE_DIR, "config").glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
    ]
    readers = re.compile(r"env\.\w+|os\.environ\.get")
    return {call.args[0].value for call in calls if _is_named(call) and readers.fullmatch(ast.unparse(call.func))}


def _is_named(call):
    return call.args and isinstance(call.args[0], ast.Constant)


def example():
    """Return the variables of `.env.example` with their values, without those of single providers."""
    text = Path(settings.BASE_DIR, ".env.example").read_text()
    return dict(re.findall(r"^#(?!\w+_API_URL)([A-Z_]+)=(.*)$", text, re.MULTILINE))


def test_example_names_every_variable():
    assert {"DATABASE_URL", "SECRET_KEY", "LOG_LEVEL"} < variables_read()
    assert example().keys() == variables_read() - {"_API_URL"}


@pytest.mark.parametrize("production", [{}, PRODUCTION])
def test_example_shows_the_defaults(project, production):
    shown = {name: value for name, value in example().items() if not production or name.startswith("SECURE")}
    shown.pop("DATABASE_URL", None)  # shown as a relative path
    assert settings_of(project, **shown | production) == settings_of(project, **production)


def test_pages_of_a_development_server_may_not_call_the_api_in_production(project):
    assert settings_of(project, **PRODUCTION)["CORS_ALLOWED_ORIGIN_REGEXES"] == []
    assert settings_of(project)["CORS_ALLOWED_ORIGIN_REGEXES"] != []
