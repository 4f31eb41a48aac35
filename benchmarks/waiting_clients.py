"""Chapter 8: clients that wait for changes, by polling and by the stream."""

import json
import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings

from benchmarks.database import fetch
from benchmarks.report import Chapter, Goal, number, show_step
from benchmarks.samples import Sample
from benchmarks.web_server import WORKERS, Get, database_url, get_with, gunicorn, open_connection, sign_in
from crm.api.tokens import SESSION, SessionToken
from crm.changes.tickets import issue_ticket
from crm.db.tenancy import all_tenants
from crm.models import Contact, User

POLLING, EVERY_S = 100, 2.0
STREAMING = 1000
CHANGE_S = 0.5  # between two changes of the company
TICKS = os.sysconf("SC_CLK_TCK")
MIB = 1024  # in KiB

ABOUT = f"""{POLLING} clients of the largest company ask `changes` every {EVERY_S:.0f} seconds, behind gunicorn, with
the product's rate limits; a contact changes every {CHANGE_S} seconds. Then {STREAMING:,} clients are connected to
`manage.py stream` while nothing changes. Processor time is that of the server's processes, and of PostgreSQL's; 100 %
is one core."""


def measure_waiting_clients(sample: Sample, *, seconds: float) -> Chapter:
    """Measure both for some seconds. Leaves the contact that it changes as it was."""
    with all_tenants():
        users = list(User.accounts.filter(company=sample.company, is_active=True).order_by("pk")[:10])
        contact = Contact.objects.filter(company=sample.company).latest("pk")
    show_step(f"{POLLING} clients poll")
    web, database = _poll(users, contact, seconds)
    streaming = STREAMING if seconds >= 1 else 10  # tests are in a hurry
    show_step(f"{streaming} clients listen")
    share, memory = _listen(users, streaming, seconds)
    chapter = Chapter("8. Clients that wait for changes", [ABOUT])
    chapter.add_table(
        ["clients", "web server or stream, %", "PostgreSQL, %", "memory, MiB"],
        [
            [f"{POLLING} polling", number(web), number(database), "–"],
            [f"{streaming:,} streaming, idle", number(share), "–", number(memory)],
        ],
    )
    chapter.goals += [
        Goal(f"{POLLING} clients polling every {EVERY_S:.0f} s, of one core", 15, web + database, unit="%"),
        Goal(f"{STREAMING:,} idle streams, of one core", 20, share, unit="%"),
        Goal(f"{STREAMING:,} idle streams, memory", 200, memory, unit="MiB"),
    ]
    return chapter


def _poll(users: list[User], contact: Contact, seconds: float) -> tuple[float, float]:
    """Return the shares of a core that the web server and PostgreSQL need."""
    with gunicorn(THROTTLE_USER_PER_MIN="1200", WEB_WORKERS=str(WORKERS)) as (_, port), ExitStack() as stack:
        tokens: dict[str, str] = {}
        clients: list[Get] = []
        for n in range(POLLING):
            http, name = stack.enter_context(open_connection(port)), users[n % len(users)].username
            tokens[name] = tokens.get(name) or sign_in(http, name)
            clients.append(get_with(http, tokens[name]))
        cursors = [json.loads(get("/api/v1/changes"))["next"] for get in clients]
        database = database_processes()
        server = [process for process in processes_below(os.getpid()) if process not in database]
        with _processor_share(lambda: server) as web, _processor_share(database_processes, database) as sql:
            begin, changed = time.monotonic(), 0
            for turn in range(max(1, int(seconds / EVERY_S)) * POLLING):
                due = begin + turn * EVERY_S / POLLING
                time.sleep(max(0.0, due - time.monotonic()))
                if due - begin >= changed * CHANGE_S:
                    changed += 1
                    with all_tenants():
                        Contact.objects.filter(pk=contact.pk).update(city=f"City {changed % 2}")
                n = turn % POLLING
                cursors[n] = json.loads(clients[n](f"/api/v1/changes?after={quote(cursors[n])}"))["next"]
    with all_tenants():
        Contact.objects.filter(pk=contact.pk).update(city=contact.city)
    return web(), sql()


def _listen(users: list[User], count: int, seconds: float) -> tuple[float, float]:
    """Return the stream's share of a core, and its memory in MiB."""
    sessions = [SessionToken.for_user(user)[SESSION] for user in users]
    with ExitStack() as stack:
        process, port = stack.enter_context(stream())
        selector = stack.enter_context(selectors.DefaultSelector())
        for n in range(count):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            ticket = issue_ticket(users[n % len(users)], session=sessions[n % len(users)])
            client.sendall(f"GET /events?ticket={ticket} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            if not client.recv(100).startswith(b"HTTP/1.1 200"):
                raise RuntimeError("The stream has refused a client.")
            selector.register(client, selectors.EVENT_READ)
        with _processor_share(lambda: [process.pid]) as share:
            end = time.monotonic() + seconds
            while (left := end - time.monotonic()) > 0:
                for key, _ in selector.select(left):
                    key.fileobj.recv(10_000)  # type: ignore[union-attr]
        status = Path(f"/proc/{process.pid}/status").read_text()
        memory = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        return share(), memory / MIB


@contextmanager
def stream() -> Iterator[tuple[subprocess.Popen, int]]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "manage.py", "stream", "--port", str(port)],
        cwd=settings.BASE_DIR, env=os.environ | {"DATABASE_URL": database_url(), "DEBUG": "false"},
    )  # fmt: skip
    with process:
        try:
            _wait_for(port)
            yield process, port
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


@contextmanager
def _processor_share(
    processes: Callable[[], list[int]], before: list[int] | None = None
) -> Iterator[Callable[[], float]]:
    """Yield a function that returns, after the block, the processes' share of a core, in percent."""
    shares: list[float] = []
    begin, used = time.monotonic(), used_seconds(before or processes())
    yield lambda: shares[0]
    shares.append(100 * (used_seconds(processes()) - used) / (time.monotonic() - begin))


def used_seconds(processes: list[int]) -> float:
    """Return the processor time that the processes and their ended children have used."""
    ticks = 0
    for process in processes:
        fields = _stat(process)
        ticks += sum(map(int, fields[11:15])) if fields else 0
    return ticks / TICKS


def _stat(process: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name, from the state on."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return []


def processes_below(parent: int) -> list[int]:
    children = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    found = [process for process in children if (fields := _stat(process)) and int(fields[1]) == parent]
    return found + [process for child in found for process in processes_below(child)]


def database_processes() -> list[int]:
    """Return the server's processes, which run on this machine."""
    [(backend,)] = fetch("SELECT pg_backend_pid()")
    server = int(_stat(backend)[1])
    return [server, *processes_below(server)]
