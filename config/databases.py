"""Django's DATABASES from DATABASE_URL, DIRECT_DATABASE_URL and REPLICA_URLS."""

from pathlib import Path
from typing import Any

from config.env import Env

# A server that was cut off is noticed within 20 s: while connecting, while sending, and while waiting for an answer.
CONNECTION_LIMITS = {
    "connect_timeout": 3,  # seconds
    "tcp_user_timeout": 15_000,  # milliseconds
    "keepalives_idle": 8,  # seconds
    "keepalives_interval": 3,  # seconds
    "keepalives_count": 3,
}
INVALID = {"ENGINE": "django.db.backends.dummy"}
POSTGRESQL, CHECKED_POSTGRESQL = "django.db.backends.postgresql", "crm.db.postgresql"
ENGINES = {"django.db.backends.sqlite3", POSTGRESQL}


def read_database(env: Env, *, production: bool, default: str) -> dict[str, Any]:
    """Return the `default` database. Options of the URL (`?sslmode=require`) override the defaults here.

    Rejects a DATABASE_URL that isn't valid or names another kind of database, and production without PostgreSQL.
    """
    try:
        database: dict[str, Any] = env.db("DATABASE_URL") if production else env.db("DATABASE_URL", default=default)
    except Exception as error:  # the library raises KeyError, ValueError and its own errors
        env.reject("DATABASE_URL", f"DATABASE_URL isn't valid: {error}")
        return INVALID
    if database.get("ENGINE") not in ENGINES:
        env.reject("DATABASE_URL", "DATABASE_URL must begin with sqlite:/// or postgres://.")
        return INVALID
    if database["ENGINE"].endswith("sqlite3"):
        if production:
            env.reject("DATABASE_URL", "DATABASE_URL must name a PostgreSQL server if ENVIRONMENT=production.")
        return _sqlite(env, database)
    return _postgresql(database)


def read_direct_database(env: Env, *, primary: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of DIRECT_DATABASE_URL, which reaches the `default` database without a pooler, or none."""
    url = env.str("DIRECT_DATABASE_URL", default="")
    return (_read_url(env, "DIRECT_DATABASE_URL", url, primary) or {}) if url else {}


def read_replicas(env: Env, *, primary: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the read replicas as `replica1`, `replica2`, …: see crm.db.replicas."""
    replicas = {}
    for number, url in enumerate(env.list("REPLICA_URLS", default=[]), start=1):
        if database := _read_url(env, "REPLICA_URLS", url, primary):
            replicas[f"replica{number}"] = database | {"TEST": {"MIRROR": "default"}}
    return replicas


def _read_url(env: Env, name: str, url: str, primary: dict[str, Any]) -> dict[str, Any] | None:
    """Return a further PostgreSQL connection. Rejects one that isn't valid, or beside another kind of database."""
    try:
        database = Env.db_url_config(url)
    except Exception as error:  # as above
        env.reject(name, f"{name} isn't valid: {error}")
        return None
    are_postgresql = database.get("ENGINE") == POSTGRESQL and primary["ENGINE"] == CHECKED_POSTGRESQL
    if primary is not INVALID and not are_postgresql:
        env.reject(name, f"{name} and DATABASE_URL must all be PostgreSQL servers.")
        return None
    return _postgresql(database)


def _sqlite(env: Env, database: dict[str, Any]) -> dict[str, Any]:
    folder = Path(database["NAME"]).parent
    if not folder.is_dir():
        env.reject("DATABASE_URL", f"DATABASE_URL: the folder {folder} does not exist.")
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
    options = CONNECTION_LIMITS | database.get("OPTIONS", {})
    connections = {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    return connections | database | {"ENGINE": CHECKED_POSTGRESQL, "OPTIONS": options}
