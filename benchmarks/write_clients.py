"""Concurrent writing clients, one process each: Python's lock would limit threads."""

import random
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import Any

import psycopg2

CLIENTS = 4
LEAD_S = 0.7  # time for all clients to connect and prepare
ROWS = 2000
BOOKED = ("awaiting_quote", "still_deciding", "purchased", "lost", "cancelled")


@dataclass(frozen=True)
class WriteLoad:
    """One client's work from `start` (time.time()) on; each client runs one statement at least."""

    connection: dict[str, Any]
    table: str
    columns: list[str]
    verb: str
    seconds: float
    start: float = 0
    seed: int = 0


def client_pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(CLIENTS, mp_context=get_context("spawn"))


def write_together(pool: ProcessPoolExecutor, load: WriteLoad) -> int:
    """Return how many rows all clients have written together."""
    start = time.time() + LEAD_S
    return sum(pool.map(_write, [replace(load, start=start, seed=seed) for seed in range(CLIENTS)]))


def _write(load: WriteLoad) -> int:
    connection = psycopg2.connect(**load.connection)
    connection.autocommit = True
    written = 0
    with connection.cursor() as cursor:
        cursor.execute("SET crm.all_companies = 'on'")
        statements = _inserts(cursor, load) if load.verb == "INSERT" else _updates(cursor, load)
        while time.time() < load.start:
            time.sleep(0.005)
        end = time.time() + load.seconds
        while not written or time.time() < end:
            cursor.execute(statements[written % len(statements)])
            written += 1
    connection.close()
    return written


def _inserts(cursor: Any, load: WriteLoad) -> list[bytes]:
    """Return statements that repeat existing calls as calls of now."""
    columns = ", ".join(load.columns)
    cursor.execute(f"SELECT {columns} FROM calls WHERE id %% 7 = %s ORDER BY id DESC LIMIT {ROWS}", [load.seed])
    rows = cursor.fetchall()
    numbered = ", ".join(f"${n}" for n in range(1, len(load.columns) + 1))
    cursor.execute(
        f"PREPARE write AS INSERT INTO {load.table} ({columns}, created_at) VALUES ({numbered}, clock_timestamp())"
    )
    return [cursor.mogrify(f"EXECUTE write ({', '.join(['%s'] * len(row))})", row) for row in rows]


def _updates(cursor: Any, load: WriteLoad) -> list[bytes]:
    """Return statements that change the status of booked calls."""
    cursor.execute(f"SELECT id FROM {load.table} WHERE booked AND id %% {CLIENTS} = %s LIMIT 20000", [load.seed])
    ids = [row[0] for row in cursor.fetchall()]
    chance = random.Random(load.seed)
    chance.shuffle(ids)
    cursor.execute(f"PREPARE write AS UPDATE {load.table} SET status = $2 WHERE id = $1")
    return [cursor.mogrify("EXECUTE write (%s, %s)", [row_id, chance.choice(BOOKED)]) for row_id in ids]
