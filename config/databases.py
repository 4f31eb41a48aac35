"""Turns DATABASE_URL into Django's DATABASES entry, set up for real use on both databases."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config.env import Env

ENGINES = {"django.db.backends.sqlite3", "django.db.backends.postgresql"}


def read_database(env: Env, *, default: str) -> dict[str, Any]:
    """The `default` database. What the URL says (`?sslmode=require`, `?conn_max_age=0`) goes before what we set.

    Raises:
        ImproperlyConfigured: naming DATABASE_URL, for what can't be read and for any other kind of database.
    """
    try:
        database: dict[str, Any] = env.db("DATABASE_URL", default=default)
    except Exception as error:  # the library raises what its URL parser raises: KeyError, ValueError, its own
        raise ImproperlyConfigured(f"DATABASE_URL can't be read: {error}") from error
    if database.get("ENGINE") not in ENGINES:
        raise ImproperlyConfigured("DATABASE_URL must begin with sqlite:/// or postgres://.")
    if database["ENGINE"].endswith("sqlite3"):
        return _sqlite(database)
    return _postgresql(database)


def read_replicas(env: Env, *, primary: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Read-only copies of `default`, as `replica1`, `replica2`, …; only the index report asks them.

    Raises:
        ImproperlyConfigured: naming REPLICA_URLS, for what can't be read and for anything but PostgreSQL.
    """
    replicas = {}
    for number, url in enumerate(env.list("REPLICA_URLS", default=[]), start=1):
        try:
            database = Env.db_url_config(url)
        except Exception as error:  # as above
            raise ImproperlyConfigured(f"REPLICA_URLS can't be read: {error}") from error
        if not primary["ENGINE"].endswith("postgresql") or database.get("ENGINE") != primary["ENGINE"]:
            raise ImproperlyConfigured("REPLICA_URLS must be of PostgreSQL servers, as DATABASE_URL then is.")
        replicas[f"replica{number}"] = _postgresql(database) | {"TEST": {"MIRROR": "default"}}
    return replicas


def _sqlite(database: dict[str, Any]) -> dict[str, Any]:
    folder = Path(database["NAME"]).parent
    if not folder.is_dir():
        raise ImproperlyConfigured(f"DATABASE_URL: the folder {folder} does not exist.")
    options = {
        # A transaction that first reads and then writes can't be made to wait for the write lock: SQLite fails it
        # at once with "database is locked". Taking the lock at BEGIN makes it queue for `timeout` seconds.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=134217728",
    }
    return database | {"OPTIONS": options | database.get("OPTIONS", {})}


def _postgresql(database: dict[str, Any]) -> dict[str, Any]:
    # A new connection costs ~6 ms, several times the query behind most pages. What the URL says goes first.
    return {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True} | database
