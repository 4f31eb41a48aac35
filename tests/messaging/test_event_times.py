"""Times of webhook events and list rows out of range: the event is kept with its reason."""

from datetime import UTC, datetime, timedelta

import pytest

from calls.models import Call
from crm.db.tenancy import tenant
from messaging.models import Message, WebhookEvent
from messaging.providers.callrail import webhook as callrail
from messaging.providers.errors import FieldError
from messaging.services.inbound.reconciliation import reconcile_line
from messaging.services.inbound.webhook_processing import process_next_event
from tests.crm.test_instants import OUT_OF_RANGE
from tests.factories import PhoneLineFactory, ProviderAccountFactory, WebhookSecretFactory
from tests.messaging.payloads import (
    CALLER,
    OUR_NUMBER,
    call_2026,
    call_v2,
    call_v4,
    callrail_call,
    callrail_message,
    message_2026,
    message_v3,
    message_v4,
    post_event,
    voicemail_2026,
)
from tests.provider_server.callrail import ACCOUNT as CALLRAIL_ACCOUNT
from tests.provider_server.twilio import ACCOUNT as TWILIO_ACCOUNT

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 16, tzinfo=UTC)
REASON = "must be a time from 1970-01-01 to 2100-12-31"
TIMES = [
    *[("openphone", build, "createdAt") for build in (message_v3, message_v4, message_2026, call_v2, call_v4)],
    *[("openphone", call_2026, field) for field in ("createdAt", "answeredAt", "completedAt")],
    ("openphone", voicemail_2026, "createdAt"),
    ("callrail", callrail_call, "start_time"),
    ("callrail", callrail_message, "timestamp"),
]


def process_all():
    while process_next_event():
        pass


@pytest.mark.parametrize("text", OUT_OF_RANGE)
@pytest.mark.parametrize(("provider", "build", "field"), TIMES)
def test_event_with_a_time_out_of_range_is_dead_with_the_fields_name(client, secret, provider, build, field, text):
    WebhookSecretFactory(company=secret.company, provider="callrail")
    post_event(client, build(**{field: text}), provider=provider)
    process_all()
    with tenant(secret.company_id):
        event = WebhookEvent.objects.get()
        assert (event.status, event.tries, event.error) == ("dead", 0, f"{field}: {REASON}")
        assert not Call.objects.exists()
        assert not Message.objects.exists()


def test_zero_time_stops_neither_the_other_events_nor_the_dashboard(client, secret, manager_api):
    post_event(client, call_v4(createdAt="0001-01-01T00:00:00Z"))
    post_event(client, call_v4())
    process_all()
    metrics = manager_api.get("/api/v1/dashboard/metrics")
    assert (metrics.status_code, metrics.json()["total"]) == (200, 1)
    [notice] = [row for row in manager_api.get("/api/v1/notices").json()["notices"] if row["kind"] == "dead_deliveries"]
    assert REASON in notice["message"]


def test_call_that_would_end_after_the_range_has_no_end():
    content = callrail_call(start_time="2100-12-30T23:00:00Z", duration="2147483647")
    envelope = callrail.Envelope(id="", type="post_call", content=content, warning="")
    event = callrail.read_event(envelope, received_at=AT)
    assert (event.completed_at, event.duration_s) == (None, 2147483647)


def test_phone_numbers_of_an_event_are_limited():
    content = callrail_message(source_number=[CALLER] * 101)
    with pytest.raises(FieldError, match="source_number: must have at most 100 phone numbers"):
        callrail.read_event(callrail.Envelope(id="", type="text_message", content=content, warning=""), received_at=AT)


@pytest.fixture
def line_of(acme, provider_server):
    """Return a function that makes a line of a provider with an account."""
    accounts = {"openphone": "", "twilio": TWILIO_ACCOUNT, "callrail": CALLRAIL_ACCOUNT}

    def make(provider):
        ProviderAccountFactory(company=acme, provider=provider, account_id=accounts[provider])
        return PhoneLineFactory(company=acme, provider=provider, number=OUR_NUMBER, provider_id="PNdesk")

    return make


def assert_one_added_and_one_unreadable(line):
    result = reconcile_line(line=line, since=AT - timedelta(days=1), progress=int)
    assert (result.added, result.unreadable, result.failure) == (1, 1, "")


def test_openphones_row_out_of_range_is_unreadable(line_of, provider_server):
    line = line_of("openphone")
    for _ in range(2):
        row = provider_server.openphone.add_message("PNdesk", CALLER, "Hello?", at=AT)
    row["createdAt"] = "2999-01-01T00:00:00Z"
    assert_one_added_and_one_unreadable(line)


def test_callrails_row_out_of_range_is_unreadable(line_of, provider_server):
    line = line_of("callrail")
    for _ in range(2):
        row = provider_server.callrail.add_call(OUR_NUMBER, CALLER, at=AT)
    row["start_time"] = "2999-01-01T00:00:00+00:00"
    assert_one_added_and_one_unreadable(line)


def test_twilios_row_out_of_range_is_unreadable(line_of, provider_server):
    line = line_of("twilio")
    for _ in range(2):
        row = provider_server.twilio.add_message(CALLER, OUR_NUMBER, "Hello?", at=AT)
    row["date_created"] = "Mon, 01 Jan 0001 00:00:00 +0000"
    assert_one_added_and_one_unreadable(line)
