"""Cost of one webhook event: new rows by table, WAL, and processor time."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from time import process_time
from typing import Any, NamedTuple

from django.db.models import QuerySet

from benchmarks.database import fetch, wal_position
from benchmarks.processes import cpu_seconds
from benchmarks.samples import Sample
from calls.models import Call
from crm.db.tenancy import all_tenants, tenant
from crm.models import Activity, Contact, PhoneLine
from messaging.models import Message, WebhookEvent
from messaging.services.inbound.webhook_processing import process_due_events
from tests.messaging.payloads import call_v4, message_v4

FIRST = 2_000_000_000  # of the providers' ids


class EventCost(NamedTuple):
    """Of one event: new rows by table, bytes of WAL, and processor time of the worker and of the database."""

    rows: dict[str, float]
    wal: float
    worker_ms: float
    database_ms: float


def measure_events(sample: Sample, *, events: int) -> dict[str, EventCost]:
    """Process events of known contacts, so many of each kind; by kind."""
    with tenant(sample.company.pk):
        line = PhoneLine.objects.exclude(number="").order_by("pk")[0]
        callers = list(Contact.objects.order_by("-pk").values_list("phone", flat=True)[:events])
    costs = {}
    for kind, make in {
        "message": lambda id, caller: message_v4(
            id=id, sender=caller, to=(line.number,), phoneNumberId=line.provider_id
        ),
        "call": lambda id, caller: call_v4(id=id, participants=[caller], phoneNumberId=line.provider_id),
    }.items():
        payloads = [make(f"ACsizing{FIRST + n}", callers[n % len(callers)]) for n in range(events)]
        with stored_events(sample, payloads) as stored:
            costs[kind] = _process(stored, len(payloads))
    return costs


@contextmanager
def stored_events(sample: Sample, payloads: list[dict[str, Any]]) -> Iterator[QuerySet[WebhookEvent]]:
    """Store events as the web server does. Delete them and what they made at the end."""
    with all_tenants():
        WebhookEvent.objects.bulk_create(
            WebhookEvent(
                company=sample.company,
                provider="openphone",
                event_id=f"sizing-{payload['id']}",
                event_type=payload["type"],
                body=json.dumps(payload).encode(),
            )
            for payload in payloads
        )
        events = WebhookEvent.objects.filter(event_id__startswith="sizing-")
    yield events
    with all_tenants():
        events.delete()
        for model in (Message, Call):
            model.objects.filter(activity__openphone_id__startswith="ACsizing").delete()
        Activity.objects.filter(openphone_id__startswith="ACsizing").delete()


def _process(events: QuerySet[WebhookEvent], expected: int) -> EventCost:
    [(backend,)] = fetch("SELECT pg_backend_pid()")
    rows, wal, began, database_began = _inserted_rows(), wal_position(), process_time(), cpu_seconds([backend])
    while process_due_events():
        pass
    worker, database = process_time() - began, cpu_seconds([backend]) - database_began
    wal = wal_position() - wal
    with all_tenants():
        done = events.filter(status="processed").count()
    if done != expected:
        raise RuntimeError(f"Only {done} of {expected} events were processed.")
    made = {
        table: (inserted - rows.get(table, 0)) / expected
        for table, inserted in _inserted_rows().items()
        if inserted > rows.get(table, 0)
    }
    return EventCost(
        rows={"webhook_events": 1.0} | made,  # it was stored before
        wal=wal / expected,
        worker_ms=1000 * worker / expected,
        database_ms=1000 * database / expected,
    )


def _inserted_rows() -> dict[str, int]:
    fetch("SELECT pg_stat_force_next_flush()")
    return dict(fetch("SELECT relname, n_tup_ins FROM pg_stat_user_tables"))
