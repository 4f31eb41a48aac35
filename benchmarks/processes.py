"""Memory, processor time and database connections of the product's processes."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import sleep
from typing import NamedTuple

from django.conf import settings

from benchmarks.database import fetch
from benchmarks.endpoints import endpoints_of
from benchmarks.samples import Sample
from benchmarks.web_server import Get, database_url, get_with, gunicorn, open_connection, sign_in

CLIENTS = 8  # at once, for each web process: more than its threads
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Memory(NamedTuple):
    """MiB that a process has in memory, its share of them, and what it alone has.

    For its share, a page that several processes have in common is divided among them.
    """

    resident: float
    share: float
    private: float


class Web(NamedTuple):
    """A web server after requests. `workers` are its processes beside the master. Milliseconds are for one request."""

    master: Memory
    workers: list[Memory]
    connections: int
    web_ms: float
    database_ms: float

    @property
    def total(self) -> Memory:
        every = (self.master, *self.workers)
        return Memory(*(sum(figures) for figures in zip(*every, strict=True)))


class Worker(NamedTuple):
    memory: Memory
    connections: int


def measure_web(sample: Sample, *, workers: int, turns: int, preload: bool = False) -> Web:
    """Start a web server, and let many clients ask each endpoint at once, as often as there are turns."""
    paths = [endpoint.path for endpoint in endpoints_of(sample).values()]
    before = backends()
    options = ["--preload"] if preload else []
    url = database_url()
    # A session that ends takes its processor time with it.
    keep = f"{url}{'&' if '?' in url else '?'}conn_max_age=3600"
    with (
        gunicorn(*options, WEB_WORKERS=str(workers), DATABASE_URL=keep) as (server, port),
        ExitStack() as stack,
    ):
        connections = [stack.enter_context(open_connection(port)) for _ in range(CLIENTS * workers)]
        token = sign_in(connections[0], sample.manager.username)
        clients = [get_with(http, token) for http in connections]
        ask_at_once(clients, paths)  # opens the connections and loads what is loaded late
        processes, sessions = children_of(server.pid), backends() - before
        cpu = [cpu_seconds(processes), cpu_seconds(sessions)]
        ask_at_once(clients, paths * turns)
        requests = len(clients) * len(paths) * turns
        web_ms, database_ms = (
            1000 * (cpu_seconds(pids) - earlier) / requests
            for pids, earlier in zip((processes, sessions), cpu, strict=True)
        )
        return Web(
            master=read_memory(server.pid),
            workers=[read_memory(pid) for pid in processes],
            connections=len(backends() - before),
            web_ms=web_ms,
            database_ms=database_ms,
        )


def measure_worker(is_done: Callable[[], bool]) -> Worker:
    """Start a worker, and wait until it has done its work."""
    before = backends()
    with running_worker() as worker:
        while not is_done():
            if worker.poll() is not None:
                raise RuntimeError(f"The worker ended with {worker.returncode}.")
            sleep(0.1)
        return Worker(memory=read_memory(worker.pid), connections=len(backends() - before))


@contextmanager
def running_worker() -> Iterator["subprocess.Popen[bytes]"]:
    worker = subprocess.Popen(
        [sys.executable, "manage.py", "work"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": database_url(), "SMS_BACKEND": "console"},
        stdout=subprocess.DEVNULL,
    )
    with worker:
        try:
            yield worker
        finally:
            worker.terminate()


def ask_at_once(clients: list[Get], paths: list[str]) -> None:
    def ask_all(get: Get) -> None:
        for path in paths:
            get(path)

    with ThreadPoolExecutor(len(clients)) as pool:
        list(pool.map(ask_all, clients))


def backends() -> set[int]:
    """Return the processes of the server that serve connections to this database, without this one."""
    return {
        pid
        for (pid,) in fetch(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
    }


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def read_memory(pid: int) -> Memory:
    lines = [line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()]
    kib = {words[0]: int(words[1]) for words in lines if words[-1] == "kB"}
    private = kib["Private_Clean:"] + kib["Private_Dirty:"]
    return Memory(resident=kib["Rss:"] / 1024, share=kib["Pss:"] / 1024, private=private / 1024)


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the processor time that these processes have used."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks * TICK_S
