"""A contact as a vCard 3.0 (RFC 2426), which phones and mail programs read."""

from collections.abc import Iterator, Sequence

from crm.models import Contact, ContactPhone

MAX_OCTETS = 75  # of a line; a longer one is folded
# Labels of numbers that vCard has a type for.
TYPES = {"mobile": "CELL", "cell": "CELL", "home": "HOME", "work": "WORK", "office": "WORK", "fax": "FAX"}


def vcard_of(contact: Contact, *, phones: Sequence[ContactPhone], tags: Sequence[str]) -> bytes:
    """Return the vCard of a contact with its numbers, the main one first, and its tags as categories."""
    lines = [
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"N:{_escape(contact.last_name)};{_escape(contact.first_name)};;;",
        f"FN:{_escape(contact.name or contact.phone)}",
        *_numbers(contact, phones),
    ]
    if contact.email:
        lines.append(f"EMAIL;TYPE=INTERNET:{_escape(contact.email)}")
    address = [contact.address, contact.city, contact.state, contact.postal_code]
    if any(address):
        lines.append(f"ADR:;;{';'.join(map(_escape, address))};")
    if tags:
        lines.append(f"CATEGORIES:{','.join(map(_escape, tags))}")
    lines += [f"REV:{contact.updated_at:%Y-%m-%dT%H:%M:%SZ}", "END:VCARD"]
    return b"".join(b"\r\n ".join(_folded(line)) + b"\r\n" for line in lines)


def _numbers(contact: Contact, phones: Sequence[ContactPhone]) -> Iterator[str]:
    for number in sorted(phones, key=lambda number: number.phone != contact.phone):
        types = [kind for label, kind in TYPES.items() if label in number.label.casefold()][:1]
        if number.phone == contact.phone:
            types.append("PREF")
        kinds = f";TYPE={','.join(types)}" if types else ""
        yield f"TEL{kinds}:{_escape(number.phone)}"


def _escape(text: str) -> str:
    for character in ("\\", ";", ","):
        text = text.replace(character, f"\\{character}")
    return "\\n".join(text.splitlines())


def _folded(line: str) -> Iterator[bytes]:
    """Yield the parts of a line, none longer than allowed and none ending within a character."""
    part = b""
    for character in line:
        encoded = character.encode()
        if len(part) + len(encoded) > MAX_OCTETS - 1:  # the next part begins with a space
            yield part
            part = b""
        part += encoded
    yield part
