"""Deliveries as OpenPhone makes them, one builder for each shape, and a hand that delivers them."""

import itertools
import json
import time

from messaging.providers.signatures import sign_current, sign_legacy
from tests.factories import fictional_number

SECRET = "R2ZLM2o0bFhBNVpyUnU2NG9mYXQ1MHNyR3pvSUhIVVg="  # the one of WebhookSecretFactory
CALLER, OUR_NUMBER = fictional_number(40_000), fictional_number(40_001)  # far from those that factories count up
AT = "2026-03-02T16:00:00.000Z"

_numbers = itertools.count(1)


def legacy(event_type, resource, *, version="v4", **envelope):
    return {
        "id": f"EVlegacy{next(_numbers)}",
        "object": "event",
        "apiVersion": version,
        "createdAt": AT,
        "type": event_type,
        "data": {"object": resource},
    } | envelope


def current(event_type, resource, context, **envelope):
    return {
        "id": f"EVcurrent{next(_numbers)}",
        "apiVersion": "2026-03-30",
        "createdAt": AT,
        "type": event_type,
        "data": {"resource": resource, "context": {"orgId": "ORtest"} | context, "links": {"quo": None}},
    } | envelope


def text_v3(event_type="message.received", *, sender=CALLER, to=OUR_NUMBER, **resource):
    """As the app of 2023 sends it: `body`, and one text of recipients."""
    direction = "incoming" if event_type == "message.received" else "outgoing"
    return legacy(
        event_type,
        {
            "id": f"ACtext{next(_numbers)}",
            "object": "message",
            "from": sender,
            "to": to,
            "direction": direction,
            "body": "Can you come on Tuesday?",
            "media": [],
            "status": "received",
            "createdAt": AT,
            "phoneNumberId": "PNdesk",
            "createdBy": None,
        }
        | resource,
        version="v3",
    )


def text_v4(event_type="message.received", *, sender=CALLER, to=(OUR_NUMBER,), **resource):
    """As webhooks made by the API send it: `text`, and a list of recipients."""
    return legacy(
        event_type,
        {
            "id": f"ACtext{next(_numbers)}",
            "object": "message",
            "from": sender,
            "to": list(to),
            "direction": "incoming",
            "text": "Can you come on Tuesday?",
            "status": "delivered",
            "createdAt": AT,
            "phoneNumberId": "PNdesk",
            "contactIds": [],
        }
        | resource,
    )


def text_2026(event_type="message.received", *, context=None, **resource):
    """As of 2026-03-30: who spoke with whom stands in the context."""
    incoming = event_type == "message.received"
    return current(
        event_type,
        {
            "id": f"ACtext{next(_numbers)}",
            "direction": "incoming" if incoming else "outgoing",
            "text": "Can you come on Tuesday?",
            "media": [],
            "status": "received" if incoming else "delivered",
            "createdAt": AT,
        }
        | resource,
        {
            "phoneNumberId": "PNdesk",
            "senderIdentifier": CALLER if incoming else OUR_NUMBER,
            "recipientIdentifiers": [OUR_NUMBER if incoming else CALLER],
        }
        if context is None
        else context,
    )


def call_v2(**resource):
    """As the app of 2022 sends it: no duration, and missed calls are `completed` without `answeredAt`."""
    return legacy(
        "call.completed",
        {
            "id": f"ACcall{next(_numbers)}",
            "object": "call",
            "from": CALLER,
            "to": OUR_NUMBER,
            "direction": "incoming",
            "media": [],
            "voicemail": None,
            "status": "completed",
            "createdAt": AT,
            "answeredAt": "2026-03-02T16:00:05.000Z",
            "completedAt": "2026-03-02T16:01:05.000Z",
            "phoneNumberId": "PNdesk",
        }
        | resource,
        version="v2",
    )


def call_v4(**resource):
    """As webhooks made by the API send it: participants, and nobody says who is who."""
    return legacy(
        "call.completed",
        {
            "id": f"ACcall{next(_numbers)}",
            "object": "call",
            "answeredAt": "2026-03-02T16:00:05Z",
            "answeredBy": "UStest",
            "direction": "incoming",
            "status": "completed",
            "completedAt": "2026-03-02T16:01:05Z",
            "createdAt": AT,
            "duration": 60,
            "phoneNumberId": "PNdesk",
            "participants": [CALLER],
        }
        | resource,
    )


def call_2026(*, context=None, **resource):
    return current(
        "call.completed",
        {
            "id": f"ACcall{next(_numbers)}",
            "direction": "incoming",
            "status": "answered",
            "createdAt": AT,
            "answeredAt": "2026-03-02T16:00:05.000Z",
            "completedAt": "2026-03-02T16:01:05.000Z",
            "duration": 60,
            "hasVoicemail": False,
        }
        | resource,
        {"phoneNumberId": "PNdesk", "participants": {"workspace": [OUR_NUMBER], "external": [CALLER]}}
        if context is None
        else context,
    )


EVERY_TEXT = [text_v3, text_v4, text_2026]
EVERY_CALL = [call_v2, call_v4, call_2026]


def deliver(client, payload, *, company="acme", secret=SECRET, **headers):
    """POST a delivery, signed as its generation is. `payload` may be the raw bytes."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    now = time.time()
    if b'"resource"' in body:
        signature = sign_current(secret=secret, body=body, delivery_id="msg_test", timestamp=str(int(now)))
    else:
        signature = sign_legacy(secret=secret, body=body, timestamp=str(int(now * 1000)))
    return client.post(
        f"/webhooks/openphone/{company}", body, content_type="application/json", headers=signature | headers
    )
