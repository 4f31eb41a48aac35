"""Self-check: whether this process and its database fit together.

Web server and worker do it when they start, /readyz each time, and `manage.py check --deploy --database default` too.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from threading import Event
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import InterfaceError, OperationalError, ProgrammingError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from crm.services.key_fingerprints import find_unknown_keys
from crm.services.secret_rotation import count_unreadable

SERVER = """
SELECT current_setting('server_encoding'), pg_is_in_recovery(), current_setting('transaction_read_only') = 'on',
       current_user, rolsuper OR rolbypassrls
FROM pg_roles WHERE rolname = current_user
"""

INSUFFICIENT_PRIVILEGE = "42501"

MAINTAIN_SINCE = 17_00_00  # before this version of PostgreSQL, only the owner can analyze a table

INTERVAL_S = 1

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Problem:
    """A reason why this process must not serve this database."""

    status: str
    text: str
    stops_start: bool = False
    """Waiting doesn't help: a person must change the environment or the database."""
    migrations: tuple[str, ...] = ()


class WrongDatabase(Exception):
    """The process must not start with this database. The text has one line for each problem."""


def find_problems() -> list[Problem]:
    """Return the problems, the most severe first.

    Raises:
        OperationalError, InterfaceError: the database doesn't answer.
    """
    problems = _find_server_problems() if connection.vendor == "postgresql" else []
    try:
        problems += _find_content_problems()
    except ProgrammingError as error:
        if getattr(error.__cause__, "pgcode", None) != INSUFFICIENT_PRIVILEGE:
            raise
        role = connection.settings_dict["USER"]
        text = f"The role {role} may not read the tables. Run manage.py grant_app_role {role} --apply as their owner."
        problems.append(Problem("no privileges", text))
    return sorted(problems, key=lambda problem: not problem.stops_start)


def find_warnings() -> list[str]:
    """Return what a person should look at, while everything else works. Call it if there are no problems."""
    unreadable = [
        f"The key of {count} secrets in {table} isn't among SECRETS_KEYS. Add it, or replace the secrets."
        for table, count in count_unreadable().items()
    ]
    return unreadable + _find_missing_grants()


def check_start() -> list[Problem]:
    """Return the problems that may pass, such as missing migrations.

    Raises:
        WrongDatabase: there are others.
        OperationalError, InterfaceError: the database doesn't answer.
    """
    load_migrations()
    problems = find_problems()
    wrong = [problem.text for problem in problems if problem.stops_start]
    if wrong:
        raise WrongDatabase("\n".join(wrong))
    for warning in [] if problems else find_warnings():
        logger.warning("%s", warning)
    return problems


def wait_until_ready(*, stop: Event) -> None:
    """Wait until the database answers and is migrated, or `stop` is set. The log says why.

    Raises:
        WrongDatabase: as in `check_start`.
    """
    logged = None
    while not stop.is_set():
        try:
            reasons = [problem.text for problem in check_start()]
        except (OperationalError, InterfaceError) as error:
            reasons = [_describe(error)]
        if not reasons:
            return
        if reasons != logged:
            logger.warning("Waiting: %s", " ".join(reasons))
            logged = reasons
        connection.close()
        stop.wait(INTERVAL_S)


def check_web_start() -> None:
    """Do the self-check of a web server. It starts without a database, and /readyz says when there is one.

    Raises:
        WrongDatabase: as in `check_start`.
    """
    try:
        for problem in check_start():
            logger.warning("Not ready: %s", problem.text)
    except (OperationalError, InterfaceError) as error:
        logger.warning("Not ready: %s", _describe(error))
    finally:
        connection.close()


@cache
def load_migrations() -> frozenset[tuple[str, str]]:
    """Return this release's migrations, read once: the files of a later release may replace them on the disk."""
    return frozenset(MigrationLoader(None).disk_migrations)


@register(Tags.database, deploy=True)
def process_fits_its_database(databases: Sequence[str] | None = None, **_options: Any) -> list[CheckMessage]:
    """Report the problems under `check --deploy --database default`."""
    if "default" not in (databases or ()):
        return []
    try:
        problems = find_problems()
    except (OperationalError, InterfaceError) as error:
        return [Error(_describe(error), id="crm.E004")]
    warnings = [] if problems else find_warnings()
    return [
        *(Error(problem.text, id="crm.E004") for problem in problems),
        *(Warning(text, id="crm.W004") for text in warnings),
    ]


def _describe(error: Exception) -> str:
    """Return the driver's reason in one line: a wrong password, role or address looks like an outage otherwise."""
    return f"The database doesn't answer: {' '.join(str(error).split()) or type(error).__name__}"


def _find_server_problems() -> list[Problem]:
    with connection.cursor() as cursor:
        cursor.execute(SERVER)
        encoding, standby, read_only, role, unbound = cursor.fetchone()
    problems = []
    if encoding != "UTF8":
        problems.append(
            Problem(
                "wrong encoding",
                f"The database's encoding is {encoding}; create it with ENCODING 'UTF8'.",
                stops_start=True,
            )
        )
    if unbound and settings.PRODUCTION:
        text = f"The role {role} bypasses row-level security; use one with NOSUPERUSER and NOBYPASSRLS."
        problems.append(Problem("wrong role", text, stops_start=True))
    if standby:
        problems.append(Problem("not the primary", "DATABASE_URL names a standby; it must name the primary."))
    elif read_only:
        problems.append(Problem("read-only", "The database is read-only."))
    return problems


def _find_missing_grants() -> list[str]:
    """Return what the role may not do, and goes on without."""
    if connection.vendor != "postgresql" or connection.pg_version < MAINTAIN_SINCE:  # type: ignore[attr-defined]
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, has_table_privilege('contacts', 'MAINTAIN')")
        role, may_analyze = cursor.fetchone()
    if may_analyze:
        return []
    advice = f"Run manage.py grant_app_role {role} --apply as their owner."
    return [f"The role {role} may not analyze tables, so large imports get slow. {advice}"]


def _find_content_problems() -> list[Problem]:
    problems = []
    missing = _find_missing_migrations()
    if missing:
        text = f"Migrations are missing: {', '.join(missing)}. Run manage.py migrate_safely."
        problems.append(Problem("migrations missing", text, migrations=missing))
    if not any(name.startswith("crm.") for name in missing):
        problems += [
            Problem("wrong key", f"{name} isn't the one that this database was set up with. {hint}", stops_start=True)
            for name, hint in _find_wrong_keys()
        ]
    return problems


def _find_missing_migrations() -> tuple[str, ...]:
    missing = load_migrations() - MigrationRecorder(connection).applied_migrations().keys()
    return tuple(f"{app}.{name}" for app, name in sorted(missing))


def _find_wrong_keys() -> list[tuple[str, str]]:
    hints = {
        "PRIVACY_KEY": "Set it to the earlier value: no opt-out can be found with another.",
        "SECRETS_KEYS": "Add the earlier key, and run manage.py rotate_secrets before you remove it.",
    }
    return [(name, hints[name]) for name in find_unknown_keys()]
