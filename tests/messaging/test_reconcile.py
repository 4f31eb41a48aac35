"""`manage.py reconcile`, against a server that behaves as the providers."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from calls.models import Call
from crm.choices import Direction, OptOutState, Provider
from crm.db.tenancy import tenant
from crm.models import Contact, ContactFlag, Conversation, OptOut, PhoneLine
from messaging.models import Message
from messaging.providers import http
from tests.factories import PhoneLineFactory, ProviderAccountFactory, fictional_number
from tests.messaging.payloads import CALLER, OUR_NUMBER, call_v4, message_v4, post_event
from tests.messaging.worker_rounds import process_next_event
from tests.provider_server import answer, drop
from tests.provider_server.callrail import ACCOUNT as CALLRAIL_ACCOUNT
from tests.provider_server.twilio import ACCOUNT as TWILIO_ACCOUNT

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 16, tzinfo=UTC)


@pytest.fixture
def account(acme):
    return ProviderAccountFactory(company=acme)


@pytest.fixture
def api(desk, account, provider_server):
    return provider_server.openphone


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2026-03-02T16:00", "yesterday"])
@pytest.mark.parametrize("option", ["--since", "--until"])
def test_command_rejects_a_day_that_no_time_zone_can_begin(option, day):
    with pytest.raises(CommandError, match=option):
        call_command("reconcile", "--since", "2026-03-01", option, day)


def reconcile(capsys, *arguments, since="2026-03-01"):
    call_command("reconcile", "--since", since, *arguments)
    return capsys.readouterr().out


def rows_of(company):
    with tenant(company.pk):
        return {
            model.__name__: list(model.objects.order_by("id").values())
            for model in (Contact, Conversation, PhoneLine, Message, Call)
        }


def messages_of(company):
    with tenant(company.pk):
        return list(Message.objects.order_by("created_at", "id").values_list("body", "direction", "status"))


def test_missed_messages_and_calls_are_added(api, acme, capsys):
    api.add_message("PNdesk", CALLER, "Is anybody there?", at=AT)
    api.add_message("PNdesk", CALLER, "Tuesday?", direction="outgoing", at=AT + timedelta(minutes=1))
    api.add_message("PNdesk", CALLER, "Hello?", direction="outgoing", at=AT + timedelta(minutes=2), status="queued")
    api.add_call("PNdesk", CALLER, at=AT + timedelta(minutes=3))
    assert "Front desk: 4 seen, 4 added, 0 changed" in reconcile(capsys)
    assert messages_of(acme) == [
        ("Is anybody there?", "incoming", "received"),
        ("Tuesday?", "outgoing", "delivered"),
        ("Hello?", "outgoing", "sent"),
    ]
    with tenant(acme.pk):
        [call] = Call.objects.all()
        assert (call.status, call.contact, call.created_at) == (
            "missed",
            Contact.objects.get(phone=CALLER),
            call.created_at,
        )
        assert Conversation.objects.count() == 1


def test_second_run_changes_nothing(api, acme, capsys):
    for minute in range(3):
        api.add_message("PNdesk", CALLER, "Tuesday?", at=AT + timedelta(minutes=minute))
        api.add_call("PNdesk", CALLER, at=AT + timedelta(minutes=minute))
    reconcile(capsys)
    before = rows_of(acme)
    assert "6 seen, 0 added, 0 changed" in reconcile(capsys)
    assert rows_of(acme) == before


@pytest.mark.parametrize("webhook_first", [True, False])
def test_events_received_by_webhook_are_not_duplicated(api, acme, secret, client, capsys, webhook_first):
    text, call = api.add_message("PNdesk", CALLER, "Tuesday?", at=AT), api.add_call("PNdesk", CALLER, at=AT)

    def receive():
        post_event(client, message_v4(id=text["id"], text="Tuesday?"))
        post_event(client, call_v4(id=call["id"], answeredAt=None))
        while process_next_event():
            pass

    for step in (receive, lambda: reconcile(capsys))[:: 1 if webhook_first else -1]:
        step()
    found = rows_of(acme)
    assert [len(found[name]) for name in ("Contact", "Conversation", "Message", "Call")] == [1, 1, 1, 1]
    assert found["Call"][0]["status"] == "missed"


@pytest.mark.slow
def test_lost_receipt_is_applied(api, acme, capsys):
    text = api.add_message("PNdesk", CALLER, "Tuesday?", direction="outgoing", at=AT, status="sent")
    reconcile(capsys)
    text["status"] = "undelivered"
    assert "1 seen, 0 added, 1 changed" in reconcile(capsys)
    text["status"] = "sent"  # a status never moves back
    assert "1 seen, 0 added, 0 changed" in reconcile(capsys)
    assert messages_of(acme) == [("Tuesday?", "outgoing", "undelivered")]


@pytest.mark.slow
def test_all_pages_are_read(api, acme, capsys, monkeypatch):
    monkeypatch.setattr("messaging.providers.openphone.client.PAGE", 5)
    for minute in range(12):
        api.add_message("PNdesk", CALLER, f"Text {minute}", at=AT + timedelta(minutes=minute))
    for number in range(11):
        api.add_message("PNdesk", fictional_number(41_000 + number), "Hello?", at=AT)
    assert "23 seen, 23 added" in reconcile(capsys)
    assert len(messages_of(acme)) == 23


def test_rate_limit_is_waited_for(api, acme, provider_server, capsys, monkeypatch):
    waits = []
    monkeypatch.setattr(http.time, "sleep", waits.append)
    api.add_message("PNdesk", CALLER, "Tuesday?", at=AT)
    provider_server.fail_reads(answer(429, retry_after="2"), answer(429, retry_after="1"))
    assert "1 added" in reconcile(capsys)
    assert waits == [2, 1]


def test_group_message_is_one_message_with_all_participants(api, acme, capsys):
    other = fictional_number(41_000)
    api.add_message("PNdesk", CALLER, "Both of us.", at=AT, to=[OUR_NUMBER, other])
    assert "1 seen, 1 added" in reconcile(capsys)
    with tenant(acme.pk):
        message = Message.objects.get()
    assert message.contact.phone == CALLER
    assert message.to_numbers == [OUR_NUMBER, other]


def test_only_the_given_days_are_recorded(api, acme, capsys):
    for day in (1, 2, 3, 4):  # midnight in Denver is 07:00 UTC
        api.add_message("PNdesk", CALLER, f"March {day}", at=datetime(2026, 3, day, 7, 30, tzinfo=UTC))
    api.add_message("PNdesk", CALLER, "Still March 1", at=datetime(2026, 3, 2, 6, 30, tzinfo=UTC))
    reconcile(capsys, "--until", "2026-03-03", since="2026-03-02")
    assert [text[0] for text in messages_of(acme)] == ["March 2", "March 3"]


def test_calls_in_progress_are_skipped(api, acme, capsys):
    api.add_call("PNdesk", CALLER, at=AT, status="in-progress", completedAt=None)
    api.add_call("PNdesk", CALLER, at=AT, answeredAt="2026-03-02T16:00:00.000Z", duration=60)
    assert "1 seen, 1 added" in reconcile(capsys)
    with tenant(acme.pk):
        assert [call.status for call in Call.objects.all()] == ["unbooked"]


def test_unreadable_row_does_not_hide_later_ones(api, acme, capsys):
    api.add_message("PNdesk", CALLER, "Tuesday?", at=AT)
    api.add_message("PNdesk", CALLER, "Broken", at=AT + timedelta(minutes=1), id=17)
    with pytest.raises(CommandError):
        reconcile(capsys)
    assert "2 seen, 1 added, 0 changed, 1 unreadable" in capsys.readouterr().out
    assert [text[0] for text in messages_of(acme)] == ["Tuesday?"]


def test_incomplete_line_does_not_stop_the_others(api, acme, globex, provider_server, capsys):
    PhoneLineFactory(company=globex, number=fictional_number(41_000), provider_id="PNglobex")
    api.add_line("PNglobex", fictional_number(41_000))
    ProviderAccountFactory(company=globex)
    for line in ("PNdesk", "PNglobex"):
        api.add_message(line, CALLER, "Tuesday?", at=AT)
    provider_server.fail_reads(drop(accepts=False))
    with pytest.raises(CommandError, match="incomplete"):
        reconcile(capsys)
    shown = capsys.readouterr().out
    assert "Acme Roofing, Front desk: 0 seen, 0 added, 0 changed; stopped early: The connection was lost" in shown
    assert "2 lines checked, 1 incomplete." in shown
    assert messages_of(acme) == []
    assert len(messages_of(globex)) == 1


def test_company_option_uses_only_its_lines_and_key(api, acme, globex, provider_server, capsys):
    PhoneLineFactory(company=globex, number=fictional_number(41_000), provider_id="PNglobex")
    ProviderAccountFactory(company=globex, api_key="another")
    api.add_message("PNdesk", CALLER, "Tuesday?", at=AT)
    assert "1 lines checked, 0 incomplete" in reconcile(capsys, "--company", "acme")
    assert messages_of(globex) == []
    with pytest.raises(CommandError):
        reconcile(capsys, "--company", "globex")
    assert "The provider rejects the API key." in capsys.readouterr().out
    with pytest.raises(CommandError, match="nobody"):
        reconcile(capsys, "--company", "nobody")


@pytest.mark.slow
def test_missed_stop_takes_effect(api, acme, capsys):
    api.add_message("PNdesk", CALLER, "Stop.", at=AT)
    api.add_message("PNdesk", fictional_number(41_000), "Can you stop by at 3?", at=AT)
    reconcile(capsys)
    reconcile(capsys)
    with tenant(acme.pk):
        [opt_out] = OptOut.objects.filter(state=OptOutState.OPTED_OUT)
        assert opt_out.phone == CALLER
        assert opt_out.entries.count() == 1
        assert [flag.contact.phone for flag in ContactFlag.objects.opted_out()] == [CALLER]
        # The STOP is days old, too late for a confirmation.
        assert not Message.objects.filter(direction=Direction.OUTGOING).exists()


def test_line_without_an_account_is_skipped(desk, provider_server, capsys):
    assert "0 lines checked" in reconcile(capsys)
    assert provider_server.requests == []


def test_twilios_messages_of_both_directions_are_added_once(acme, provider_server, capsys):
    ProviderAccountFactory(company=acme, provider=Provider.TWILIO, account_id=TWILIO_ACCOUNT)
    PhoneLineFactory(company=acme, provider=Provider.TWILIO, number=OUR_NUMBER, provider_id="")
    api = provider_server.twilio
    api.add_message(CALLER, OUR_NUMBER, "Is anybody there?", at=AT)
    api.add_message(OUR_NUMBER, CALLER, "Tuesday?", direction="outbound-api", at=AT + timedelta(minutes=1))
    api.add_message(OUR_NUMBER, CALLER, "Hi", direction="outbound-api", at=AT + timedelta(minutes=2), status="sending")
    api.add_message(CALLER, OUR_NUMBER, "Years ago", at=AT - timedelta(days=1000))
    assert "3 seen, 3 added" in reconcile(capsys)
    assert "3 seen, 0 added, 0 changed" in reconcile(capsys)
    assert messages_of(acme) == [
        ("Is anybody there?", "incoming", "received"),
        ("Tuesday?", "outgoing", "delivered"),
        ("Hi", "outgoing", "sent"),
    ]


def test_twilios_pages_are_all_read(acme, provider_server, capsys, monkeypatch):
    monkeypatch.setattr("messaging.providers.twilio.client.PAGE", 4)
    ProviderAccountFactory(company=acme, provider=Provider.TWILIO, account_id=TWILIO_ACCOUNT)
    PhoneLineFactory(company=acme, provider=Provider.TWILIO, number=OUR_NUMBER, provider_id="")
    for minute in range(10):
        provider_server.twilio.add_message(CALLER, OUR_NUMBER, f"Text {minute}", at=AT + timedelta(minutes=minute))
    assert "10 seen, 10 added" in reconcile(capsys)


def test_callrails_calls_of_the_line_are_added_once(acme, provider_server, capsys, monkeypatch):
    monkeypatch.setattr("messaging.providers.callrail.client.PAGE", 2)
    ProviderAccountFactory(company=acme, provider=Provider.CALLRAIL, account_id=CALLRAIL_ACCOUNT)
    PhoneLineFactory(company=acme, provider=Provider.CALLRAIL, number=OUR_NUMBER, provider_id="")
    api = provider_server.callrail
    api.add_call(OUR_NUMBER, CALLER, at=AT, duration=45, recording="https://example.com/call.mp3")
    api.add_call(OUR_NUMBER, CALLER, at=AT + timedelta(hours=1), answered=False, voicemail=True, recording=None)
    api.add_call(OUR_NUMBER, CALLER, at=AT + timedelta(hours=2), direction="outbound")
    api.add_call(fictional_number(41_000), CALLER, at=AT)
    assert "3 seen, 3 added" in reconcile(capsys)
    assert "3 seen, 0 added, 0 changed" in reconcile(capsys)
    with tenant(acme.pk):
        calls = list(Call.objects.order_by("created_at").values_list("status", "direction", "duration_s"))
    assert calls == [("unbooked", "incoming", 45), ("missed", "incoming", None), ("unbooked", "outgoing", 30)]
