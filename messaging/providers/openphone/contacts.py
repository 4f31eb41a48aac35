"""OpenPhone's address book entries.

Numbers and email addresses are in `phoneNumbers` and `emails` (2026-03-30), or in `fields`. That is a list of `{name,
type, value}` (2022), an object of names and values (from 2023), empty or missing.
"""

from collections.abc import Iterator
from typing import Any

from messaging.providers import fields
from messaging.providers.errors import FieldError
from messaging.providers.events import ContactEvent
from messaging.providers.openphone.envelope import EventParts


def read_contact(parts: EventParts) -> ContactEvent:
    """Return an entry that was created, changed or deleted."""
    resource = parts.resource
    found = list(_entries(resource))
    phones = [value for kind, value in found if kind == "phone"]
    return ContactEvent(
        phones=fields.numbers({"phone": phones}, "phone"),
        first_name=fields.text(resource, "firstName").strip(),
        last_name=fields.text(resource, "lastName").strip(),
        email=next((value for kind, value in found if kind == "email"), ""),
        deleted=parts.type == "contact.deleted",
    )


def _entries(resource: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each phone number and email address as ("phone" or "email", value)."""
    for kind, name in (("phone", "phoneNumbers"), ("email", "emails")):
        yield from ((kind, value) for entry in _list(resource, name) for value in _values(entry.get("value")))
    if isinstance(resource.get("fields"), dict):
        pairs = list(resource["fields"].items())
    else:
        pairs = [(entry.get("type"), entry.get("value")) for entry in _list(resource, "fields")]
    for name, value in pairs:
        for kind in ("phone", "email"):
            if isinstance(name, str) and kind in name.casefold():  # "Phone", or the type "phone-number"
                yield from ((kind, text) for text in _values(value))


def _list(resource: dict[str, Any], field: str) -> list[dict[str, Any]]:
    value = resource.get(field) or []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise FieldError(field, "must be a list of objects")
    return value


def _values(value: Any) -> list[str]:
    """Return the strings of one value or a list. Other values are skipped: users enter anything."""
    texts = value if isinstance(value, list) else [value]
    return [text.strip() for text in texts if isinstance(text, str) and text.strip()]
