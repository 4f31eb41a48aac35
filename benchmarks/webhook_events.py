"""Chapter 6: webhook events that one worker process handles in a second."""

import json
from collections.abc import Callable
from time import perf_counter
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benchmarks.database import wal_position
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

ABOUT = f"""Events of OpenPhone for the largest company are stored as the web server stores them. Then one process
handles them as `manage.py work` does, in claims of {BATCH}. Statements include those of the transactions."""


def measure_webhook_events(sample: Sample) -> Chapter:
    """Store events of known callers, handle them, and delete them with their calls and messages."""
    with tenant(sample.company.pk):
        line = PhoneLine.objects.exclude(number="").order_by("pk")[0]
        callers = list(Contact.objects.order_by("-pk").values_list("phone", flat=True)[:EVENTS])
    kinds: dict[str, Callable[..., dict[str, Any]]] = {
        "message from a contact": lambda caller, number: message_v4(
            id=f"ACbench{number}", sender=caller, to=(line.number,), phoneNumberId=line.provider_id
        ),
        "call from a contact": lambda caller, number: call_v4(
            id=f"ACbench{number}", participants=[caller], phoneNumberId=line.provider_id
        ),
    }
    rows, rates = [], []
    for index, (kind, make) in enumerate(kinds.items()):
        show_step(f"webhook events: {kind}")
        first = 1_000_000_000 + index * EVENTS
        payloads = [make(callers[n % len(callers)], first + n) for n in range(EVENTS)]
        rate, statements, wal = _handle(sample, payloads)
        rates.append(rate)
        rows.append([kind, number(rate), number(statements), number(wal / 1024)])
    chapter = Chapter("6. Webhook events", [ABOUT])
    chapter.add_table(["event", "events a second", "statements", "KiB of WAL"], rows)
    chapter.goals.append(Goal("webhook events a second, one worker", GOAL, min(rates), unit="", at_least=True))
    return chapter


def _handle(sample: Sample, payloads: list[dict[str, Any]]) -> tuple[float, float, float]:
    """Return events per second, and statements and bytes of WAL for an event."""
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
    wal, began = wal_position(), perf_counter()
    while process_due_events():
        pass
    seconds, wal = perf_counter() - began, wal_position() - wal
    with all_tenants():
        events = WebhookEvent.objects.filter(event_id__startswith="bench-")
        done = events.filter(status="processed").count()
        if done != len(payloads):
            raise RuntimeError(f"Only {done} of {len(payloads)} events were processed.")
        again = events.filter(pk__in=events.values("pk")[:BATCH])
        again.update(status="pending", processed=False, processed_at=None, run_at=timezone.now())
    with CaptureQueriesContext(connection) as captured:
        process_due_events()
    with all_tenants():
        events.delete()
        for model in (Message, Call):
            model.objects.filter(activity__openphone_id__startswith="ACbench").delete()
        Activity.objects.filter(openphone_id__startswith="ACbench").delete()
    return len(payloads) / seconds, len(captured) / BATCH, wal / len(payloads)
