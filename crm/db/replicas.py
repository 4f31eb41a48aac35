"""Read replicas: standbys that serve marked views, never older than the user's own last write.

After a request that may have written, a table keeps the position of the write-ahead log, by user. Authentication
reads it in its own statement on the primary, beside the primary's present position. A replica serves the user once it
has replayed up to the user's position, and up to the primary's of at most MAX_LAG_S ago.
"""

import logging
import random
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connection, connections

from crm.db.postgres_operations import CreateUnloggedTable
from crm.db.tenancy import reading_alias

TABLE = "write_positions"
COLUMNS = "user_id bigint PRIMARY KEY, position bigint NOT NULL"
FRESH_S = 0.2  # a replica's status is asked once in this time by each process
LEFT_ALONE_S = 10.0  # after a failure
MAX_LAG_S = 10.0  # beyond, other people's writes would be missed for too long

POSITION = "(pg_current_wal_insert_lsn() - '0/0')::bigint"
# Of two requests at once, the second waits for the row, and takes the position after that. VALUES would take it before.
RECORD = f"""
INSERT INTO {TABLE} (user_id, position) VALUES (%s, {POSITION})
ON CONFLICT (user_id) DO UPDATE SET position = {POSITION}
"""  # noqa: S608  # constants
POSITION_OF_USER = f"(SELECT position FROM {TABLE} WHERE user_id = users.id)"  # noqa: S608  # a constant
# NULL: not a standby. It can't say how far behind it is: if the network drops the stream without an error, it has
# replayed all that it has received, and takes itself for current until wal_receiver_timeout.
STATUS = "SELECT CASE WHEN pg_is_in_recovery() THEN (pg_last_wal_replay_lsn() - '0/0')::bigint END"
# What isn't flushed isn't sent to standbys. NULL: a standby itself, until someone corrects DATABASE_URL.
PRIMARY = "CASE WHEN NOT pg_is_in_recovery() THEN (pg_current_wal_flush_lsn() - '0/0')::bigint END"

logger = logging.getLogger(__name__)


class CreateWritePositions(CreateUnloggedTable):
    """Create the table of the users' positions, which are worthless once the replicas have passed them.

    Frozen into migrations.
    """

    table, columns = TABLE, COLUMNS


class ReplicaRouter:
    """Sends the ORM's reads where the active tenant reads, and all writes to the primary."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return reading_alias()

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return True  # a replica has the primary's rows


@dataclass
class _Status:
    position: int | None = None  # replayed so far; None while the replica can't be used
    until: float = 0.0  # in time.monotonic()


_lock = threading.Lock()
_statuses: dict[str, _Status] = {}
_seen: deque[tuple[float, int]] = deque()  # the primary's positions, with the time in time.monotonic(); oldest first


def observe_primary(position: int | None) -> None:
    """Keep the primary's present position, as the one that each replica must reach within MAX_LAG_S."""
    moment = time.monotonic()
    with _lock:
        if position is not None and not (len(_seen) > 1 and moment - _seen[-1][0] < FRESH_S):
            _seen.append((moment, position))
        while len(_seen) > 1 and moment - _seen[0][0] > MAX_LAG_S:
            _seen.popleft()


def record_write(user_id: int) -> None:
    """Keep the present position for a user. Call it after COMMIT: the position must be behind the commit's own.

    A failure is logged: the write is done, and the client must not repeat it.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute(RECORD, [user_id])
    except Error as error:
        logger.warning("The position of a write is unknown: %s", error)


def choose_replica(position: int) -> str | None:
    """Return the alias of a replica that has replayed up to the position and is current, or None for the primary."""
    with _lock:
        needed = max(position, _seen[0][1] if _seen else 0)
    for alias in random.sample(settings.REPLICAS, len(settings.REPLICAS)):
        replayed = _replayed_position(alias)
        if replayed is not None and replayed >= needed:
            return alias
    return None


def leave_alone(alias: str, error: Exception) -> None:
    """Don't use a replica for some seconds after an error, in this process."""
    logger.warning("%s is not used for %d s: %s", alias, LEFT_ALONE_S, error)
    connections[alias].close()
    with _lock:
        _statuses[alias] = _Status(until=time.monotonic() + LEFT_ALONE_S)


def _replayed_position(alias: str) -> int | None:
    with _lock:
        status = _statuses.get(alias, _Status())
        if time.monotonic() < status.until:
            return status.position
        # While this thread asks, which may take long, the others use the primary.
        _statuses[alias] = _Status(until=time.monotonic() + LEFT_ALONE_S)
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute(STATUS)
            position: int | None = cursor.fetchone()[0]
    except Error as error:
        leave_alone(alias, error)
        return None
    with _lock:
        wait = LEFT_ALONE_S if position is None else FRESH_S
        _statuses[alias] = _Status(position, time.monotonic() + wait)
    return position
