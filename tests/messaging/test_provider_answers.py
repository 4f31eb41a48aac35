"""Unclear answers of providers: the message becomes unknown, and a list is never taken for complete."""

import gzip
import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from messaging.models import Message
from messaging.providers import answers, http
from messaging.providers.callrail.client import CallRailClient
from messaging.providers.errors import (
    LineSuspended,
    NotCalled,
    RateLimited,
    Rejected,
    SendError,
    UnknownOutcome,
    Unreachable,
)
from messaging.providers.interfaces import Line
from messaging.providers.openphone.client import OpenPhoneClient
from messaging.providers.twilio.client import TwilioClient
from messaging.services.inbound.reconciliation import reconcile_line
from messaging.services.outbound.outbox import queue_message
from messaging.services.outbound.sending import send_next_messages
from messaging.services.outbound.unknown_sends import look_up_next_message
from tests.factories import ContactFactory, PhoneLineFactory, ProviderAccountFactory
from tests.messaging.clocks import zone_with_hour
from tests.messaging.payloads import CALLER, OUR_NUMBER
from tests.provider_server import KEY, Answer, Fault
from tests.provider_server.callrail import ACCOUNT as CALLRAIL_ACCOUNT
from tests.provider_server.twilio import ACCOUNT as TWILIO_ACCOUNT

pytestmark = pytest.mark.django_db
LINE = Line(number=OUR_NUMBER, provider_id="PNdesk")
TEXT = "We can come on Tuesday at 3."
AN_HOUR_AGO = datetime.now(UTC) - timedelta(hours=1)
BAD_IDS = [
    "x" * 101, "x" * 1000, "AC\x001", "AC\ud8001", "AC\ufffd1", "AC\n1", "", " ", None, 7, True, ["AC1"], {"id": "AC1"},
]  # fmt: skip
UNREADABLE = [
    b"", b"null", b"[]", b'"AC1"', b"7", b"<html>", b"\xff\xfe", b"{", b'{"data": ' + b"[" * 150 + b"]" * 150 + b"}",
    b"[" * 100_000, b'{"data": ' + b"9" * 5000 + b"}",
]  # fmt: skip
NOT_ROWS = [None, {}, "AC1", 7, [None], ["AC1"], [[]], [7]]


def respond(content, *, status=200, **headers):
    return Fault(accepts=False, ends="answer", answer=Answer(status, content, headers))


@pytest.fixture
def openphone(provider_server):
    return OpenPhoneClient(key=KEY)


@pytest.fixture
def twilio(provider_server):
    return TwilioClient(account_id=TWILIO_ACCOUNT, key=KEY)


@pytest.fixture
def callrail(provider_server):
    return CallRailClient(account_id=CALLRAIL_ACCOUNT, key=KEY)


class Quiet(BaseHTTPRequestHandler):
    def log_message(self, *_):
        """Log nothing."""


