"""Webhook payloads, one builder per shape, and a helper that posts them."""

import itertools
import json
import time
from urllib.parse import urlencode

from django.conf import settings

from messaging.providers.registry import PROVIDERS
from tests.factories import fictional_number

SECRET = "R2ZLM2o0bFhBNVpyUnU2NG9mYXQ1MHNyR3pvSUhIVVg="  # as in WebhookSecretFactory
CALLER, OUR_NUMBER = fictional_number(40_000), fictional_number(40_001)  # outside the range of the factories
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


def message_v3(event_type="message.received", *, sender=CALLER, to=OUR_NUMBER, **resource):
    """App of 2023: `body`, and recipients in one string."""
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


def message_v4(event_type="message.received", *, sender=CALLER, to=(OUR_NUMBER,), **resource):
    """API webhooks: `text`, and a list of recipients."""
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


def message_2026(event_type="message.received", *, context=None, **resource):
    """Version 2026-03-30: the numbers are in the context."""
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


def call_v2(event_type="call.completed", **resource):
    """App of 2022: no duration, and missed calls are `completed` without `answeredAt`."""
    return legacy(
        event_type,
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


def call_v4(event_type="call.completed", **resource):
    """API webhooks: participants without their sides."""
    return legacy(
        event_type,
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


def call_event_2026(event_type, *, context=None, **resource):
    """Version 2026-03-30: the fields depend on the type, with a common context."""
    default = {"phoneNumberId": "PNdesk", "participants": {"workspace": [OUR_NUMBER], "external": [CALLER]}}
    return current(event_type, resource, default if context is None else context)


def call_2026(event_type="call.completed", **resource):
    return call_event_2026(
        event_type,
        **{
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
    )


def voicemail_2026(**resource):
    return call_event_2026(
        "call.voicemail.completed",
        **{
            "id": f"ACvoicemail{next(_numbers)}",
            "voicemailId": "VMtest",
            "callId": f"ACcall{next(_numbers)}",
            "direction": "incoming",
            "duration": 18,
            "from": CALLER,
            "to": OUR_NUMBER,
            "transcript": "Please call me back about the gutters.",
            "recordingUrl": "https://files.example.com/voicemail.mp3",
            "createdAt": AT,
        }
        | resource,
    )


def summary_v4(event_type="callSummary", **resource):
    """The provider's sample has the kind of object as the event type."""
    return legacy(event_type, {"object": "callSummary", "status": "completed"} | _SUMMARY | resource)


def summary_2026(**resource):
    fields = {"processingStatus": "completed", "handledByAiAgent": False, "jobs": []}
    return call_event_2026("call.summary.completed", **fields | _SUMMARY | resource)


def transcript_v4(event_type="callTranscript", **resource):
    return legacy(event_type, {"object": "callTranscript", "status": "completed"} | _TRANSCRIPT | resource)


def transcript_2026(**resource):
    return call_event_2026("call.transcript.completed", **{"processingStatus": "completed"} | _TRANSCRIPT | resource)


_SUMMARY = {
    "callId": "ACcall",
    "summary": ["The roof leaks.", "They want a quote."],
    "nextSteps": ["Send a quote."],
}
_TRANSCRIPT = {
    "callId": "ACcall",
    "createdAt": AT,
    "duration": 41.7,
    "dialogue": [
        {"content": "Acme Roofing, hello?", "start": 0, "end": 2.5, "identifier": None, "userId": "UStest"},
        {"content": "My roof leaks.", "start": 2.75, "end": 4, "identifier": CALLER, "userId": None},
    ],
}


def contact_v3(event_type="contact.updated", **resource):
    """App: numbers and email addresses in `fields`, if any."""
    defaults = {
        "id": "CTtest",
        "object": "contact",
        "firstName": "Jane",
        "lastName": "Doe",
        "notes": [],
        "createdAt": AT,
    }
    return legacy(event_type, defaults | resource, version="v3")


def contact_2026(event_type="contact.updated", **resource):
    defaults = {
        "id": "CTtest",
        "firstName": "Jane",
        "lastName": "Doe",
        "company": None,
        "emails": [{"value": "jane@example.com", "type": "email"}],
        "phoneNumbers": [{"value": CALLER, "type": "phone-number"}],
        "customFields": [],
        "createdAt": AT,
    }
    return current(event_type, defaults | resource, {"userId": "UStest", "sharedWithIds": []})


def callrail_call(**fields):
    """A completed call: missing values are "", and numbers may be strings."""
    return {
        "resource_id": f"CALtest{next(_numbers)}",
        "answered": True,
        "call_type": "first_call",
        "direction": "inbound",
        "customer_name": "Jane Doe",
        "customer_phone_number": CALLER,
        "tracking_phone_number": OUR_NUMBER,
        "business_phone_number": fictional_number(40_002),
        "duration": "60",
        "recording": "",
        "start_time": "2026-03-02T09:00:00.000-07:00",
        "voicemail": False,
        "tracker_resource_id": "TRKtest",
        "company_resource_id": "COMtest",
    } | fields


def callrail_message(**fields):
    return {
        "resource_id": f"SMStest{next(_numbers)}",
        "source_number": CALLER,
        "destination_number": OUR_NUMBER,
        "content": "Can you come on Tuesday?",
        "timestamp": "2026-03-02T09:00:00.000-07:00",
        "conversation_id": "KNVtest",
        "company_resource_id": "COMtest",
    } | fields


def twilio_message(**fields):
    sid = f"SMtest{next(_numbers)}"
    return {
        "MessageSid": sid,
        "SmsSid": sid,
        "AccountSid": "ACtest",
        "From": CALLER,
        "To": OUR_NUMBER,
        "Body": "Can you come on Tuesday?",
        "NumMedia": "0",
        "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
    } | fields


def twilio_status(status="delivered", **fields):
    """A status update of an outgoing message, without its body."""
    message = twilio_message(From=OUR_NUMBER, To=CALLER, SmsStatus=status, MessageStatus=status)
    return {name: message[name] for name in message if name not in ("Body", "NumMedia")} | fields


EVERY_MESSAGE = [message_v3, message_v4, message_2026]
EVERY_CALL = [call_v2, call_v4, call_2026]
EVERY_SHAPE = [
    *(("openphone", build) for build in [*EVERY_MESSAGE, *EVERY_CALL]),
    ("openphone", voicemail_2026),
    ("openphone", summary_v4),
    ("openphone", summary_2026),
    ("openphone", transcript_v4),
    ("openphone", transcript_2026),
    ("openphone", contact_v3),
    ("openphone", contact_2026),
    ("callrail", callrail_call),
    ("callrail", callrail_message),
    ("twilio", twilio_message),
    ("twilio", twilio_status),
]


def post_event(client, payload, *, provider="openphone", company="acme", secret=SECRET, query="", **headers):
    """POST a webhook event with the provider's signature. `payload` may be raw bytes."""
    if isinstance(payload, bytes):
        body = payload
    else:
        body = (urlencode(payload) if PROVIDERS[provider].sends_forms else json.dumps(payload)).encode()
    path = f"/webhooks/{provider}/{company}{query}"
    signed = PROVIDERS[provider].signature.sign(
        secret=secret, body=body, url=settings.PUBLIC_URL + path, now=time.time()
    )
    return client.post(path, body, content_type=signed.pop("content-type"), headers=signed | headers)
