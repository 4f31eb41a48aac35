"""Seconds that the product's processes need to start."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from statistics import median
from time import monotonic
from typing import Any

from django.conf import settings

from benchmarks.processes import children_of
from benchmarks.waiting_clients import stream
from benchmarks.web_server import database_url, gunicorn, open_connection

WEB_PROCESS, WORKER = "web process", "worker"


def measure_starts(turns: int) -> dict[str, float]:
    """Start each in turns. Returns the median seconds by name."""
    starts: dict[str, Callable[[], float]] = {
        "web server, until its first answer": _start_server,
        WEB_PROCESS: _replace_web_process,
        WORKER: _start_worker,
        "`manage.py stream`": _start_stream,
        "`manage.py check`": _check,
    }
    seconds: dict[str, list[float]] = {name: [] for name in starts}
    for _ in range(turns):
        for name, start in starts.items():
            seconds[name].append(start())
    return {name: median(values) for name, values in seconds.items()}


def _start_server() -> float:
    begin = monotonic()
    with gunicorn(WEB_WORKERS="1") as (_, port):
        _ask(port)
        return monotonic() - begin


def _replace_web_process() -> float:
    """Time a process that replaces an ended one, as after a HUP, until it answers."""
    with gunicorn(WEB_WORKERS="1") as (server, port):
        _ask(port)
        [process] = children_of(server.pid)
        begin = monotonic()
        os.kill(process, signal.SIGKILL)
        _ask(port)
        return monotonic() - begin


def _start_worker() -> float:
    begin = monotonic()
    with _manage("work", stderr=subprocess.PIPE) as worker:
        try:
            while line := worker.stderr.readline():  # type: ignore[union-attr]
                if b"Worker started" in line:
                    return monotonic() - begin
            raise RuntimeError("The worker didn't start.")
        finally:
            worker.terminate()


def _start_stream() -> float:
    begin = monotonic()
    with stream():
        return monotonic() - begin


def _check() -> float:
    begin = monotonic()
    with _manage("check") as check:
        if check.wait():
            raise RuntimeError("`manage.py check` failed.")
        return monotonic() - begin


def _ask(port: int) -> None:
    with open_connection(port) as http:
        http.request("GET", "/healthz")
        http.getresponse().read()


def _manage(command: str, **options: Any) -> "subprocess.Popen[bytes]":
    environment = os.environ | {"DATABASE_URL": database_url(), "DEBUG": "false", "SMS_BACKEND": "console"}
    return subprocess.Popen(
        [sys.executable, "manage.py", command],
        cwd=settings.BASE_DIR, env=environment, stdout=subprocess.DEVNULL, **options,
    )  # fmt: skip
