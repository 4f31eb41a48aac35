"""Stored webhook events of a company, as OpenPhone sends them. None is pending: workers have nothing to do."""

import json

from crm.choices import Provider
from messaging.choices import EventStatus
from ops.demo import phrases
from ops.demo.activity_writer import ActivityWriter
from ops.demo.bulk_writer import Binary
from ops.demo.calendar import HOUR, MINUTE, stamp

PROCESSED = 10  # messages


def add_webhook_events(writer: ActivityWriter) -> None:
    """Add processed messages of the last days, an ignored event, and a dead one whose body is cut off."""
    setup, end = writer.setup, writer.end
    for n in range(PROCESSED):
        received_at = end - (PROCESSED - n) * 5 * HOUR
        message = {
            "id": writer.provider_id(),
            "object": "message",
            "from": setup.numbers[n],
            "to": [setup.lines[0].number],
            "direction": "incoming",
            "text": writer.phrase(*phrases.QUESTIONS),
            "status": "received",
            "createdAt": _iso(received_at - 2),
            "phoneNumberId": setup.lines[0].provider_id,
        }
        _add(writer, received_at, "message.received", message, EventStatus.PROCESSED)
    contact = {"object": "contact", "firstName": "Dana", "source": "app"}
    _add(writer, end - HOUR, "contact.updated", contact, EventStatus.IGNORED, "contact.updated events aren't used.")
    cut_off = {"object": "message", "text": "torn"}
    _add(writer, end - 30 * MINUTE, "", cut_off, EventStatus.DEAD, "The request body isn't valid JSON.")


def _add(
    writer: ActivityWriter, received_at: int, event_type: str, resource: dict, status: EventStatus, error: str = ""
) -> None:
    event = {
        "id": f"EV{writer.random.getrandbits(128):032x}",
        "object": "event",
        "apiVersion": "v4",
        "createdAt": _iso(received_at - 1),
        "type": event_type,
        "data": {"object": resource},
    }
    dead = status == EventStatus.DEAD
    writer.tables["webhook_events"].add(
        company=writer.setup.company,
        provider=Provider.OPENPHONE,
        event_id=event["id"],
        event_type=event_type,
        body=Binary(json.dumps(event).encode()[: -25 if dead else None]),
        headers=json.dumps({"content-type": "application/json"}),
        status=status,
        processed=not dead,
        error=error,
        created_at=stamp(received_at),
        run_at=stamp(received_at),
        processed_at=None if dead else stamp(received_at + 1),
    )


def _iso(instant: int) -> str:
    """Format as the provider does: `2026-03-01T09:30:00Z`."""
    return stamp(instant).replace(" ", "T") + "Z"
