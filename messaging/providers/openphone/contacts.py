"""Entries of the address book, as OpenPhone tells of them.

Their numbers and e-mails stand in `phoneNumbers` and `emails` (2026-03-30), or in `fields`: a list of `{name, type,
value}` (2022), an object of names and values (2023 on), an empty object, or nothing at all.
"""

from collections.abc import Iterator
from typing import Any

from messaging.providers import fields
from messaging.providers.events import ContactEvent, FieldError
from messaging.providers.openphone.envelopes import OpenedEnvelope


def read_contact(opened: OpenedEnvelope) -> ContactEvent:
    """An entry was made, changed or deleted."""
    resource = opened.resource
    found = list(_entries(resource))
    phones = [value for kind, value in found if kind == "phone"]
    return ContactEvent(
        phones=fields.numbers({"phone": phones}, "phone"),
        first_name=fields.text(resource, "firstName").strip(),
        last_name=fields.text(resource, "lastName").strip(),
        email=next((value for kind, value in found if kind == "email"), ""),
        deleted=opened.type == "contact.deleted",
    )


def _entries(resource: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each number and e-mail address: ("phone" or "email", the value)."""
    for kind, name in (("phone", "phoneNumbers"), ("email", "emails")):
        yield from ((kind, value) for entry in _list(resource, name) for value in _values(entry.get("value")))
    if isinstance(resource.get("fields"), dict):
        pairs = list(resource["fields"].items())
    else:
        pairs = [(entry.get("type"), entry.get("value")) for entry in _list(resource, "fields")]
    for name, value in pairs:
        for kind in ("phone", "email"):
            if isinstance(name, str) and kind in name.casefold():  # "Phone", or of the type "phone-number"
                yield from ((kind, text) for text in _values(value))


def _list(resource: dict[str, Any], field: str) -> list[dict[str, Any]]:
    value = resource.get(field) or []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise FieldError(field, "must be a list of entries")
    return value


def _values(value: Any) -> list[str]:
    """One value or several; people write all kinds of things into an address book, and what is no text is left out."""
    texts = value if isinstance(value, list) else [value]
    return [text.strip() for text in texts if isinstance(text, str) and text.strip()]
