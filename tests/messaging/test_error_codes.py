"""Meaning of error codes, wherever they come from: answers, receipts, look-ups and lists."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from crm.models import ContactFlag, OptOut, OptOutEntry
from crm.services.opt_outs import record_opt_in
from messaging.choices import MessageStatus
from messaging.models import Message, WebhookEvent
from messaging.providers.error_codes import MEANINGS, Effect, is_foreign, names_recipient, pause_until
from messaging.services.inbound.reconciliation import reconcile_line
from messaging.services.inbound.webhook_processing import reprocess_webhook_events
from messaging.services.outbound.outbox import SendBlocked, queue_message
from messaging.services.outbound.sending import send_next_messages
from messaging.services.outbound.unknown_sends import look_up_next_message
from tests.factories import (
    CampaignMembershipFactory,
    ContactFactory,
    ContactFlagFactory,
    MessageFactory,
    PhoneLineFactory,
    ProviderAccountFactory,
    WebhookSecretFactory,
)
from tests.messaging.clocks import zone_with_hour
from tests.messaging.payloads import message_2026, post_event, twilio_message, twilio_status
from tests.messaging.worker_rounds import process_next_event
from tests.provider_server import answer
from tests.provider_server.twilio import ACCOUNT

CASEY = "+12125550101"
LINE = "+12125550190"


@pytest.fixture
def line(in_acme):
    WebhookSecretFactory(company=in_acme, provider="twilio")
    ProviderAccountFactory(company=in_acme, provider="twilio", account_id=ACCOUNT)
    return PhoneLineFactory(company=in_acme, number=LINE, provider="twilio", provider_id="")


@pytest.fixture
def casey(in_acme):
    return ContactFactory(company=in_acme, phone=CASEY, timezone=zone_with_hour(14))


@pytest.fixture
def sent(line, casey):
    return MessageFactory(
        contact=casey,
        phone_line=line,
        from_number=LINE,
        to_numbers=[CASEY],
        direction="outgoing",
        kind="reply",
        body="Hello",
        status="sent",
        created_at=timezone.now() - timedelta(minutes=1),
        activity__direction="outgoing",
        activity__openphone_id="SM1",
    )


@pytest.fixture
def receipt(client, line):
    def receipt(status="undelivered", **fields):
        payload = twilio_status(status, **{"MessageSid": "SM1", "From": LINE, "To": CASEY} | fields)
        assert post_event(client, payload, provider="twilio").status_code == 200
        process_next_event()

    return receipt


def by_receipt(code, *, client, sent, **_):
    post_event(
        client, twilio_status("undelivered", MessageSid="SM1", From=LINE, To=CASEY, ErrorCode=code), provider="twilio"
    )
    assert process_next_event()


def by_second_receipt(code, *, client, sent, **_):
    for more in ({}, {"ErrorCode": code}):
        status = twilio_status("undelivered", MessageSid="SM1", From=LINE, To=CASEY, **more)
        post_event(client, status, provider="twilio")
        assert process_next_event()


def by_quo_receipt(code, *, client, sent, secret, **_):
    created_at = sent.created_at.isoformat()
    post_event(client, message_2026("message.undelivered", id="SM1", errorCode=code, createdAt=created_at, context={}))
    assert process_next_event()


def by_answer(code, *, sent, provider_server, **_):
    Message.objects.filter(pk=sent.pk).update(status="queued", run_at=timezone.now())
    sent.activity.openphone_id = None
    sent.activity.save()
    provider_server.fail_sends(answer(400, code=code))
    assert send_next_messages()
    sent.refresh_from_db()


def listed(code, sent, provider_server):
    provider_server.twilio.add_message(
        LINE,
        CASEY,
        "Hello",
        direction="outbound-api",
        at=sent.created_at + timedelta(seconds=1),
        status="undelivered",
        error_code=int(code),
        sid="SM1",
    )


def by_look_up(code, *, sent, provider_server, **_):
    listed(code, sent, provider_server)
    Message.objects.filter(pk=sent.pk).update(status="unknown", run_at=timezone.now())
    sent.activity.openphone_id = None
    sent.activity.save()
    assert look_up_next_message()


def by_list(code, *, sent, line, provider_server, **_):
    listed(code, sent, provider_server)
    result = reconcile_line(line=line, since=timezone.now() - timedelta(days=1), progress=lambda _: None)
    assert result.complete


WAYS = [by_receipt, by_second_receipt, by_quo_receipt, by_answer, by_look_up, by_list]


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def arrive(request, client, sent, line, secret, provider_server):
    def arrive(code):
        request.param(code, client=client, sent=sent, line=line, secret=secret, provider_server=provider_server)
        sent.refresh_from_db()
        assert (sent.error_code, sent.status in (MessageStatus.FAILED, MessageStatus.UNDELIVERED)) == (code, True)
        assert sent.error

    return arrive


def blocked(casey, line):
    with pytest.raises(SendBlocked) as caught:
        queue_message(contact=casey, line=line, body="Hello again", kind="reply")
    return str(caught.value)


def test_opt_out_at_the_provider_is_recorded_with_its_evidence(arrive, casey, line, sent):
    arrive("21610")
    assert blocked(casey, line) == "The contact has opted out."
    entry = OptOutEntry.objects.get()
    assert (entry.source, entry.words[:6], entry.activity, entry.occurred_at) == (
        "provider",
        "21610:",
        sent.activity,
        sent.left_at,
    )


@pytest.mark.parametrize("code", ["30006", "21614"])
def test_landline_is_flagged(arrive, casey, line, code):
    arrive(code)
    assert blocked(casey, line) == "The contact's number is flagged as invalid."
    flag = ContactFlag.objects.get()
    assert (flag.source, flag.evidence[:6], flag.expires_at) == ("provider", f"{code}:", None)


def test_unreachable_phone_is_flagged_for_a_day(arrive, casey, sent):
    arrive("30003")
    flag = casey.flags.in_force().get()
    assert (flag.flag_type, flag.expires_at) == ("invalid_number", sent.left_at + timedelta(days=1))


def test_unregistered_line_is_paused(arrive, line, casey):
    arrive("30034")
    line.refresh_from_db()
    assert timezone.now() + timedelta(hours=23) < line.paused_until <= timezone.now() + timedelta(days=1)
    assert not casey.flags.exists()
    assert not OptOut.objects.exclude(state="clear").exists()


def test_blocked_recipient_is_reviewed(receipt, sent, casey, line):
    receipt(ErrorCode="30004")
    assert blocked(casey, line) == "The contact may have opted out; review the opt-out first."


def test_filtered_message_is_its_own_fault(receipt, sent, casey, line):
    receipt(ErrorCode="30007")
    assert queue_message(contact=casey, line=line, body="Hello again", kind="reply")
    sent.refresh_from_db()
    assert (sent.status, sent.error_code) == ("undelivered", "30007")


def test_receipt_with_an_opt_out_ends_the_campaigns_of_the_contact(receipt, sent, casey):
    other = CampaignMembershipFactory(contact=casey, status="pending")
    receipt(ErrorCode="21610")
    other.refresh_from_db()
    assert other.status == "opted_out"


def test_later_opt_in_outweighs_a_repeated_receipt(receipt, sent, casey, line):
    receipt(ErrorCode="21610")
    record_opt_in(phone=CASEY, words="START", source="sms", occurred_at=timezone.now())
    reprocess_webhook_events(events=WebhookEvent.objects.all())
    assert process_next_event()
    assert queue_message(contact=casey, line=line, body="Hello again", kind="reply")
    assert OptOutEntry.objects.count() == 2


def test_message_from_a_flagged_number_ends_the_flag(client, receipt, sent, casey, line):
    receipt(ErrorCode="30006")
    ContactFlagFactory(contact=ContactFactory(company=casey.company), flag_type="invalid_number", source="provider")
    post_event(client, twilio_message(From=CASEY, To=LINE), provider="twilio")
    assert process_next_event()
    assert not casey.flags.in_force().exists()
    assert ContactFlag.objects.in_force().count() == 1
    receipt(ErrorCode="30006", MessageStatus="failed")  # a late one about the same message
    assert not casey.flags.in_force().exists()


def test_flag_of_a_user_stays(client, sent, casey, line):
    ContactFlagFactory(contact=casey, flag_type="invalid_number", source="manual")
    post_event(client, twilio_message(From=CASEY, To=LINE), provider="twilio")
    assert process_next_event()
    assert casey.flags.in_force().exists()


@pytest.mark.parametrize("order", [1, -1])
def test_delivered_message_flags_nobody_in_any_order(receipt, sent, casey, order):
    for status in ["undelivered", "delivered"][::order]:
        receipt(status, ErrorCode="30006" if status == "undelivered" else "")
    assert Message.objects.get().status == "delivered"
    assert not casey.flags.in_force().exists()


def test_code_about_a_former_number_does_not_flag_the_present_one(receipt, sent, casey):
    casey.phone = "+12125550105"
    casey.save()
    receipt(ErrorCode="30006")
    assert not casey.flags.exists()


def test_pause_ends_when_it_would_have_ended(receipt, sent, line):
    Message.objects.update(created_at=timezone.now() - timedelta(days=2))
    receipt(ErrorCode="30034")
    line.refresh_from_db()
    assert line.paused_until is None


# --- The table --------------------------------------------------------------------------------------------------------


def test_daily_cap_ends_at_the_earlier_midnight():
    moment = datetime(2026, 3, 2, 20, tzinfo=UTC)
    assert pause_until(Effect.PAUSE_UNTIL_MIDNIGHT, moment) == datetime(2026, 3, 3, tzinfo=UTC)
    assert pause_until(Effect.PAUSE_UNTIL_MIDNIGHT, moment + timedelta(hours=5)) == datetime(2026, 3, 3, 8, tzinfo=UTC)


def test_every_code_can_be_stored_and_has_a_reason():
    assert all(0 < len(code) <= 20 and meaning.reason.endswith(".") for code, meaning in MEANINGS.items())


@pytest.mark.parametrize(
    ("number", "foreign"),
    [
        ("+12125550101", False),
        ("+16135550101", False),
        ("+18765550101", True),
        ("+18095550101", True),
        ("+12425550101", True),
        ("+442079460001", True),
        ("+5215512345678", True),
    ],
)
def test_countries_of_the_caribbean_are_foreign(number, foreign):
    assert is_foreign(number) == foreign


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        ({"message": "Cannot send to +1 (212) 555-0101"}, True),
        ({"message": "2125550101 is blocked"}, True),
        ({"message": "This recipient can't receive messages"}, True),
        ({"title": "Destination not allowed"}, True),
        ({"message": "Forbidden", "errors": [{"path": "/to/0", "message": "not allowed"}]}, True),
        ({"message": "Forbidden", "errors": [{"field": "to"}]}, True),
        ({"message": "Forbidden", "errors": [{"value": "+12125550101"}]}, True),
        ({"message": "Not enough credits", "errors": [{"path": "/total", "message": "customer"}]}, False),
        ({"message": "You need to upgrade the plan of +12125550190"}, False),
        ({"message": 7, "errors": {"path": "to"}}, False),
        ({}, False),
    ],
)
def test_error_that_names_the_recipient_is_recognised(answer, names):
    assert names_recipient(answer, "+12125550101") == names
