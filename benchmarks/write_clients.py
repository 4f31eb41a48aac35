"""Concurrent writing clients, one process each: Python's lock would limit threads."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from time import monotonic
from typing import Any

import psycopg2

CLIENTS = 4
START_S = 60
IDS = 20_000

Write = Callable[[str, str, float], int]
ready: Barrier
"""In each client's process: all clients begin to write at once."""


@contextmanager
def write_clients(connection: dict[str, Any]) -> Iterator[Write]:
    """Start the clients.

    Yields a function that runs a statement by id (`$1`), with the ids of a query, in all clients for some seconds. It
    returns how many rows they have written together. Each client runs the statement at least once.
    """
    context = get_context("spawn")
    with ProcessPoolExecutor(CLIENTS, context, _set_barrier, (context.Barrier(CLIENTS, timeout=START_S),)) as pool:
        yield lambda statement, ids, seconds: sum(
            pool.map(partial(_write, connection, statement, ids, seconds), range(CLIENTS))
        )


def _set_barrier(barrier: Barrier) -> None:
    global ready
    ready = barrier


def _write(connection: dict[str, Any], statement: str, query: str, seconds: float, client: int) -> int:
    written = 0
    with closing(psycopg2.connect(**connection)) as session, session.cursor() as cursor:
        session.autocommit = True
        cursor.execute("SET crm.all_companies = 'on'")
        cursor.execute(f"SELECT id FROM ({query}) AS row WHERE id % {CLIENTS} = {client} ORDER BY random() LIMIT {IDS}")
        ids = [row[0] for row in cursor.fetchall()]
        cursor.execute(f"PREPARE write AS {statement}")
        ready.wait()
        end = monotonic() + seconds
        while not written or monotonic() < end:
            cursor.execute(f"EXECUTE write ({ids[written % len(ids)]})")
            written += 1
    return written
