"""Stored webhook events of a company, as OpenPhone sends them. None is pending: workers have nothing to do."""

import json
from typing import Any

from crm.choices import Provider
from messaging.choices import EventStatus
from ops.demo import phrases
from ops.demo.calendar import HOUR, MINUTE, iso, stamp
from ops.demo.company_setup import CompanySetup

PROCESSED = 10  # messages


def add_webhook_events(setup: CompanySetup) -> None:
    """Add processed messages of the last days, an ignored event, and a dead one whose body is cut off."""
    random, end = setup.random, setup.calendar.end
    for n in range(PROCESSED):
        received_at = end - (PROCESSED - n) * 5 * HOUR
        message = {
            "id": f"AC{random.getrandbits(64):016x}",
            "object": "message",
            "from": setup.number(n),
            "to": [setup.line_numbers[0]],
            "direction": "incoming",
            "text": random.choice(phrases.QUESTIONS).format(job=random.choice(setup.jobs)),
            "status": "received",
            "createdAt": iso(received_at - 2),
            "phoneNumberId": setup.line_provider_ids[0],
        }
        _add(setup, received_at, "message.received", message, EventStatus.PROCESSED)
    contact = {"object": "contact", "firstName": random.choice(("Dana", "Kim", "Lee")), "source": "app"}
    error = "contact.updated events aren't used."
    _add(setup, end - HOUR, "contact.updated", contact, EventStatus.IGNORED, error=error)
    error = "The request body isn't valid JSON."
    cut_off = {"object": "message", "text": "torn"}
    _add(setup, end - 30 * MINUTE, "", cut_off, EventStatus.DEAD, error=error, body_end=-25)


def _add(
    setup: CompanySetup,
    received_at: int,
    event_type: str,
    resource: dict[str, Any],
    status: EventStatus,
    *,
    error: str = "",
    body_end: int | None = None,
) -> None:
    event_id = f"EV{setup.random.getrandbits(128):032x}"
    event = {
        "id": event_id,
        "object": "event",
        "apiVersion": "v4",
        "createdAt": iso(received_at - 1),
        "type": event_type,
        "data": {"object": resource},
    }
    dead = status == EventStatus.DEAD
    setup.tables["webhook_events"].add(
        company=setup.company,
        provider=Provider.OPENPHONE,
        event_id=event_id,
        event_type=event_type,
        body=json.dumps(event).encode()[:body_end],
        headers=json.dumps({"content-type": "application/json"}),
        status=status,
        processed=not dead,
        error=error,
        created_at=stamp(received_at),
        run_at=stamp(received_at),
        processed_at=None if dead else stamp(received_at + 1),
    )
