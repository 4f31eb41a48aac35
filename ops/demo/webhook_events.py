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
    line, end = writer.setup.lines[0], writer.end
    for n in range(PROCESSED):
        message = {
            "id": writer.provider_id(),
            "object": "message",
            "from": writer.setup.numbers[n],
            "to": [line.number],
            "direction": "incoming",
            "text": writer.phrase(*phrases.QUESTIONS),
            "status": "received",
            "phoneNumberId": line.provider_id,
        }
        _add(writer, end - (PROCESSED - n) * 5 * HOUR, EventStatus.PROCESSED, "message.received", message)
    contact, torn = {"object": "contact", "firstName": "Dana"}, {"object": "message", "text": "torn"}
    error = "contact.updated events aren't used."
    _add(writer, end - HOUR, EventStatus.IGNORED, "contact.updated", contact, error)
    _add(writer, end - 30 * MINUTE, EventStatus.DEAD, "", torn, "The request body isn't valid JSON.")


def _add(
    writer: ActivityWriter, received_at: int, status: EventStatus, event_type: str, resource: dict, error: str = ""
) -> None:
    event_id, sent_at = f"EV{writer.random.getrandbits(128):032x}", _iso(received_at - 1)
    data = {"object": resource | {"createdAt": sent_at}}
    event = {
        "id": event_id,
        "object": "event",
        "apiVersion": "v4",
        "createdAt": sent_at,
        "type": event_type,
        "data": data,
    }
    dead = status == EventStatus.DEAD
    writer.tables["webhook_events"].add(
        company=writer.setup.company,
        provider=Provider.OPENPHONE,
        event_id=event_id,
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
