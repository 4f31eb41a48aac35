"""`manage.py reconcile`: what deliveries missed comes in once, from a server that answers as the providers do."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from calls.models import Call
from crm.choices import Direction, OptOutState, Provider
from crm.db.tenancy import tenant
from crm.models import Contact, ContactFlag, Conversation, OptOut, PhoneLine
from messaging.models import Message
from messaging.providers import http
from messaging.services.inbound.webhook_processing import process_next_event
from tests.factories import PhoneLineFactory, ProviderAccountFactory, fictional_number
from tests.messaging.payloads import CALLER, OUR_NUMBER, call_v4, deliver, text_v4
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


def reconcile(capsys, *arguments, since="2026-03-01"):
    call_command("reconcile", "--since", since, *arguments)
    return capsys.readouterr().out


def rows_of(company):
    with tenant(company.pk):
        return {
            model.__name__: list(model.objects.order_by("id").values())
            for model in (Contact, Conversation, PhoneLine, Message, Call)
        }


def texts_of(company):
    with tenant(company.pk):
        return list(Message.objects.order_by("created_at", "id").values_list("body", "direction", "status"))


def test_texts_and_calls_that_no_delivery_told_of_are_added(api, acme, capsys):
    api.add_message("PNdesk", CALLER, "Is anybody there?", at=AT)
    api.add_message("PNdesk", CALLER, "Tuesday?", direction="outgoing", at=AT + timedelta(minutes=1))
    api.add_message("PNdesk", CALLER, "Hello?", direction="outgoing", at=AT + timedelta(minutes=2), status="queued")
    api.add_call("PNdesk", CALLER, at=AT + timedelta(minutes=3))
    assert "Front desk: 4 seen, 4 added, 0 changed" in reconcile(capsys)
    assert texts_of(acme) == [
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


def test_a_second_time_nothing_is_new(api, acme, capsys):
    for minute in range(3):
        api.add_message("PNdesk", CALLER, "Tuesday?", at=AT + timedelta(minutes=minute))
        api.add_call("PNdesk", CALLER, at=AT + timedelta(minutes=minute))
    reconcile(capsys)
    before = rows_of(acme)
    assert "6 seen, 0 added, 0 changed" in reconcile(capsys)
    assert rows_of(acme) == before


@pytest.mark.parametrize("delivered_first", [True, False])
def test_what_a_delivery_tells_as_well_is_there_once(api, acme, secret, client, capsys, delivered_first):
    text, call = api.add_message("PNdesk", CALLER, "Tuesday?", at=AT), api.add_call("PNdesk", CALLER, at=AT)

    def hear():
        deliver(client, text_v4(id=text["id"], text="Tuesday?"))
        deliver(client, call_v4(id=call["id"], answeredAt=None))
        while process_next_event():
            pass

    for step in (hear, lambda: reconcile(capsys))[:: 1 if delivered_first else -1]:
        step()
    found = rows_of(acme)
    assert [len(found[name]) for name in ("Contact", "Conversation", "Message", "Call")] == [1, 1, 1, 1]
    assert found["Call"][0]["status"] == "missed"


def test_a_lost_receipt_is_made_up_for(api, acme, capsys):
    text = api.add_message("PNdesk", CALLER, "Tuesday?", direction="outgoing", at=AT, status="sent")
    reconcile(capsys)
    text["status"] = "undelivered"
    assert "1 seen, 0 added, 1 changed" in reconcile(capsys)
    text["status"] = "sent"  # a status never moves backwards
    assert "1 seen, 0 added, 0 changed" in reconcile(capsys)
    assert texts_of(acme) == [("Tuesday?", "outgoing", "undelivered")]


def test_more_than_a_page_of_texts_and_of_conversations_is_read(api, acme, capsys, monkeypatch):
    monkeypatch.setattr("messaging.providers.openphone.client.PAGE", 5)
    for minute in range(12):
        api.add_message("PNdesk", CALLER, f"Text {minute}", at=AT + timedelta(minutes=minute))
    for number in range(11):
        api.add_message("PNdesk", fictional_number(41_000 + number), "Hello?", at=AT)
    assert "23 seen, 23 added" in reconcile(capsys)
    assert len(texts_of(acme)) == 23


def test_a_provider_that_asks_for_patience_gets_it(api, acme, provider_server, capsys, monkeypatch):
    waits = []
    monkeypatch.setattr(http.time, "sleep", waits.append)
    api.add_message("PNdesk", CALLER, "Tuesday?", at=AT)
    provider_server.fail_reads(answer(429, retry_after="2"), answer(429, retry_after="1"))
    assert "1 added" in reconcile(capsys)
    assert waits == [2, 1]


def test_a_group_text_is_one_message_with_all_its_participants(api, acme, capsys):
    other = fictional_number(41_000)
    api.add_message("PNdesk", CALLER, "Both of us.", at=AT, to=[OUR_NUMBER, other])
    assert "1 seen, 1 added" in reconcile(capsys)
    with tenant(acme.pk):
        message = Message.objects.get()
    assert message.contact.phone == CALLER
    assert message.to_numbers == [OUR_NUMBER, other]


def test_only_the_days_that_were_asked_for_are_entered(api, acme, capsys):
    for day in (1, 2, 3, 4):  # midnight in Denver is 07:00 UTC
        api.add_message("PNdesk", CALLER, f"March {day}", at=datetime(2026, 3, day, 7, 30, tzinfo=UTC))
    api.add_message("PNdesk", CALLER, "Still March 1", at=datetime(2026, 3, 2, 6, 30, tzinfo=UTC))
    reconcile(capsys, "--until", "2026-03-03", since="2026-03-02")
    assert [text[0] for text in texts_of(acme)] == ["March 2", "March 3"]


def test_calls_that_are_still_going_on_are_left_to_their_deliveries(api, acme, capsys):
    api.add_call("PNdesk", CALLER, at=AT, status="in-progress", completedAt=None)
    api.add_call("PNdesk", CALLER, at=AT, answeredAt="2026-03-02T16:00:00.000Z", duration=60)
    assert "1 seen, 1 added" in reconcile(capsys)
    with tenant(acme.pk):
        assert [call.status for call in Call.objects.all()] == ["unbooked"]


def test_a_text_that_cannot_be_read_hides_none_behind_it(api, acme, capsys):
    api.add_message("PNdesk", CALLER, "Tuesday?", at=AT)
    api.add_message("PNdesk", CALLER, "Broken", at=AT + timedelta(minutes=1), id=17)
    with pytest.raises(CommandError):
        reconcile(capsys)
    assert "2 seen, 1 added, 0 changed, 1 unreadable" in capsys.readouterr().out
    assert [text[0] for text in texts_of(acme)] == ["Tuesday?"]


def test_a_line_that_breaks_off_stops_no_other(api, acme, globex, provider_server, capsys):
    PhoneLineFactory(company=globex, number=fictional_number(41_000), provider_id="PNglobex")
    api.add_line("PNglobex", fictional_number(41_000))
    ProviderAccountFactory(company=globex)
    for line in ("PNdesk", "PNglobex"):
        api.add_message(line, CALLER, "Tuesday?", at=AT)
    provider_server.fail_reads(drop(takes=False))
    with pytest.raises(CommandError, match="incomplete"):
        reconcile(capsys)
    shown = capsys.readouterr().out
    assert "Acme Roofing, Front desk: 0 seen, 0 added, 0 changed; stopped early: The connection was lost" in shown
    assert "2 lines checked, 1 incomplete." in shown
    assert texts_of(acme) == []
    assert len(texts_of(globex)) == 1


def test_a_company_is_asked_for_alone_and_by_its_own_key(api, acme, globex, provider_server, capsys):
    PhoneLineFactory(company=globex, number=fictional_number(41_000), provider_id="PNglobex")
    ProviderAccountFactory(company=globex, api_key="another")
    api.add_message("PNdesk", CALLER, "Tuesday?", at=AT)
    assert "1 lines checked, 0 incomplete" in reconcile(capsys, "--company", "acme")
    assert texts_of(globex) == []
    with pytest.raises(CommandError):
        reconcile(capsys, "--company", "globex")
    assert "The provider rejects the API key." in capsys.readouterr().out
    with pytest.raises(CommandError, match="nobody"):
        reconcile(capsys, "--company", "nobody")


def test_a_stop_that_no_delivery_told_of_takes_effect(api, acme, capsys):
    api.add_message("PNdesk", CALLER, "Stop.", at=AT)
    api.add_message("PNdesk", fictional_number(41_000), "Can you stop by at 3?", at=AT)
    reconcile(capsys)
    reconcile(capsys)
    with tenant(acme.pk):
        [opt_out] = OptOut.objects.filter(state=OptOutState.OPTED_OUT)
        assert opt_out.phone == CALLER
        assert opt_out.entries.count() == 1
        assert [flag.contact.phone for flag in ContactFlag.objects.opted_out()] == [CALLER]
        # It was days ago: a confirmation may follow within five minutes alone.
        assert not Message.objects.filter(direction=Direction.OUTGOING).exists()


def test_a_line_without_an_account_is_not_asked_for(desk, provider_server, capsys):
    assert "0 lines checked" in reconcile(capsys)
    assert provider_server.requests == []


def test_twilios_texts_of_both_directions_are_added_once(acme, provider_server, capsys):
    ProviderAccountFactory(company=acme, provider=Provider.TWILIO, account_id=TWILIO_ACCOUNT)
    PhoneLineFactory(company=acme, provider=Provider.TWILIO, number=OUR_NUMBER, provider_id="")
    api = provider_server.twilio
    api.add_message(CALLER, OUR_NUMBER, "Is anybody there?", at=AT)
    api.add_message(OUR_NUMBER, CALLER, "Tuesday?", direction="outbound-api", at=AT + timedelta(minutes=1))
    api.add_message(OUR_NUMBER, CALLER, "Hi", direction="outbound-api", at=AT + timedelta(minutes=2), status="sending")
    api.add_message(CALLER, OUR_NUMBER, "Years ago", at=AT - timedelta(days=1000))
    assert "3 seen, 3 added" in reconcile(capsys)
    assert "3 seen, 0 added, 0 changed" in reconcile(capsys)
    assert texts_of(acme) == [
        ("Is anybody there?", "incoming", "received"),
        ("Tuesday?", "outgoing", "delivered"),
        ("Hi", "outgoing", "sent"),
    ]


def test_twilios_pages_are_followed_to_the_end(acme, provider_server, capsys, monkeypatch):
    monkeypatch.setattr("messaging.providers.twilio.client.PAGE", 4)
    ProviderAccountFactory(company=acme, provider=Provider.TWILIO, account_id=TWILIO_ACCOUNT)
    PhoneLineFactory(company=acme, provider=Provider.TWILIO, number=OUR_NUMBER, provider_id="")
    for minute in range(10):
        provider_server.twilio.add_message(CALLER, OUR_NUMBER, f"Text {minute}", at=AT + timedelta(minutes=minute))
    assert "10 seen, 10 added" in reconcile(capsys)


def test_callrails_calls_over_this_line_are_added_once(acme, provider_server, capsys, monkeypatch):
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
