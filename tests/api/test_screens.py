"""The screens of a front end: how many requests each takes, and whether the answers hold all that it shows."""

from datetime import UTC, datetime, timedelta

import pytest

from tests import factories
from tests.conftest import signed_in

START = datetime(2026, 3, 2, 16, tzinfo=UTC)
ROWS = 5  # as many as a page: the number of requests doesn't depend on it
MAX_REQUESTS = 2
CONTACT = ["contact_summary.name", "contact_summary.phone", "contact_summary.flags", "contact_summary.opted_out"]
MESSAGE = [f"last_message.{name}" for name in ("body", "direction", "status", "at")]
APPOINTMENT = [*CONTACT, "address", "assigned_rep_name", "scheduled_start", "scheduled_end", "status"]

# What each screen shows, by the requests that it sends.
SCREENS = {
    "inbox": {
        "conversations?order=recent&limit=50": [
            *CONTACT, *MESSAGE, "unread", "assignee_name", "phone_line_name", "status", "last_activity_at",
        ],
    },
    "calls": {
        "calls": [*CONTACT, "phone_line_name", "assigned_rep_name", "direction", "status", "created_at"],
    },
    "missed calls": {
        "missed-calls?recovered=false": [*CONTACT, "phone_line_name", "missed_calls", "last_missed_at", "text_back"],
        "missed-calls/counts": ["waiting"],
    },
    "card": {
        "contacts/{contact}/card": [
            "contact.first_name", "phones", "flags", "opt_out", "open_lead.status", "next_appointment.scheduled_start",
            "last_appointment.status", "unread", "last_call.created_at", "last_call.phone_line_name",
        ],
        "contacts/{contact}/timeline": ["kind", "at"],
    },
    "calendar": {
        "appointments?start_date=2026-03-02&end_date=2026-03-08": APPOINTMENT,
        "colleagues?role=rep": ["name"],
    },
    "campaigns": {
        "campaigns": ["name", "status", "progress.pending", "progress.sent", "phone_line_name", "created_by_name"],
    },
    "rep's week": {
        "appointments?start_date=2026-03-02&end_date=2026-03-08": APPOINTMENT,
    },
}  # fmt: skip


@pytest.fixture
def rows(acme, manager, csr, rep):
    """Rows of every screen; the last contact has all that a card shows."""
    line = factories.PhoneLineFactory(company=acme, name="Front desk")
    for number in range(ROWS):
        contact = factories.ContactFactory(company=acme, address="12 Oak St")
        of, at = {"contact": contact}, START + timedelta(hours=number)
        conversation = factories.ConversationFactory(phone_line=line, assignee=csr, last_activity_at=at, **of)
        factories.MessageFactory(phone_line=line, activity__conversation=conversation, **of)
        factories.ContactFlagFactory(flag_type="office_number", **of)
        factories.LeadFactory(**of)
        factories.CallFactory(phone_line=line, assigned_rep=rep, **of)
        factories.MissedCallerFactory(phone_line=line, **of)
        factories.AppointmentFactory(scheduled_start=at, assigned_rep=rep, **of)
        factories.AppointmentFactory(scheduled_start=at + timedelta(days=36500 / 2), assigned_rep=rep, **of)
        campaign = factories.CampaignFactory(company=acme, phone_line=line, created_by=manager)
        factories.CampaignMembershipFactory(campaign=campaign, **of)
    return contact


def value_at(row, path):
    for name in path.split("."):
        row = row[name]
    return row


@pytest.mark.parametrize("screen", SCREENS)
def test_screen_takes_at_most_two_requests_for_all_that_it_shows(screen, rows, manager, rep):
    api = signed_in(rep if screen.startswith("rep") else manager)
    assert len(SCREENS[screen]) <= MAX_REQUESTS
    missing = []
    for path, shown in SCREENS[screen].items():
        answer = api.get(f"/api/v1/{path.format(contact=rows.pk)}")
        assert answer.status_code == 200, answer.content
        body = answer.json()
        entries = body.get("results", [body])
        assert len(entries) >= (ROWS if "recovered" in path or screen in ("inbox", "calls") else 1)
        missing += [(path, name) for entry in entries for name in shown if value_at(entry, name) is None]
    assert missing == []