@contextmanager
def serving(handler):
    """Yield the URL of a server on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def send(client):
    return client.send(line=LINE, to=CALLER, body=TEXT)


def find(client):
    return client.find_sent(line=LINE, to=CALLER, body=TEXT, since=AN_HOUR_AGO)


@pytest.mark.parametrize("bad", BAD_IDS)
def test_sent_message_without_a_usable_id_has_an_unknown_outcome(openphone, twilio, provider_server, bad):
    provider_server.fail_sends(respond({"data": {"id": bad, "status": "sent"}}), respond({"sid": bad}))
    for client in (openphone, twilio):
        with pytest.raises(UnknownOutcome, match="no usable message ID"):
            send(client)


def test_request_without_certificates_has_not_called_the_provider(openphone, provider_server, monkeypatch):
    monkeypatch.setattr(http, "_ssl_context", http._ssl_context.__wrapped__)  # without its cache
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
    for ask in (send, find):
        with pytest.raises(NotCalled, match="FileNotFoundError"):
            ask(openphone)
    assert provider_server.requests == []


def test_request_to_a_url_that_cannot_be_read_has_not_called_the_provider(openphone, settings):
    settings.PROVIDER_API_URLS = {"openphone": "http://127.0.0.1:x"}
    with pytest.raises(NotCalled):
        send(openphone)


def test_proxy_that_refuses_leaves_nothing_sent(openphone, settings, monkeypatch):
    class Proxy(Quiet):
        def do_CONNECT(self):
            self.send_error(502)

    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving(Proxy) as url:
        monkeypatch.setenv("https_proxy", url)
        settings.PROVIDER_API_URLS = {"openphone": "https://api.example.com"}
        with pytest.raises(Unreachable):
            send(openphone)


@pytest.mark.parametrize("status", ["failed", "undelivered"])
def test_code_of_a_message_not_delivered_is_read_from_answer_and_list(openphone, provider_server, status):
    message = {"id": "AC1", "status": status, "errorCode": "21610"}
    row = message | {"direction": "outgoing", "text": TEXT, "to": [CALLER]}
    provider_server.fail_sends(respond({"data": message}))
    provider_server.fail_reads(respond({"data": [row]}))
    sent = send(openphone)
    assert (sent.status, sent.error_code) == (status, "21610")
    assert find(openphone) == [sent]


@pytest.mark.parametrize("content", UNREADABLE)
@pytest.mark.parametrize("status", [200, 202])
def test_unreadable_answer_has_an_unknown_outcome(openphone, twilio, provider_server, content, status):
    provider_server.fail_sends(*[respond(content, status=status)] * 2)
    provider_server.fail_reads(*[respond(content, status=status)] * 2)
    for client in (openphone, twilio):
        for ask in (send, find):
            with pytest.raises(UnknownOutcome):
                ask(client)


@pytest.mark.slow
@pytest.mark.parametrize("status", [200, 301, 302, 307, 308, 400, 401, 402, 403, 404, 408, 429, 500, 503])
@pytest.mark.parametrize("content", UNREADABLE)
def test_unreadable_error_is_a_send_error(openphone, provider_server, status, content):
    provider_server.fail_sends(respond(content, status=status, Location="http://127.0.0.1:1/"))
    with pytest.raises(SendError) as caught:
        send(openphone)
    assert str(caught.value)
    assert len(provider_server.requests) == 1  # no redirect is followed


@pytest.mark.parametrize("value", ["a\x00b", "a\ud800b", "x" * 100_000, ["a"], {"a": "b"}, 7, True, None, ""])
def test_reason_and_code_of_an_error_can_be_stored(openphone, provider_server, value):
    provider_server.fail_sends(respond({"message": value, "code": value}, status=400))
    with pytest.raises(Rejected) as caught:
        send(openphone)
    reason, code = str(caught.value), caught.value.code
    assert 0 < len(reason) <= 200
    assert len(code) <= 20
    (reason + code).encode()
    assert "\x00" not in reason + code


@pytest.mark.parametrize("wait", ["nan", "-nan", "inf", "-inf", "1e400", "-1", "soon", "9" * 400, "1970-01-01"])
def test_odd_retry_time_is_a_bounded_wait(openphone, provider_server, wait):
    provider_server.fail_sends(respond({}, status=429, **{"Retry-After": wait}))
    with pytest.raises(RateLimited) as caught:
        send(openphone)
    assert timedelta() <= timedelta(seconds=caught.value.wait_s) <= timedelta(hours=1)


@pytest.mark.parametrize("rows", NOT_ROWS)
def test_list_without_rows_does_not_say_that_the_message_was_not_sent(openphone, twilio, provider_server, rows):
    provider_server.fail_reads(respond({"data": rows}), respond({"messages": rows}))
    for client in (openphone, twilio):
        with pytest.raises(UnknownOutcome, match="unreadable"):
            find(client)


@pytest.mark.parametrize("bad", BAD_IDS)
def test_listed_message_without_a_usable_id_has_an_unknown_outcome(openphone, twilio, provider_server, bad):
    row = {"id": bad, "direction": "outgoing", "text": TEXT, "to": [CALLER]}
    provider_server.fail_reads(
        respond({"data": [row]}),
        respond({"messages": [{"sid": bad, "body": TEXT, "date_created": "Mon, 02 Mar 2026 16:00:00 +0000"}]}),
    )
    for client in (openphone, twilio):
        with pytest.raises(UnknownOutcome, match="no usable message ID"):
            find(client)


@pytest.mark.parametrize("recipient", [CALLER, [CALLER], f"{CALLER},", "(202) 555-0100"])
def test_recipient_is_recognised_in_every_form(openphone, provider_server, recipient):
    row = {"id": "AC1", "direction": "outgoing", "text": TEXT, "to": recipient}
    provider_server.fail_reads(respond({"data": [row]}))
    number = "+12025550100" if recipient == "(202) 555-0100" else CALLER
    [found] = openphone.find_sent(line=LINE, to=number, body=TEXT, since=AN_HOUR_AGO)
    assert found.openphone_id == "AC1"


@pytest.mark.parametrize("recipient", [7, {}, [None], [[CALLER]]])
def test_unreadable_recipient_has_an_unknown_outcome(openphone, provider_server, recipient):
    row = {"id": "AC1", "direction": "outgoing", "text": TEXT, "to": recipient}
    provider_server.fail_reads(respond({"data": [row]}))
    with pytest.raises(UnknownOutcome, match="to: must be"):
        find(openphone)


def test_endless_list_has_an_unknown_outcome(openphone, twilio, provider_server, monkeypatch):
    monkeypatch.setattr(answers, "MAX_PAGES", 3)
    pages = [respond({"data": [], "nextPageToken": f"t{number}"}) for number in range(4)]
    paths = [respond({"messages": [], "next_page_uri": "/2010-04-01/same"}) for _ in range(4)]
    for client, faults in ((openphone, pages[:3]), (twilio, paths[:3])):
        provider_server.fail_reads(*faults)
        with pytest.raises(UnknownOutcome, match="too long"):
            find(client)


def test_search_of_a_long_list_ends_in_time(openphone, provider_server, monkeypatch):
    monkeypatch.setattr("messaging.providers.openphone.client.MAX_SEARCH_S", 0.0)
    provider_server.fail_reads(respond({"data": [], "nextPageToken": "more"}))
    with pytest.raises(UnknownOutcome, match="too long"):
        find(openphone)


@pytest.mark.parametrize("following", ["https://attacker.example/", "//attacker.example", "/\x00", 7, ["/"], "/a b"])
def test_following_page_is_read_from_the_provider_only(twilio, provider_server, following):
    provider_server.fail_reads(respond({"messages": [], "next_page_uri": following}))
    with pytest.raises(SendError):
        find(twilio)


@pytest.mark.parametrize("pages", [None, "many", [], {}, -1, 1e400, float("nan")])
def test_unreadable_number_of_pages_ends_the_list_with_an_error(callrail, provider_server, pages):
    provider_server.fail_reads(respond({"calls": [], "total_pages": pages}))
    with pytest.raises(UnknownOutcome, match="total_pages"):
        list(callrail.list_calls(line=LINE, since=AN_HOUR_AGO))


@pytest.mark.parametrize("rows", [*NOT_ROWS, [{"id": "PN1"}], [{"number": OUR_NUMBER}], [{"number": 7, "id": 7}]])
def test_unreadable_list_of_lines_is_a_send_error(openphone, provider_server, rows):
    provider_server.fail_reads(respond({"data": rows}))
    with pytest.raises((UnknownOutcome, LineSuspended)):
        openphone.find_sent(line=Line(number=OUR_NUMBER, provider_id=""), to=CALLER, body=TEXT, since=AN_HOUR_AGO)


def test_compressed_answer_is_not_unpacked(openphone, provider_server):
    bomb = gzip.compress(json.dumps({"data": {"id": "AC1", "padding": " " * 10**6}}).encode())
    provider_server.fail_sends(respond(bomb, **{"Content-Encoding": "gzip"}))
    with pytest.raises(UnknownOutcome):
        send(openphone)
    assert provider_server.requests[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("ending", [b"X-Padding: a\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n"])
def test_response_that_never_begins_is_cut_off(provider_server, openphone, settings, monkeypatch, ending):
    monkeypatch.setattr(http, "CONNECT_TIMEOUT_S", 0.1)
    monkeypatch.setattr(http, "RESPONSE_TIMEOUT_S", 0.2)

    class Drip(Quiet):
        def do_POST(self):
            self.wfile.write(b"HTTP/1.1 200 OK\r\n" if ending.startswith(b"X") else b"")
            try:
                while True:
                    self.wfile.write(ending)
            except OSError:
                self.close_connection = True

    with serving(Drip) as url:
        settings.PROVIDER_API_URLS = {"openphone": url}
        with pytest.raises(UnknownOutcome):
            send(openphone)


# --- Through the outbox and reconciliation ---


@pytest.fixture
def message(in_acme, desk, provider_server, settings):
    settings.SMS_PER_SECOND = 1000
    ProviderAccountFactory(company=in_acme)
    contact = ContactFactory(company=in_acme, phone=CALLER, timezone=zone_with_hour(14))
    return queue_message(contact=contact, line=desk, body=TEXT, kind="reply")


@pytest.mark.parametrize("bad", BAD_IDS)
def test_message_with_an_unusable_id_is_unknown_and_found_later(message, provider_server, bad):
    provider_server.fail_sends(
        Fault(accepts=True, ends="answer", answer=Answer(202, {"data": {"id": bad, "status": "sent"}}))
    )
    assert send_next_messages()
    message.refresh_from_db()
    assert (message.status, message.activity.openphone_id) == ("unknown", None)
    Message.objects.update(run_at=AN_HOUR_AGO)
    provider_server.fail_reads(respond({"data": [{"id": bad, "direction": "outgoing", "text": TEXT, "to": [CALLER]}]}))
    assert look_up_next_message()
    message.refresh_from_db()
    assert message.status == "unknown"
    Message.objects.update(run_at=AN_HOUR_AGO)
    assert look_up_next_message()
    message.refresh_from_db()
    [sent] = provider_server.sent
    assert (message.status, message.activity.openphone_id) == ("sent", sent.id)


def test_unclear_lookup_does_not_send_the_message_again(message, provider_server):
    provider_server.fail_sends(Fault(accepts=True, ends="drop"))
    send_next_messages()
    Message.objects.update(run_at=AN_HOUR_AGO, created_at=AN_HOUR_AGO)
    provider_server.fail_reads(respond({}))
    assert look_up_next_message()
    message.refresh_from_db()
    assert (message.status, message.error) == (
        "unknown",
        "The provider's answer is unreadable (data: must be a list of objects).",
    )
    assert not send_next_messages()


@pytest.mark.parametrize("provider", ["openphone", "twilio", "callrail"])
@pytest.mark.parametrize("content", [*UNREADABLE, {"data": [7], "messages": [7], "calls": [7]}])
def test_unreadable_list_makes_the_line_incomplete(acme, provider_server, provider, content):
    accounts = {"openphone": "", "twilio": TWILIO_ACCOUNT, "callrail": CALLRAIL_ACCOUNT}
    ProviderAccountFactory(company=acme, provider=provider, account_id=accounts[provider])
    line = PhoneLineFactory(company=acme, provider=provider, number=OUR_NUMBER, provider_id="PNdesk")
    provider_server.fail_reads(respond(content))
    result = reconcile_line(line=line, since=AN_HOUR_AGO, progress=int)
    assert (result.seen, result.complete) == (0, False)
