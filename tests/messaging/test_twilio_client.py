"""Twilio's API as we call it, against a server that behaves as its documents say."""

from datetime import UTC, datetime, timedelta

import pytest

from messaging.providers.errors import InvalidPayload, LineSuspended, OptedOut, RateLimited, Rejected, UnknownOutcome
from messaging.providers.interfaces import Line
from messaging.providers.registry import client_for_sending
from tests.factories import PhoneLineFactory, ProviderAccountFactory
from tests.messaging.payloads import CALLER, OUR_NUMBER
from tests.provider_server import answer, drop
from tests.provider_server.twilio import ACCOUNT

pytestmark = pytest.mark.django_db
LINE = Line(number=OUR_NUMBER, provider_id="")
TEXT = "We can come on Tuesday at 3."


@pytest.fixture
def client(acme, provider_server):
    ProviderAccountFactory(company=acme, provider="twilio", account_id=ACCOUNT)
    return client_for_sending(line=PhoneLineFactory(company=acme, provider="twilio", number=OUR_NUMBER, provider_id=""))


def send(client, *, to=CALLER, body=TEXT):
    return client.send(line=LINE, to=to, body=body)


def find(client, *, since=None):
    since = since or datetime.now(UTC) - timedelta(hours=1)
    return [text.openphone_id for text in client.find_sent(line=LINE, to=CALLER, body=TEXT, since=since)]


def test_a_text_leaves_and_is_in_the_providers_hands(client, provider_server):
    sent = send(client)
    [left] = provider_server.sent
    assert (left.provider, left.from_number, left.to, left.body) == ("twilio", OUR_NUMBER, CALLER, TEXT)
    assert (sent.openphone_id, sent.status) == (left.id, "sent")


def test_who_said_stop_to_the_provider_is_told_from_other_refusals(client, provider_server):
    provider_server.twilio.stopped.add(CALLER)
    with pytest.raises(OptedOut) as caught:
        send(client)
    assert caught.value.code == "21610"
    assert provider_server.sent == []


def test_a_number_that_is_none_is_refused_without_being_repeated(client):
    with pytest.raises(Rejected, match="not a valid phone number") as caught:
        send(client, to="+1212555017x")
    assert not isinstance(caught.value, OptedOut)
    with pytest.raises(Rejected) as caught:
        send(client, to="212 555 0177 ext")
    assert "0177" not in str(caught.value)


def test_a_text_that_may_have_left_is_found_if_it_did(client, provider_server):
    provider_server.fail_sends(drop(takes=True), answer(503, takes=False))
    for _ in range(2):
        with pytest.raises(UnknownOutcome):
            send(client)
    [left] = provider_server.sent
    assert find(client) == [left.id]


def test_only_the_same_text_to_the_same_number_since_then_is_found(client, provider_server):
    api, ago = provider_server.twilio, datetime.now(UTC) - timedelta(hours=1)
    for minute in (9, 3):
        api.add_message(OUR_NUMBER, CALLER, TEXT, direction="outbound-api", at=ago + timedelta(minutes=minute))
    expected = [row["sid"] for row in reversed(api.messages)]
    api.add_message(OUR_NUMBER, CALLER, TEXT, direction="outbound-api", at=ago - timedelta(minutes=1))
    api.add_message(OUR_NUMBER, CALLER, "Another one.", direction="outbound-api", at=ago + timedelta(minutes=1))
    api.add_message(CALLER, OUR_NUMBER, TEXT, at=ago + timedelta(minutes=1))
    assert find(client, since=ago) == expected


def test_a_list_with_a_time_that_cannot_be_read_proves_nothing(client, provider_server):
    now = datetime.now(UTC)
    provider_server.twilio.add_message(
        OUR_NUMBER, CALLER, TEXT, direction="outbound-api", at=now, date_created="yesterday"
    )
    with pytest.raises(UnknownOutcome):
        find(client)
    [event] = client.list_messages(line=LINE, since=datetime.now(UTC) - timedelta(hours=1))
    assert isinstance(event, InvalidPayload)


def test_a_refused_token_stops_the_line(client, provider_server):
    provider_server.twilio.accounts[ACCOUNT] = "a newer one"
    with pytest.raises(LineSuspended, match="rejects the API key"):
        send(client)


def test_too_many_requests_wait_as_long_as_the_provider_says(client, provider_server):
    provider_server.fail_sends(answer(429, code="20429", retry_after="3"))
    with pytest.raises(RateLimited) as caught:
        send(client)
    assert caught.value.wait_s == 3
