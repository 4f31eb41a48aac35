"""iCalendar text of appointments."""

from datetime import UTC, datetime

import pytest

from calls.icalendar import MAX_OCTETS, write_calendar
from tests import factories

AT = datetime(2026, 3, 2, 16, tzinfo=UTC)


def unfold(text):
    """Return the lines of a calendar, as a reader joins them."""
    assert text.endswith(b"\r\n")
    assert b"\n" not in text.replace(b"\r\n", b"")
    return text.decode().replace("\r\n ", "").split("\r\n")[:-1]


def event(appointment):
    """Return the properties of the only event."""
    lines = unfold(write_calendar(name="Ralph", appointments=[appointment]))
    first, last = lines.index("BEGIN:VEVENT"), lines.index("END:VEVENT")
    return dict(line.split(":", 1) for line in lines[first + 1 : last])


@pytest.fixture
def appointment(acme):
    contact = factories.ContactFactory(
        company=acme, first_name="Robin", last_name="Field", phone="+13035550142", address="12 Elm Street",
        city="Denver", state="CO", postal_code="80202", email="robin@example.com",
    )  # fmt: skip
    return factories.AppointmentFactory(contact=contact, notes="Alarm code 4711.", updated_at=AT)


def test_event_has_what_a_rep_needs_on_the_way(appointment):
    assert event(appointment) == {
        "UID": f"appointment-{appointment.pk}@home-services-crm",
        "DTSTAMP": "20260302T160000Z",
        "LAST-MODIFIED": "20260302T160000Z",
        "DTSTART": "20260302T160000Z",
        "DTEND": "20260302T170000Z",
        "SUMMARY": "Robin Field",
        "LOCATION": "12 Elm Street\\, Denver\\, CO 80202",
        "DESCRIPTION": "+13035550142",
        "STATUS": "CONFIRMED",
        "TRANSP": "OPAQUE",
    }


def test_notes_and_email_address_stay_in_the_product(appointment):
    text = write_calendar(name="Ralph", appointments=[appointment]).decode()
    assert "4711" not in text
    assert "robin@example.com" not in text


def test_cancelled_appointment_is_cancelled_in_the_calendar(appointment):
    appointment.status = "cancelled"
    assert (event(appointment)["STATUS"], event(appointment)["TRANSP"]) == ("CANCELLED", "TRANSPARENT")


def test_calendar_without_appointments_is_one(db):
    lines = unfold(write_calendar(name="Ralph, Acme", appointments=[]))
    assert (lines[0], lines[1], lines[-1]) == ("BEGIN:VCALENDAR", "VERSION:2.0", "END:VCALENDAR")
    assert "X-WR-CALNAME:Ralph\\, Acme" in lines


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Smith; Sons, Ltd \\ Co", "Smith\\; Sons\\, Ltd \\\\ Co"),
        ("Kim\r\nBEGIN:VEVENT", "Kim\\nBEGIN:VEVENT"),
        ("Kim\rX", "Kim\\nX"),
        ("Kim\x07\x1b", "Kim"),
    ],
    ids=["separators", "a line of its own", "old line end", "control characters"],
)
def test_text_of_a_contact_is_never_a_line_of_the_calendar(name, written, appointment):
    appointment.contact.first_name, appointment.contact.last_name = name, ""
    assert event(appointment)["SUMMARY"] == written


@pytest.mark.parametrize("character", ["x", "ü", "屋", "🏠"])
def test_long_line_is_folded_between_characters(character, appointment):
    name = character * 100
    appointment.contact.first_name, appointment.contact.last_name = name, ""
    text = write_calendar(name="Ralph", appointments=[appointment])
    assert max(len(line) for line in text.split(b"\r\n")) <= MAX_OCTETS
    assert all(line.decode() for line in text.split(b"\r\n")[:-1])
    assert event(appointment)["SUMMARY"] == name
