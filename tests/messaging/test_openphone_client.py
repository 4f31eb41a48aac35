"""OpenPhone's API client, against a server that behaves as documented."""

from datetime import UTC, datetime, timedelta

import pytest

from crm.phones import normalize_phone
from messaging.providers import http
from messaging.providers.errors import LineSuspended, RateLimited, Rejected, UnknownOutcome
from messaging.providers.interfaces import Line
from messaging.providers.openphone.client import OpenPhoneClient
from messaging.providers.registry import client_for_sending
from tests.factories import ProviderAccountFactory
from tests.messaging.payloads import CALLER, OUR_NUMBER
from tests.provider_server import KEY, Answer, Fault, answer, drop, garbage, hang

pytestmark = pytest.mark.django_db
LINE = Line(number=OUR_NUMBER, provider_id="PNdesk")
TEXT = "We can come on Tuesday at 3."


@pytest.fixture
def client(provider_server):
    return OpenPhoneClient(key=KEY)


def an_hour_ago():
    return datetime.now(UTC) - timedelta(hours=1)


def send(client, *, to=CALLER, body=TEXT):
    return client.send(line=LINE, to=to, body=body)


def find(client, *, to=CALLER, body=TEXT, since=None):
    return client.find_sent(line=LINE, to=to, body=body, since=since or an_hour_ago())


def test_message_is_sent_and_has_the_providers_id(client, provider_server):
    sent = send(client)
    [left] = provider_server.sent
    assert (left.from_number, left.to, left.body) == (OUR_NUMBER, CALLER, TEXT)
    assert sent.openphone_id == left.id
    assert sent.status == "sent"  # "queued" at the provider


@pytest.mark.parametrize(
    "fault",
    [drop(accepts=True), garbage(202, accepts=True), answer(500, code="0201500", accepts=True)],
    ids=["drop", "garbage", "500"],
)
def test_sent_message_with_unknown_outcome_is_found(client, provider_server, fault):
    provider_server.fail_sends(fault)
    with pytest.raises(UnknownOutcome):
        send(client)
    [left] = provider_server.sent
    assert [text.openphone_id for text in find(client)] == [left.id]


@pytest.mark.parametrize("fault", [drop(accepts=False), answer(502)], ids=["drop", "502"])
def test_unsent_message_with_unknown_outcome_is_not_found(client, provider_server, fault):
    send(client, body="Another one.")
    provider_server.fail_sends(fault)
    with pytest.raises(UnknownOutcome):
        send(client)
    assert len(provider_server.sent) == 1
    assert find(client) == []


@pytest.mark.parametrize("accepts", [True, False])
def test_timeout_has_an_unknown_outcome(client, provider_server, monkeypatch, accepts):
    monkeypatch.setattr(http, "RESPONSE_TIMEOUT_S", 0.3)
    provider_server.fail_sends(hang(accepts=accepts))
    with pytest.raises(UnknownOutcome):
        send(client)
    assert len(find(client)) == accepts


def test_endless_response_is_cut_off(client, provider_server, monkeypatch):
    monkeypatch.setattr(http, "MAX_RESPONSE", 10)
    with pytest.raises(UnknownOutcome):
        send(client)
    assert len(provider_server.sent) == 1


def test_redirect_does_not_get_the_key(client, provider_server):
    elsewhere = Answer(307, {}, {"Location": f"{provider_server.url}/v1/messages"})
    provider_server.fail_sends(Fault(accepts=False, ends="answer", answer=elsewhere))
    with pytest.raises(UnknownOutcome):
        send(client)
    assert len(provider_server.requests) == 1


def test_unreachable_provider_is_rate_limited(client, provider_server, settings):
    settings.PROVIDER_API_URLS = {"openphone": "http://127.0.0.1:1"}
    with pytest.raises(RateLimited) as caught:
        send(client)
    assert caught.value.wait_s > 0


