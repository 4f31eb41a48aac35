"""Clients that write, each a process of its own: in one, Python's lock would be what is measured."""

import random
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import psycopg2

CLIENTS = 4
LEAD_S = 0.7  # in which all of them connect and prepare
ROWS = 2000
BOOKED = ("awaiting_quote", "still_deciding", "purchased", "lost", "cancelled")


@dataclass(frozen=True)
class WriteLoad:
    """What a client does, again and again, from the time `start` on (time.time()), or once it is ready."""

    parameters: dict[str, Any]
    table: str
    columns: list[str]
    verb: str
    start: float
    seconds: float
    seed: int


@contextmanager
def writing_clients() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(CLIENTS, mp_context=get_context("spawn")) as pool:
        yield pool


def write_together(pool: ProcessPoolExecutor, job: dict[str, Any]) -> int:
    """How many rows all clients together have written."""
    start = time.time() + LEAD_S
    return sum(pool.map(_work, [WriteLoad(**job, start=start, seed=seed) for seed in range(CLIENTS)]))


def _work(job: WriteLoad) -> int:
    connection = psycopg2.connect(**job.parameters)
    connection.autocommit = True
    written = 0
    with connection.cursor() as cursor:
        cursor.execute("SET crm.all_companies = 'on'")
        statements = _inserts(cursor, job) if job.verb == "INSERT" else _updates(cursor, job)
        while time.time() < job.start:
            time.sleep(0.005)
        end = time.time() + job.seconds
        while not written or time.time() < end:
            cursor.execute(statements[written % len(statements)])
            written += 1
    connection.close()
    return written


def _inserts(cursor: Any, job: WriteLoad) -> list[bytes]:
    """Calls of now, of whomever others were."""
    columns = ", ".join(job.columns)
    cursor.execute(f"SELECT {columns} FROM calls WHERE id %% 7 = %s ORDER BY id DESC LIMIT {ROWS}", [job.seed])
    rows = cursor.fetchall()
    places = ", ".join(f"${n}" for n in range(1, len(job.columns) + 1))
    cursor.execute(
        f"PREPARE write AS INSERT INTO {job.table} ({columns}, created_at) VALUES ({places}, clock_timestamp())"
    )
    holes = ", ".join(["%s"] * len(job.columns))
    return [cursor.mogrify(f"EXECUTE write ({holes})", row) for row in rows]


def _updates(cursor: Any, job: WriteLoad) -> list[bytes]:
    """Another outcome of a booked call."""
    cursor.execute(f"SELECT id FROM {job.table} WHERE booked AND id %% {CLIENTS} = %s LIMIT 20000", [job.seed])
    ids = [row[0] for row in cursor.fetchall()]
    luck = random.Random(job.seed)
    luck.shuffle(ids)
    cursor.execute(f"PREPARE write AS UPDATE {job.table} SET status = $2 WHERE id = $1")
    return [cursor.mogrify("EXECUTE write (%s, %s)", [row_id, luck.choice(BOOKED)]) for row_id in ids]
