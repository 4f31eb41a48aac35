"""Times of webhook events and list rows out of range: the event is kept with its reason."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from calls.models import Call, MissedCaller
from crm.db.tenancy import tenant
from messaging.models import Message, WebhookEvent
from messaging.providers.callrail import webhook as callrail
from messaging.providers.errors import FieldError
from messaging.services.inbound.reconciliation import reconcile_line
from messaging.services.outbound.text_backs import queue_next_text_back
from tests.crm.test_instants import OUT_OF_RANGE
from tests.errors import errors_of
from tests.factories import (
    ContactFactory,
    PhoneLineFactory,
    ProviderAccountFactory,
    WebhookEventFactory,
    WebhookSecretFactory,
)
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
from tests.messaging.worker_rounds import process_next_event
from tests.provider_server.callrail import ACCOUNT as CALLRAIL_ACCOUNT
from tests.provider_server.twilio import ACCOUNT as TWILIO_ACCOUNT

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 16, tzinfo=UTC)
ANSWERED, ENDED = AT + timedelta(seconds=5), AT + timedelta(seconds=65)
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


# --- Times that can't be true -----------------------------------------------------------------------------------------

FUTURE = "2099-01-01T00:00:00Z"
USED_ARRIVAL = "Its time is in the future; the time of arrival was used."


@pytest.fixture
def arrive(client, secret, in_acme):
    WebhookSecretFactory(company=secret.company, provider="callrail")

    def arrive(payload, provider="openphone"):
        post_event(client, payload, provider=provider)
        process_all()
        return WebhookEvent.objects.get()

    return arrive


@pytest.mark.parametrize(
    ("provider", "build", "field"), [case for case in TIMES if case[2] not in ("answeredAt", "completedAt")]
)
def test_event_in_the_future_gets_its_time_of_arrival_and_a_reason(arrive, provider, build, field):
    event = arrive(build(**{field: FUTURE}), provider)
    assert event.status == "processed"
    assert event.error.startswith(USED_ARRIVAL)
    [row] = [*Call.objects.all(), *Message.objects.all()]
    assert row.created_at == event.created_at


def test_clock_that_is_a_little_ahead_is_believed(arrive):
    ahead = datetime.now(UTC) + timedelta(minutes=4)
    event = arrive(message_v4(createdAt=ahead.isoformat()))
    assert (event.error, Message.objects.get().created_at) == ("", ahead)


def test_missed_call_in_the_future_gets_one_text_back_at_once(arrive, acme, desk):
    acme.missed_call_text = "Sorry that we missed you."
    acme.save()
    event = arrive(call_2026(createdAt=FUTURE, answeredAt=None, completedAt=None, status="unanswered", duration=None))
    caller = MissedCaller.objects.get()
    assert (caller.last_missed_at, caller.text_back) == (event.created_at, "due")
    assert queue_next_text_back()
    assert not queue_next_text_back()


def test_late_event_of_a_missed_call_in_the_future_gets_no_text_back(arrive, acme, desk):
    acme.missed_call_text = "Sorry that we missed you."
    acme.save()
    body = json.dumps(call_2026(createdAt=FUTURE, answeredAt=None, completedAt=None, status="unanswered")).encode()
    WebhookEventFactory(company=acme, body=body, created_at=datetime.now(UTC) - timedelta(hours=2))
    process_all()
    assert MissedCaller.objects.get().text_back == "off"


@pytest.mark.parametrize(
    ("times", "stored", "reason"),
    [
        ({"answeredAt": FUTURE}, (None, ENDED), "answered_at is in the future; it was left out."),
        ({"completedAt": FUTURE}, (ANSWERED, None), "completed_at is in the future; it was left out."),
        (
            {"answeredAt": "2026-03-02T15:59:59Z"},
            (None, ENDED),
            "answered_at is before the call's start or answer; it was left out.",
        ),
        (
            {"completedAt": "2026-03-02T16:00:04Z"},
            (ANSWERED, None),
            "completed_at is before the call's start or answer; it was left out.",
        ),
    ],
)
@pytest.mark.parametrize("build", [call_v2, call_v4, call_2026])
def test_time_of_a_call_that_can_not_be_true_is_left_out_with_a_reason(arrive, build, times, stored, reason):
    event = arrive(build(**times))
    call = Call.objects.get()
    assert (event.status, event.error) == ("processed", reason)
    assert (call.status, call.answered_at, call.completed_at) == ("unbooked", *stored)


@pytest.mark.parametrize(("completed_at", "talk_time"), [(FUTURE, None), ("2026-03-02T15:00:00Z", 0)])
def test_talk_time_is_not_derived_from_an_end_that_can_not_be_true(arrive, completed_at, talk_time):
    arrive(call_v2(completedAt=completed_at))
    assert Call.objects.get().duration_s == talk_time


@pytest.mark.parametrize("order", [1, -1])
def test_events_of_one_call_that_disagree_leave_its_times_in_order(client, secret, in_acme, order):
    ends_early = call_2026(id="AC1", answeredAt=None, completedAt="2026-03-02T16:00:02Z")
    answered_late = call_2026("call.answered", id="AC1", answeredAt="2026-03-02T16:00:05Z")
    for payload in [ends_early, answered_late][::order]:
        post_event(client, payload)
    process_all()
    assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"processed"}
    call = Call.objects.get()
    assert [call.answered_at, call.completed_at].count(None) == 1


def test_listed_rows_in_the_future_are_unreadable(line_of, provider_server):
    line = line_of("openphone")
    for _ in range(2):
        row = provider_server.openphone.add_message("PNdesk", CALLER, "Hello?", at=AT)
    row["createdAt"] = FUTURE
    assert_one_added_and_one_unreadable(line)


def test_listed_call_of_callrail_in_the_future_is_unreadable(line_of, provider_server):
    line = line_of("callrail")
    for _ in range(2):
        row = provider_server.callrail.add_call(OUR_NUMBER, CALLER, at=AT)
    row["start_time"] = FUTURE
    assert_one_added_and_one_unreadable(line)


def test_listed_message_of_twilio_in_the_future_is_unreadable(line_of, provider_server):
    line = line_of("twilio")
    for _ in range(2):
        row = provider_server.twilio.add_message(CALLER, OUR_NUMBER, "Hello?", at=AT)
    row["date_created"] = "Thu, 01 Jan 2099 00:00:00 +0000"
    assert_one_added_and_one_unreadable(line)


@pytest.mark.parametrize(
    ("times", "field"),
    [
        ({"answered_at": "2026-03-02T15:59:59Z"}, "answered_at"),
        ({"completed_at": "2026-03-02T15:59:59Z"}, "completed_at"),
        ({"answered_at": "2026-03-02T16:00:05Z", "completed_at": "2026-03-02T16:00:04Z"}, "completed_at"),
    ],
)
def test_api_refuses_a_call_whose_times_are_not_in_order(manager_api, acme, times, field):
    body = {"contact": ContactFactory(company=acme).pk, "created_at": "2026-03-02T16:00:00Z"} | times
    answer = manager_api.post("/api/v1/calls", body, format="json")
    assert (answer.status_code, list(errors_of(answer))) == (400, [field])


def test_logged_call_without_a_start_starts_with_its_first_time(manager_api, acme):
    body = {"contact": ContactFactory(company=acme).pk, "answered_at": "2026-03-02T16:00:05Z"}
    assert manager_api.post("/api/v1/calls", body, format="json").json()["created_at"] == "2026-03-02T16:00:05Z"