def test_rate_limit_waits_as_long_as_the_provider_says(client, provider_server):
    provider_server.fail_sends(answer(429, retry_after="7"), answer(429))
    with pytest.raises(RateLimited) as caught:
        send(client)
    assert caught.value.wait_s == 7
    with pytest.raises(RateLimited) as caught:
        send(client)
    assert 1 <= caught.value.wait_s <= 2
    assert provider_server.sent == []


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (402, "0200402"),
        (402, "0201402"),
        (403, "0204403"),
        (403, "0202403"),
        (400, "0206400"),
        (401, "0200401"),
    ],
)
def test_account_error_suspends_the_line(client, provider_server, status, code):
    provider_server.fail_sends(answer(status, code=code))
    with pytest.raises(LineSuspended) as caught:
        send(client)
    assert caught.value.code == code
    now = datetime.now(UTC)
    assert now < caught.value.until <= now + timedelta(days=1, seconds=5)


def test_disabled_country_does_not_suspend_the_line(client, provider_server):
    provider_server.fail_sends(answer(403))
    with pytest.raises(Rejected):
        send(client, to="+442079460001")


def test_wrong_key_is_named(provider_server):
    with pytest.raises(LineSuspended, match="rejects the API key"):
        send(OpenPhoneClient(key="another"))
    assert provider_server.sent == []


@pytest.mark.parametrize("body", ["  ", "x" * 1601])
def test_invalid_message_is_rejected_with_the_providers_reason(client, body):
    with pytest.raises(Rejected, match="1 to 1600") as caught:
        send(client, body=body)
    assert caught.value.code == "0200400"


def test_error_contains_neither_number_nor_message(client, provider_server):
    with pytest.raises(Rejected) as caught:
        client.send(line=Line(number="", provider_id="PNother"), to=CALLER, body=TEXT)
    shown = repr(caught.value) + repr(caught.value.__context__)
    assert normalize_phone(CALLER)[2:] not in shown
    assert TEXT not in shown


def test_log_does_not_contain_the_recipient(client, caplog):
    with caplog.at_level("INFO"):
        send(client)
        assert find(client)  # the request URL contains the number
    assert CALLER[2:] not in caplog.text


def test_find_sent_matches_body_number_direction_and_time(client, provider_server):
    api, ago = provider_server.openphone, an_hour_ago()
    api.add_message("PNdesk", CALLER, TEXT, direction="outgoing", at=ago - timedelta(hours=1))
    api.add_message("PNdesk", CALLER, TEXT, at=ago + timedelta(minutes=1))
    api.add_message("PNdesk", "+12125550177", TEXT, direction="outgoing", at=ago + timedelta(minutes=1))
    for minute in (5, 2):
        api.add_message("PNdesk", CALLER, TEXT, direction="outgoing", at=ago + timedelta(minutes=minute))
        api.add_message("PNdesk", CALLER, "Another one.", direction="outgoing", at=ago + timedelta(minutes=minute))
    expected = [row["id"] for row in api.messages[-2:-5:-2]]
    assert [text.openphone_id for text in find(client, since=ago)] == expected


def test_find_sent_reads_all_pages(client, provider_server):
    oldest = provider_server.openphone.add_message("PNdesk", CALLER, TEXT, direction="outgoing", at=an_hour_ago())
    for _ in range(100):
        provider_server.openphone.add_message("PNdesk", CALLER, "Hello?", at=datetime.now(UTC))
    assert [text.openphone_id for text in find(client, since=an_hour_ago() - timedelta(hours=1))] == [oldest["id"]]


def test_line_without_an_id_is_found_by_its_number(client, provider_server):
    send(client)
    assert client.find_sent(line=Line(number=OUR_NUMBER, provider_id=""), to=CALLER, body=TEXT, since=an_hour_ago())
    with pytest.raises(LineSuspended):
        client.find_sent(line=Line(number="+12125550188", provider_id=""), to=CALLER, body=TEXT, since=an_hour_ago())


def test_line_uses_the_account_of_its_own_company(desk, globex, provider_server):
    ProviderAccountFactory(company=globex)
    with pytest.raises(LineSuspended, match="no account with OpenPhone"):
        client_for_sending(line=desk)
    ProviderAccountFactory(company=desk.company, provider="openphone")
    send(client_for_sending(line=desk))
    assert len(provider_server.sent) == 1
