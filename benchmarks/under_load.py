"""Chapter 15: many clients at once, with the requests of a CSR's day, beside webhooks and a worker."""

import json
import subprocess
import sys
from contextlib import ExitStack
from datetime import timedelta
from statistics import median, quantiles
from typing import Any, NamedTuple

from django.conf import settings
from django.utils import timezone

from benchmarks.charts import draw_bars
from benchmarks.load_clients import CHANGES
from benchmarks.processes import running_worker
from benchmarks.report import Chapter, Goal, number, show_step
from benchmarks.samples import Sample
from benchmarks.waiting_clients import database_processes, processes_below, used_seconds
from benchmarks.web_server import WORKERS, gunicorn, open_connection, sign_in
from crm.choices import Role
from crm.db.tenancy import tenant
from crm.models import Contact, PhoneLine, User
from messaging.models import WebhookSecret
from messaging.providers.openphone.signature import generate_secret, sign_legacy
from tests.messaging.payloads import message_v4

CLIENTS = (1, 8, 32)
JUDGED = 8  # clients, of the goal
P99_TO_P50 = 3
EVENTS_A_SECOND = 5
CONTACTS = 50
SHOWN_ERRORS = 5

ABOUT = f"""Clients of the largest company, signed in as all of its managers and CSRs, each with a connection of its
own, ask as fast as they are answered: the inbox, threads, cards, timelines, calls, missed calls, searches, metrics and
changes. One request in ten writes: a reply, a note, a task or an appointment. {EVENTS_A_SECOND} webhook events a
second arrive beside them, and a worker does what follows. The web server is gunicorn with {WORKERS} processes and the
product's configuration. It counts each request for the rate limit, which is set so high that nobody reaches it.
Processor time is divided by the requests, events included. The clients are threads of one process, and share the
processors with all others. Rows that were written stay."""


class Result(NamedTuple):
    """Milliseconds by request, errors, and processor seconds by the processes that used them."""

    seconds: float
    ms: dict[str, list[float]]
    errors: list[str]
    cpu: dict[str, float]

    @property
    def all_ms(self) -> list[float]:
        return [one for each in self.ms.values() for one in each]

    @property
    def p99_to_p50(self) -> float:
        return _p99(self.all_ms) / median(self.all_ms)

    def row(self, clients: int) -> list[str]:
        requests, each = len(self.all_ms), self.all_ms
        cpu = [number(1000 * seconds / requests) for seconds in self.cpu.values()]
        cells = [number(requests / self.seconds), number(median(each)), number(_p99(each))]
        return [str(clients), *cells, *cpu, str(len(self.errors))]


def measure_under_load(sample: Sample, *, seconds: float) -> Chapter:
    """Let each number of clients work for some seconds. Shows errors on standard error, and counts them."""
    results = {}
    with tenant(sample.company.pk):
        users = User.objects.filter(is_active=True, role__in=(Role.MANAGER, Role.CSR)).order_by("pk")
        names = [sample.manager.username, *users.values_list("username", flat=True)]
        secret, _ = WebhookSecret.objects.get_or_create(
            company=sample.company, provider="openphone", defaults={"secret": generate_secret()}
        )
    environment = {"THROTTLE_USER_PER_MIN": "1000000000", "WEB_WORKERS": str(WORKERS)}
    with gunicorn(**environment) as (server, port), running_worker() as worker, ExitStack() as stack:
        http = stack.enter_context(open_connection(port))
        tokens = {name: sign_in(http, name) for name in names[: max(CLIENTS)]}
        for clients in CLIENTS:
            show_step(f"{clients} clients")
            order = {
                "port": port,
                "seconds": seconds,
                "tokens": [[*tokens.values()][n % len(tokens)] for n in range(clients)],
                "requests": _requests(sample),
                "events": _events(sample, secret.secret, seconds, f"{clients}"),
            }
            results[clients] = _run(order, server.pid, worker.pid)
            for error in sorted(set(results[clients].errors))[:SHOWN_ERRORS]:
                show_step(error)
    return _describe(results)


