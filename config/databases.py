"""Django's DATABASES from DATABASE_URL and REPLICA_URLS."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config.env import Env

ENGINES = {"django.db.backends.sqlite3", "django.db.backends.postgresql"}


def read_database(env: Env, *, default: str) -> dict[str, Any]:
    """Return the `default` database. Options of the URL (`?sslmode=require`) override the defaults here.

    Raises:
        ImproperlyConfigured: DATABASE_URL isn't valid or names another kind of database.
    """
    try:
        database: dict[str, Any] = env.db("DATABASE_URL", default=default)
    except Exception as error:  # the library raises KeyError, ValueError and its own errors
        raise ImproperlyConfigured(f"DATABASE_URL isn't valid: {error}") from error
    if database.get("ENGINE") not in ENGINES:
        raise ImproperlyConfigured("DATABASE_URL must begin with sqlite:/// or postgres://.")
    if database["ENGINE"].endswith("sqlite3"):
        return _sqlite(database)
    return _postgresql(database)


def read_replicas(env: Env, *, primary: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the read replicas as `replica1`, `replica2`, …; only the index report queries them.

    Raises:
        ImproperlyConfigured: REPLICA_URLS isn't valid or names a database other than PostgreSQL.
    """
    replicas = {}
    for number, url in enumerate(env.list("REPLICA_URLS", default=[]), start=1):
        try:
            database = Env.db_url_config(url)
        except Exception as error:  # as above
            raise ImproperlyConfigured(f"REPLICA_URLS isn't valid: {error}") from error
        if not primary["ENGINE"].endswith("postgresql") or database.get("ENGINE") != primary["ENGINE"]:
            raise ImproperlyConfigured("REPLICA_URLS and DATABASE_URL must all be PostgreSQL servers.")
        replicas[f"replica{number}"] = _postgresql(database) | {"TEST": {"MIRROR": "default"}}
    return replicas


def _sqlite(database: dict[str, Any]) -> dict[str, Any]:
    folder = Path(database["NAME"]).parent
    if not folder.is_dir():
        raise ImproperlyConfigured(f"DATABASE_URL: the folder {folder} does not exist.")
    options = {
        # A SQLite transaction that reads before it writes fails immediately with "database is locked" instead of
        # waiting. Taking the write lock at BEGIN makes it wait up to `timeout` seconds.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=134217728",
    }
    return database | {"OPTIONS": options | database.get("OPTIONS", {})}


def _postgresql(database: dict[str, Any]) -> dict[str, Any]:
    # A new connection costs ~6 ms, several times a typical query. Options of the URL override these.
    return {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True} | database
