"""Unexpected values in any field: an event is read or rejected with a reason."""

import copy
import json
from datetime import UTC, datetime

import pytest

from messaging.providers.errors import InvalidPayload, NotHandled
from messaging.providers.registry import PROVIDERS
from tests.messaging import payloads

UNEXPECTED = [
    None, "", " ", "x" * 5000, "é🙂", "\x00\ud800", "-1", "2147483647", "9" * 400, 0, -1, 10**30, 1e308, float("nan"),
    True, [], ["x"], [None], [{}], {}, {"url": 7}, {"value": []}, "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00",
]  # fmt: skip
CALL_EVENTS = [
    *(lambda event_type=event_type: payloads.call_2026(event_type) for event_type in ("call.ringing", "call.answered")),
    lambda: payloads.call_2026("call.recording.completed", recordings=[{"url": "https://x.example"}]),
    lambda: payloads.call_2026("call.menu.selected", phoneMenuSelection="1", phoneMenuSelectionName="Book"),
    lambda: payloads.call_2026("call.forwarded", forwardedTo="US1"),
]
WITH_OPTIONAL_FIELDS = [
    *(("openphone", build) for build in CALL_EVENTS),
    ("openphone", lambda: payloads.contact_v3(fields={"Phone": ["1"]})),
    ("openphone", lambda: payloads.contact_v3(fields=[{"name": "Phone", "type": "phone-number", "value": "1"}])),
    ("callrail", lambda: payloads.callrail_call(voicemail=True, recording="https://x.example")),
    (
        "twilio",
        lambda: payloads.twilio_message(MediaUrl0="https://x.example", MediaContentType0="x", OptOutType="STOP"),
    ),
    ("twilio", lambda: payloads.twilio_status(ErrorCode="30006")),
]


def paths(value, path=()):
    """Yield the path of each field, at any depth."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries:
        yield (*path, key)
        yield from paths(item, (*path, key))


def replaced(payload, path, value):
    changed = copy.deepcopy(payload)
    target = changed
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return changed


@pytest.mark.slow
@pytest.mark.parametrize(("provider", "build"), [*payloads.EVERY_SHAPE, *WITH_OPTIONAL_FIELDS])
def test_unexpected_value_in_any_field_is_read_or_rejected(provider, build):
    payload, webhook = build(), PROVIDERS[provider].webhook
    read = 0
    for path in paths(payload):
        for value in UNEXPECTED:
            try:
                envelope = webhook.read_envelope(json.dumps(replaced(payload, path, value)).encode(), {})
                webhook.read_event(envelope, received_at=datetime(2026, 3, 2, 16, tzinfo=UTC))
                read += 1
            except (InvalidPayload, NotHandled):
                continue
    assert read  # most values are harmless
