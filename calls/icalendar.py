"""iCalendar text of appointments (RFC 5545), in UTC."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from calls.choices import AppointmentStatus
from calls.models import Appointment

MAX_OCTETS = 75  # of a line, without its end
ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def write_calendar(*, name: str, appointments: Iterable[Appointment]) -> bytes:
    """Return a calendar with an event for each appointment. Equal appointments are equal bytes."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Home-services CRM//Appointments//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_escaped(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT15M",
        "X-PUBLISHED-TTL:PT15M",
        *(line for appointment in appointments for line in _event(appointment)),
        "END:VCALENDAR",
    ]
    return b"".join(_folded(line) for line in lines)


def _event(appointment: Appointment) -> Iterator[str]:
    contact = appointment.contact
    is_cancelled = appointment.status == AppointmentStatus.CANCELLED
    town = ", ".join(filter(None, [contact.address, contact.city, f"{contact.state} {contact.postal_code}".strip()]))
    yield "BEGIN:VEVENT"
    yield f"UID:appointment-{appointment.pk}@home-services-crm"  # the same wherever the product runs, and for ever
    yield f"DTSTAMP:{_utc(appointment.updated_at)}"
    yield f"LAST-MODIFIED:{_utc(appointment.updated_at)}"
    yield f"DTSTART:{_utc(appointment.scheduled_start)}"
    yield f"DTEND:{_utc(appointment.scheduled_end)}"
    yield f"SUMMARY:{_escaped(str(contact))}"
    if town:
        yield f"LOCATION:{_escaped(town)}"
    yield f"DESCRIPTION:{_escaped(contact.phone)}"
    yield "STATUS:CANCELLED" if is_cancelled else "STATUS:CONFIRMED"
    yield "TRANSP:TRANSPARENT" if is_cancelled else "TRANSP:OPAQUE"
    yield "END:VEVENT"


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    return CONTROLS.sub("", re.sub(r"\r\n?", "\n", text)).translate(ESCAPES)


def _folded(line: str) -> bytes:
    """Return the line with its end, cut into parts of at most MAX_OCTETS. No character is cut."""
    if len(line.encode()) <= MAX_OCTETS:
        return f"{line}\r\n".encode()
    parts, octets = [""], 0
    for character in line:
        size = len(character.encode())
        if octets + size > MAX_OCTETS:
            parts.append(" ")
            octets = 1
        parts[-1] += character
        octets += size
    return "".join(f"{part}\r\n" for part in parts).encode()
