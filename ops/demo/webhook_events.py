"""A few stored deliveries of each company, as OpenPhone sends them. None is pending: no worker has anything to do."""

import json

from crm.choices import Provider
from messaging.choices import EventStatus
from ops.demo import phrases
from ops.demo.bulk_writer import Tables
from ops.demo.calendar import HOUR, MINUTE, iso, stamp
from ops.demo.company_setup import CompanySetup

TAKEN = 10  # deliveries of texts that were taken
IGNORED_TYPE = "contact.updated"


def add_deliveries(tables: Tables, setup: CompanySetup) -> None:
    """Texts that were taken, over the last days; one delivery that nothing is done about; a torn one that is dead."""
    for n in range(TAKEN):
        arrived = setup.calendar.end - (TAKEN - n) * 5 * HOUR
        text = {
            "id": f"AC{setup.random.getrandbits(64):016x}",
            "object": "message",
            "from": setup.number(n),
            "to": [setup.line_numbers[0]],
            "direction": "incoming",
            "text": setup.random.choice(phrases.QUESTIONS).format(job=setup.random.choice(setup.jobs)),
            "status": "received",
            "createdAt": iso(arrived - 2),
            "phoneNumberId": setup.line_provider_ids[0],
        }
        _add_delivery(tables, setup, arrived, "message.received", text, EventStatus.PROCESSED)
    card = {"object": "contact", "firstName": setup.random.choice(("Dana", "Kim", "Lee")), "source": "app"}
    reason = f"{IGNORED_TYPE} is of no use to us."
    _add_delivery(tables, setup, setup.calendar.end - HOUR, IGNORED_TYPE, card, EventStatus.IGNORED, error=reason)
    torn = {"object": "message", "text": "torn"}
    _add_delivery(
        tables,
        setup,
        setup.calendar.end - 30 * MINUTE,
        "",
        torn,
        EventStatus.DEAD,
        error="The body is no JSON.",
        cut=25,
    )


def _add_delivery(
    tables: Tables,
    setup: CompanySetup,
    arrived: int,
    event_type: str,
    resource: dict,
    status: EventStatus,
    *,
    error: str = "",
    cut: int = 0,
) -> None:
    """`cut`: how many bytes the body lacks at its end."""
    event_id = f"EV{setup.random.getrandbits(128):032x}"
    event = {
        "id": event_id,
        "object": "event",
        "apiVersion": "v4",
        "createdAt": iso(arrived - 1),
        "type": event_type,
        "data": {"object": resource},
    }
    body = json.dumps(event).encode()
    tables.webhook_events.add(
        company=setup.company,
        provider=Provider.OPENPHONE,
        event_id=event_id,
        event_type=event_type,
        body=body[: len(body) - cut],
        headers=json.dumps({"content-type": "application/json"}),
        status=status,
        processed=status != EventStatus.DEAD,
        error=error,
        created_at=stamp(arrived),
        run_at=stamp(arrived),
        processed_at=stamp(arrived + 1) if status != EventStatus.DEAD else None,
    )
