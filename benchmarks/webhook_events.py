"""Chapter 6: webhook events that one worker process handles in a second."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from benchmarks.database import fetch, wal_position
from benchmarks.report import Chapter, Goal, number, show_step
from benchmarks.samples import Sample
from calls.models import Call
from crm.db.tenancy import all_tenants, tenant
from crm.models import Activity, Contact, PhoneLine
from messaging.models import Message, WebhookEvent
from messaging.services.inbound.webhook_processing import BATCH, process_due_events
from tests.messaging.payloads import call_v4, message_v4

EVENTS = 1500  # of each kind
GOAL = 120

ABOUT = f"""New events of OpenPhone from known callers of the largest company, minutes old, are stored as the web
server stores them. Then one process handles them as `manage.py work` does, in claims of {BATCH}. Each figure is for one
event. Statements include those of the transactions. The worker's processor time is steadier than the rate where other
programs use the machine. PostgreSQL's is that of the worker's connection, if the server runs on the same machine."""
HEAD = ["event", "events a second", "worker, ms", "PostgreSQL, ms", "statements", "KiB of WAL"]


@dataclass(frozen=True)
class Cost:
    """Cost of one event. Seconds."""

    elapsed: float
    worker: float
    server: float | None
    statements: float
    wal: float

    @property
    def row(self) -> list[str]:
        server = "–" if self.server is None else number(self.server * 1000)
        times = [number(1 / self.elapsed), number(self.worker * 1000), server]
        return [*times, number(self.statements), number(self.wal / 1024)]


def measure_webhook_events(sample: Sample, *, events: int = EVENTS) -> Chapter:
    """Store events of known callers, so many of each kind. Handle them, and delete them and their rows."""
    with tenant(sample.company.pk):
        line = PhoneLine.objects.exclude(number="").order_by("pk")[0]
        callers = list(Contact.objects.order_by("-pk").values_list("phone", flat=True)[:events])
    kinds: dict[str, Callable[..., dict[str, Any]]] = {
        "message from a contact": lambda caller, **resource: message_v4(sender=caller, to=(line.number,), **resource),
        "message to a contact": lambda caller, **resource: message_v4(
            "message.delivered",
            sender=line.number,
            to=(caller,),
            direction="outgoing",
            **resource,
        ),
        "call from a contact": lambda caller, **resource: call_v4(participants=[caller], **_call_times(), **resource),
    }
    costs = {}
    for index, (kind, make) in enumerate(kinds.items()):
        show_step(f"webhook events: {kind}")
        payloads = [
            make(
                callers[n % len(callers)],
                createdAt=_ago(120),
                id=f"ACbench{index}x{n}",
                phoneNumberId=line.provider_id,
            )
            for n in range(BATCH + events)
        ]
        with override_settings(DEBUG=False):  # it would keep each statement
            costs[kind] = _measure(sample, payloads)
    chapter = Chapter("6. Webhook events", [ABOUT])
    chapter.add_table(HEAD, [[kind, *cost.row] for kind, cost in costs.items()])
    slowest = max(cost.elapsed for cost in costs.values())
    chapter.goals.append(Goal("webhook events a second, one worker", GOAL, 1 / slowest, unit="", at_least=True))
    return chapter


def _ago(seconds: float) -> str:
    return (timezone.now() - timedelta(seconds=seconds)).isoformat()


def _call_times() -> dict[str, Any]:
    return {"answeredAt": _ago(115), "completedAt": _ago(55), "duration": 60}


def _measure(sample: Sample, payloads: list[dict[str, Any]]) -> Cost:
    """Count the statements of the first claim. Time the others without counting, which costs time."""
    _store(sample, payloads[:BATCH])
    with CaptureQueriesContext(connection) as captured:
        process_due_events()
    _store(sample, payloads[BATCH:])
    wal, server, worker, began = wal_position(), _server_time(), process_time(), perf_counter()
    while process_due_events():
        pass
    elapsed, worker = perf_counter() - began, process_time() - worker
    server_after = _server_time()
    wal = wal_position() - wal
    _delete(expected=len(payloads))
    timed = len(payloads) - BATCH
    return Cost(
        elapsed=elapsed / timed,
        worker=worker / timed,
        server=None if server is None or server_after is None else (server_after - server) / timed,
        statements=len(captured) / BATCH,
        wal=wal / timed,
    )


def _store(sample: Sample, payloads: list[dict[str, Any]]) -> None:
    with all_tenants():
        WebhookEvent.objects.bulk_create(
            WebhookEvent(
                company=sample.company,
                provider="openphone",
                event_id=f"bench-{payload['id']}",
                event_type=payload["type"],
                body=json.dumps(payload).encode(),
            )
            for payload in payloads
        )


def _server_time() -> float | None:
    """Return the processor time of this connection's server process in seconds, if it runs on this machine."""
    stat = Path(f"/proc/{fetch('SELECT pg_backend_pid()')[0][0]}/stat")
    if connection.settings_dict["HOST"].startswith("/") and stat.exists():
        user, system = stat.read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return None


def _delete(*, expected: int) -> None:
    """Delete the events with their rows. Raises RuntimeError if they weren't all processed."""
    with all_tenants():
        events = WebhookEvent.objects.filter(event_id__startswith="bench-")
        done = events.filter(status="processed").count()
        if done != expected:
            raise RuntimeError(f"Only {done} of {expected} events were processed.")
        events.delete()
        for model in (Message, Call):
            model.objects.filter(activity__openphone_id__startswith="ACbench").delete()
        Activity.objects.filter(openphone_id__startswith="ACbench").delete()
