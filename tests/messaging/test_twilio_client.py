"""Twilio's API client, against a server that behaves as documented."""

from datetime import UTC, datetime, timedelta

import pytest

from messaging.providers.errors import InvalidPayload, LineSuspended, RateLimited, Rejected, UnknownOutcome
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


def test_message_is_sent_and_has_the_providers_id(client, provider_server):
    sent = send(client)
    [left] = provider_server.sent
    assert (left.provider, left.from_number, left.to, left.body) == ("twilio", OUR_NUMBER, CALLER, TEXT)
    assert (sent.openphone_id, sent.status) == (left.id, "sent")


def test_opt_out_at_the_provider_has_its_code(client, provider_server):
    provider_server.twilio.stopped.add(CALLER)
    with pytest.raises(Rejected) as caught:
        send(client)
    assert caught.value.code == "21610"
    assert provider_server.sent == []


def test_rejected_number_is_not_repeated_in_the_reason(client):
    with pytest.raises(Rejected, match="not a valid phone number") as caught:
        send(client, to="+1212555017x")
    assert caught.value.code == "21211"
    with pytest.raises(Rejected) as caught:
        send(client, to="212 555 0177 ext")
    assert "0177" not in str(caught.value)


def test_sent_message_with_unknown_outcome_is_found(client, provider_server):
    provider_server.fail_sends(drop(accepts=True), answer(503, accepts=False))
    for _ in range(2):
        with pytest.raises(UnknownOutcome):
            send(client)
    [left] = provider_server.sent
    assert find(client) == [left.id]


def test_find_sent_matches_body_number_direction_and_time(client, provider_server):
    api, ago = provider_server.twilio, datetime.now(UTC) - timedelta(hours=1)
    for minute in (9, 3):
        api.add_message(OUR_NUMBER, CALLER, TEXT, direction="outbound-api", at=ago + timedelta(minutes=minute))
    expected = [row["sid"] for row in reversed(api.messages)]
    api.add_message(OUR_NUMBER, CALLER, TEXT, direction="outbound-api", at=ago - timedelta(minutes=1))
    api.add_message(OUR_NUMBER, CALLER, "Another one.", direction="outbound-api", at=ago + timedelta(minutes=1))
    api.add_message(CALLER, OUR_NUMBER, TEXT, at=ago + timedelta(minutes=1))
    assert find(client, since=ago) == expected


def test_invalid_time_in_a_list_has_an_unknown_outcome(client, provider_server):
    now = datetime.now(UTC)
    provider_server.twilio.add_message(
        OUR_NUMBER, CALLER, TEXT, direction="outbound-api", at=now, date_created="yesterday"
    )
    with pytest.raises(UnknownOutcome):
        find(client)
    [event] = client.list_messages(line=LINE, since=datetime.now(UTC) - timedelta(hours=1))
    assert isinstance(event, InvalidPayload)


def test_wrong_token_suspends_the_line(client, provider_server):
    provider_server.twilio.accounts[ACCOUNT] = "a newer one"
    with pytest.raises(LineSuspended, match="rejects the API key"):
        send(client)


def test_rate_limit_waits_as_long_as_the_provider_says(client, provider_server):
    provider_server.fail_sends(answer(429, code="20429", retry_after="3"))
    with pytest.raises(RateLimited) as caught:
        send(client)
    assert caught.value.wait_s == 3
