"""Deadline of a request's or task's database work, for a server that accepts statements and never answers.

PostgreSQL enforces its own time limits only while it runs. A frozen or cut-off server would hold the thread for ever,
since the driver waits without a limit. A thread of this module then closes the connection's socket, and the driver
reports a lost connection.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

# Above WEB_STATEMENT_TIMEOUT_MS: a server that lives reports its timeouts itself. Django then connects again, for 3 s.
REQUEST_S = 15.5
TASK_S = 300.0  # far above the longest task: the worker's statements have no limit
INTERVAL_S = 0.25
ARRIVED: ContextVar[float | None] = ContextVar("arrived", default=None)
"""When the thread's request had arrived, in time.monotonic(): it may have waited for the thread."""


class Watchdog:
    """Closes the database connections of threads that are past their deadline."""

    def __init__(self, deadline_s: float) -> None:
        self._deadline_s = deadline_s
        self._watched: dict[BaseDatabaseWrapper, float] = {}  # with the deadline, in time.monotonic()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Limit the time of the thread's connections during the block.

        A replica has half of it, since a request that it fails is repeated on the primary.
        """
        now = time.monotonic()
        end = (ARRIVED.get() or now) + self._deadline_s
        watched = {connections[alias]: now + (end - now) / 2 for alias in settings.REPLICAS}
        watched[connections["default"]] = end
        with self._lock:
            self._watched |= watched
            if self._thread is None or not self._thread.is_alive():  # the first request since the server forked
                self._thread = threading.Thread(target=self._run, name="database-watchdog", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:  # from here on, the connection may serve another request
                for connection in watched:
                    self._watched.pop(connection, None)  # live servers of tests share one connection

    def _run(self) -> None:
        never = threading.Event()
        while not never.wait(INTERVAL_S):  # time.sleep is replaced in tests of waits, for all threads
            with self._lock:
                for connection, deadline in self._watched.items():
                    if time.monotonic() > deadline:
                        _close_socket(connection)


REQUESTS, TASKS = Watchdog(REQUEST_S), Watchdog(TASK_S)  # one thread for a process, which has the one or the other


def _close_socket(connection: BaseDatabaseWrapper) -> None:
    with (
        suppress(Exception),  # there is no connection now, or the driver has closed it
        socket.socket(fileno=os.dup(connection.connection.fileno())) as duplicate,
    ):
        duplicate.shutdown(socket.SHUT_RDWR)
