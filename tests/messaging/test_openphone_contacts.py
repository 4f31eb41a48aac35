"""OpenPhone's address book entries in every observed shape."""

import json
from datetime import UTC, datetime

import pytest

from messaging.providers.errors import FieldError
from messaging.providers.events import ContactEvent
from messaging.providers.openphone.webhook import read_envelope, read_event
from tests.factories import fictional_number
from tests.messaging.payloads import CALLER, contact_2026, contact_v3

RECEIVED = datetime(2026, 3, 2, 16, 20, tzinfo=UTC)
OTHER = fictional_number(40_003)


def read(payload):
    return read_event(read_envelope(json.dumps(payload).encode(), {}), received_at=RECEIVED)


@pytest.mark.parametrize(
    ("payload", "phones", "email"),
    [
        (
            contact_v3(
                fields=[
                    {"name": "Phone", "type": "phone-number", "value": CALLER},
                    {"name": "Work", "type": "phone-number", "value": OTHER},
                    {"name": "Email", "type": "email", "value": "jane@example.com"},
                    {"name": "Prop", "type": "string", "value": "+12125550177"},
                ]
            ),
            (CALLER, OTHER),
            "jane@example.com",
        ),
        (contact_v3(fields=[{"name": "Email", "type": "email", "value": None}]), (), ""),
        (contact_v3(fields={"Phone": CALLER}), (CALLER,), ""),
        (contact_v3(fields={"Phone": [CALLER, OTHER], "EMAIL": "j@d.example"}), (CALLER, OTHER), "j@d.example"),
        (contact_v3(fields={}), (), ""),
        (contact_v3(), (), ""),
        ({"object": contact_v3(fields={"Phone": CALLER})}, (CALLER,), ""),
        (contact_2026(), (CALLER,), "jane@example.com"),
        (contact_2026(emails=None, phoneNumbers=None), (), ""),
    ],
    ids=["list", "list of nothing", "one", "several", "empty", "absent", "wrapped", "2026", "2026 of nothing"],
)  # fmt: skip
def test_entry_of_every_shape_is_read(payload, phones, email):
    assert read(payload) == ContactEvent(phones=phones, first_name="Jane", last_name="Doe", email=email, deleted=False)


@pytest.mark.parametrize("build", [contact_v3, contact_2026])
def test_deleted_entry_is_read(build):
    event = read(build("contact.deleted", lastName=None))
    assert (event.first_name, event.last_name, event.deleted) == ("Jane", "", True)


def test_numbers_are_normalized_and_other_values_skipped():
    event = read(contact_2026(phoneNumbers=[{"value": "(212) 555-0100"}, {"value": None}, {"value": 7}, {}]))
    assert event.phones == ("+12125550100",)


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (contact_v3(fields="none"), "fields"),
        (contact_v3(fields=["none"]), "fields"),
        (contact_v3(firstName=7), "firstName"),
        (contact_2026(lastName=["Doe"]), "lastName"),
        (contact_2026(emails=["jane@example.com"]), "emails"),
        (contact_2026(phoneNumbers=CALLER), "phoneNumbers"),
    ],
)
def test_invalid_field_is_named(payload, field):
    with pytest.raises(FieldError, match=f"^{field}: "):
        read(payload)