def _requests(sample: Sample) -> list[tuple[str, str, str, Any]]:
    """Return the pool of requests, each as often as it is asked in a hundred."""
    with tenant(sample.company.pk):
        contacts = list(Contact.objects.filter(flags=None).exclude(phone="").order_by("-pk")[:CONTACTS])
        line = PhoneLine.objects.exclude(number="").order_by("pk")[0]
    pool: list[tuple[str, str, str, Any]] = []
    for contact in contacts:
        pk, start = contact.pk, timezone.now() + timedelta(days=30)
        month = "start_date={}&end_date={}".format(*sample.days(30))
        gets = {
            "inbox": (15, "conversations?order=recent&status=open&status=waiting"),
            CHANGES: (30, "changes"),
            "thread": (12, f"message-threads/{pk}"),
            "card": (8, f"contacts/{pk}/card"),
            "timeline": (5, f"contacts/{pk}/timeline"),
            "calls": (6, "dashboard/calls"),
            "missed calls": (5, "missed-calls?recovered=false"),
            "contact search": (6, f"contacts?search={contact.last_name[:4] or contact.phone[-4:]}"),
            "metrics": (3, f"dashboard/metrics?{month}"),
        }
        posts: dict[str, tuple[int, str, Any]] = {
            "reply": (4, f"message-threads/{pk}", {"body": "We are on it.", "phone_line": line.pk}),
            "note": (3, "activities", {"contact": pk, "body": "Asked for a quote."}),
            "task": (2, "tasks", {"contact": pk, "title": "Call back", "due_at": start.isoformat()}),
            "appointment": (
                1,
                "appointments",
                {
                    "contact": pk,
                    "scheduled_start": start.isoformat(),
                    "scheduled_end": (start + timedelta(hours=1)).isoformat(),
                },
            ),
        }
        pool += [(name, "GET", f"/api/v1/{path}", None) for name, (share, path) in gets.items() for _ in range(share)]
        pool += [
            (name, "POST", f"/api/v1/{path}", body) for name, (share, path, body) in posts.items() for _ in range(share)
        ]
    return pool


def _events(sample: Sample, secret: str, seconds: float, run: str) -> list[tuple[str, dict[str, str], str]]:
    with tenant(sample.company.pk):
        line = PhoneLine.objects.exclude(number="").order_by("pk")[0]
        phones = list(Contact.objects.order_by("-pk").values_list("phone", flat=True)[:CONTACTS])
    events = []
    now = timezone.now()
    for n in range(max(1, round(seconds * EVENTS_A_SECOND))):
        event = message_v4(
            sender=phones[n % len(phones)], to=(line.number,), phoneNumberId=line.provider_id,
            createdAt=now.isoformat(), id=f"ACload{run}x{n}x{now.timestamp():.0f}",
        )  # fmt: skip
        body = json.dumps(event)
        headers = sign_legacy(secret=secret, body=body.encode(), timestamp=str(int(1000 * now.timestamp())))
        path = f"/webhooks/openphone/{sample.company.slug}"
        events.append((path, headers | {"Content-Type": "application/json"}, body))
    return events


def _run(order: dict[str, Any], server: int, worker: int) -> Result:
    web = [server, *processes_below(server)]
    before = [used_seconds(web), used_seconds(database_processes()), used_seconds([worker])]
    clients = subprocess.run(
        [sys.executable, "-m", "benchmarks.load_clients"],
        cwd=settings.BASE_DIR, input=json.dumps(order), stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    after = [used_seconds(web), used_seconds(database_processes()), used_seconds([worker])]
    found = json.loads(clients.stdout)
    used = [late - early for early, late in zip(before, after, strict=True)]
    names = ("web", "PostgreSQL", "worker", "clients")
    return Result(found["seconds"], found["ms"], found["errors"], dict(zip(names, [*used, found["cpu"]], strict=True)))


def _describe(results: dict[int, Result]) -> Chapter:
    chapter = Chapter("15. Under load", [ABOUT])
    parts = ("web", "PostgreSQL", "worker", "clients")
    chapter.add_table(
        ["clients", "requests a second", "p50, ms", "p99, ms", *(f"{part}, ms a request" for part in parts), "errors"],
        [result.row(clients) for clients, result in results.items()],
    )
    judged = results[JUDGED]
    rows = [[name, str(len(ms)), number(median(ms)), number(_p99(ms))] for name, ms in sorted(judged.ms.items())]
    chapter.add_table(["request", "times", "p50, ms", "p99, ms"], rows, title=f"{JUDGED} clients")
    names = sorted({name for result in results.values() for name in result.ms})
    chapter.add_chart(
        "load", "A CSR's day under load, half of the requests", draw_bars, unit="ms",
        series=[f"{clients} clients" for clients in results],
        rows=[
            (name, [median(ms) if (ms := each.ms.get(name)) else None for each in results.values()]) for name in names
        ],
        log=True,
    )  # fmt: skip
    chapter.goals += [
        Goal(f"p99 against p50 with {JUDGED} clients", P99_TO_P50, judged.p99_to_p50),
        Goal("errors under load", 0, sum(len(result.errors) for result in results.values()), unit=""),
    ]
    return chapter


def _p99(ms: list[float]) -> float:
    return quantiles(ms, n=100, method="inclusive")[-1] if len(ms) > 1 else ms[0]
