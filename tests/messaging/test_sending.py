"""Queued texts leave: each once, at the pace of its line, through a real HTTP server that stands for the provider."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from crm.choices import OptOutState
from crm.db.tenancy import tenant
from crm.models import OptOut
from crm.services.opt_outs import record_opt_out
from messaging.models import Message
from messaging.services.outbound.outbox import queue_message
from messaging.services.outbound.send_results import apply_send_result
from messaging.services.outbound.sending import claim_message, has_pending_messages, send_next_message, send_to_provider
from tests.factories import (
    CampaignMembershipFactory,
    ContactFactory,
    ContactFlagFactory,
    ConversationFactory,
    PhoneLineFactory,
    ProviderAccountFactory,
)
from tests.messaging.clocks import zone_where_it_is
from tests.provider_server import answer, drop, garbage
from tests.provider_server.twilio import ACCOUNT

STOP = {"words": "STOP", "source": "sms"}


@pytest.fixture(autouse=True)
def fast(settings):
    settings.SMS_PER_SECOND = 1000


@pytest.fixture
def account(acme):
    return ProviderAccountFactory(company=acme)


@pytest.fixture
def casey(in_acme):
    return ContactFactory(company=in_acme, phone="+12125550101", timezone=zone_where_it_is(14))


@pytest.fixture
def queue(in_acme, desk, casey, account, provider_server):
    def queue(body="On our way.", *, contact=casey, kind="reply", line=desk, **more):
        return queue_message(contact=contact, line=line, body=body, kind=kind, **more)

    return queue


def send_all():
    count = 0
    while send_next_message():
        count += 1
    return count


def look(message):
    message.refresh_from_db()
    return message.status, message.error


def campaign_text(queue, contact):
    membership = CampaignMembershipFactory(contact=contact)
    return queue(contact=contact, kind="campaign", membership=membership), membership


def test_a_queued_text_leaves_once_and_has_the_providers_id(queue, casey, desk, provider_server):
    message = queue("On our way.")
    assert send_next_message()
    assert not send_next_message()
    [sent] = provider_server.sent
    assert (sent.from_number, sent.to, sent.body) == (desk.number, casey.phone, "On our way.")
    message.refresh_from_db()
    assert (message.status, message.tries, message.run_at, message.error) == ("sent", 1, None, "")
    assert message.activity.openphone_id == sent.id
    assert message.activity.conversation.last_activity_at == message.created_at


@pytest.mark.parametrize(("kind", "status"), [("reply", "open"), ("campaign", "waiting")])
def test_a_reply_ends_the_waiting_of_a_conversation_and_a_campaign_does_not(queue, casey, desk, kind, status):
    conversation = ConversationFactory(
        contact=casey, phone_line=desk, status="waiting", last_activity_at=timezone.now() - timedelta(hours=1)
    )
    message = queue(kind=kind)
    send_all()
    conversation.refresh_from_db()
    message.refresh_from_db()
    assert (conversation.status, conversation.last_activity_at) == (status, message.created_at)


def test_texts_to_one_contact_arrive_in_the_order_in_which_they_were_queued(queue, casey, provider_server):
    texts = [queue(f"Part {number}") for number in range(3)]
    # The first one waits longest for its turn, as after a 429.
    Message.objects.filter(pk=texts[0].pk).update(run_at=timezone.now() + timedelta(hours=1))
    assert not send_next_message()
    Message.objects.filter(pk=texts[0].pk).update(run_at=timezone.now())
    assert send_all() == 3
    assert [text.body for text in provider_server.sent] == ["Part 0", "Part 1", "Part 2"]


def test_a_reply_does_not_wait_for_a_campaign_that_is_held(queue, casey, provider_server):
    held = queue("Spring check?", kind="campaign")
    Message.objects.filter(pk=held.pk).update(run_at=timezone.now() + timedelta(hours=1))
    queue("On our way.")
    send_all()
    assert [text.body for text in provider_server.sent] == ["On our way."]


def test_texts_of_two_companies_leave_each_over_its_own_account(queue, desk, globex, provider_server):
    queue()
    theirs = PhoneLineFactory(company=globex, number="+12125550190", provider_id="PNglobex")
    provider_server.openphone.add_line("PNglobex", "+12125550190")

    with tenant(globex.pk):
        contact = ContactFactory(company=globex, phone="+12125550101")
        queue_message(contact=contact, line=theirs, body="No account yet", kind="reply")
    send_all()
    assert [text.from_number for text in provider_server.sent] == [desk.number]
    with tenant(globex.pk):
        theirs.refresh_from_db()
    assert theirs.pause_reason == "The company has no account with OpenPhone / Quo; add one."


# --- What is said between queueing and leaving counts ---


def test_an_opt_out_after_queueing_stops_the_text_and_ends_the_membership(queue, casey, provider_server):
    message, membership = campaign_text(queue, casey)
    record_opt_out(phone=casey.phone, occurred_at=timezone.now(), **STOP)
    send_all()
    membership.refresh_from_db()
    assert provider_server.sent == []
    assert look(message) == ("failed", "The contact has opted out.")
    assert membership.status == "opted_out"


def test_an_opt_out_between_the_claim_and_the_call_stops_the_text(queue, casey, desk, provider_server):

    message, membership = campaign_text(queue, casey)
    claimed = claim_message(line_id=desk.pk)
    membership.refresh_from_db()
    assert (claimed.status, membership.status) == ("sending", "sending")
    record_opt_out(phone=casey.phone, occurred_at=timezone.now(), **STOP)
    apply_send_result(message=claimed, outcome=send_to_provider(message=claimed))
    assert provider_server.sent == []
    assert look(message) == ("failed", "The contact has opted out.")
    desk.refresh_from_db()
    membership.refresh_from_db()
    assert (desk.sent_segments, membership.status) == (0, "opted_out")


def test_two_lines_at_once_send_no_fourth_campaign_text_within_24_hours(queue, casey, desk, provider_server):
    other = PhoneLineFactory(company=casey.company, provider_id="PNother")
    provider_server.openphone.add_line("PNother", other.number)
    for _ in range(2):
        queue(kind="campaign")
        send_all()
    texts = [queue(kind="campaign"), queue(kind="campaign", line=other)]
    # Neither claim sees the other, which is not committed yet.
    for message in texts:
        message.status, message.tries, message.run_at = "sending", 1, timezone.now() + timedelta(seconds=30)
        message.save()
    for message in texts:
        apply_send_result(message=message, outcome=send_to_provider(message=message))
    assert len(provider_server.sent) <= 3
    held = Message.objects.filter(status="queued")
    assert held.count() == 4 - len(provider_server.sent)
    assert {message.error for message in held} == {"The contact has had 3 campaign messages within 24 hours."}


def test_a_flag_after_queueing_skips_the_membership(queue, casey, provider_server):
    message, membership = campaign_text(queue, casey)
    ContactFlagFactory(contact=casey, flag_type="do_not_contact")
    send_all()
    membership.refresh_from_db()
    assert provider_server.sent == []
    assert look(message) == ("failed", "The contact is flagged as do not contact.")
    assert (membership.status, membership.reason) == ("skipped", "The contact is flagged as do not contact.")


def test_a_window_that_closed_while_we_were_down_holds_the_text(queue, casey, provider_server):
    message = queue("Your visit is tomorrow.", kind="reminder")
    casey.timezone = zone_where_it_is(3)
    casey.save()
    assert send_next_message()
    assert provider_server.sent == []
    assert look(message) == ("queued", "It is too early or too late in the contact's time zone.")
    assert message.run_at > timezone.now() + timedelta(hours=4)
    assert not send_next_message()


def test_a_reply_that_was_queued_goes_at_night(queue, casey, provider_server):
    casey.timezone = zone_where_it_is(3)
    casey.save()
    queue()
    send_all()
    assert len(provider_server.sent) == 1


def test_a_text_over_the_lines_cap_waits_for_the_next_day(queue, casey, desk, provider_server):
    desk.daily_cap = 2
    desk.save()
    others = [ContactFactory(company=casey.company, phone=f"+1212555011{n}", timezone=casey.timezone) for n in range(3)]
    for contact in others:
        queue(contact=contact, kind="reminder")
    send_all()
    desk.refresh_from_db()
    today = datetime.now(UTC).date()
    assert len(provider_server.sent) == desk.sent_segments == 2
    held = Message.objects.get(status="queued")
    assert held.run_at >= datetime.combine(today + timedelta(days=1), datetime.min.time(), UTC)
    assert held.error == "The phone line has reached its daily cap of 2 segments."


# --- What the provider answers ---


def test_a_provider_that_asks_for_fewer_requests_gets_them(queue, casey, desk, provider_server):
    provider_server.fail_sends(answer(429, retry_after="60"))
    message, other = queue(), queue(contact=ContactFactory(company=casey.company, phone="+12125550102"))
    before = timezone.now()
    assert send_all() == 1
    desk.refresh_from_db()
    assert look(message) == ("queued", "The provider's rate limit was reached.")
    assert message.run_at >= before + timedelta(seconds=60)
    assert desk.next_send_at >= before + timedelta(seconds=60)  # the other one waits as well
    assert (message.tries, desk.sent_segments) == (0, 0)
    assert look(other)[0] == "queued"


@pytest.mark.parametrize(("status", "code"), [(402, "0201402"), (403, "0204403"), (400, "0206400"), (401, "0200401")])
def test_a_line_that_is_refused_is_paused_and_its_texts_wait(queue, casey, desk, provider_server, status, code):
    provider_server.fail_sends(answer(status, code=code))
    first = queue(kind="reminder")
    second = queue(kind="reminder", contact=ContactFactory(company=casey.company, timezone=casey.timezone))
    send_all()
    desk.refresh_from_db()
    assert provider_server.sent == []
    assert desk.paused_until > timezone.now()
    assert desk.pause_reason
    for message in (first, second):
        assert look(message)[0] == "queued"
        assert message.run_at >= desk.paused_until
    assert first.error_code == code


def test_a_reply_over_a_line_that_is_refused_fails_with_the_reason(queue, provider_server):
    provider_server.fail_sends(answer(402, code="0201402"))
    message = queue()
    send_all()
    assert look(message) == ("failed", "Fault 402")
    assert message.error_code == "0201402"


def test_a_text_that_is_refused_has_failed(queue, casey, provider_server):
    provider_server.fail_sends(answer(400, code="0200400"))
    message, membership = campaign_text(queue, casey)
    send_all()
    membership.refresh_from_db()
    assert look(message) == ("failed", "Fault 400")
    assert (message.error_code, message.run_at) == ("0200400", None)
    assert (membership.status, membership.reason) == ("failed", "Fault 400")


def test_an_opt_out_that_the_provider_holds_goes_into_the_ledger(in_acme, casey, provider_server):

    ProviderAccountFactory(company=in_acme, provider="twilio", account_id=ACCOUNT)
    line = PhoneLineFactory(company=in_acme, number="+12125550190", provider="twilio", provider_id="PNtwilio")
    provider_server.twilio.stopped.add(casey.phone)
    membership = CampaignMembershipFactory(contact=casey)
    message = queue_message(contact=casey, line=line, body="Spring check?", kind="campaign", membership=membership)
    send_all()
    membership.refresh_from_db()
    assert look(message)[0] == "failed"
    assert (message.error_code, membership.status) == ("21610", "opted_out")
    assert OptOut.objects.get(phone=casey.phone).state == OptOutState.OPTED_OUT
    assert casey.flags.opted_out().exists()


@pytest.mark.parametrize("fault", [drop(takes=True), answer(500, code="0201500", takes=True), garbage(202, takes=True)])
def test_a_text_of_which_nobody_knows_is_not_sent_again(queue, provider_server, fault):
    provider_server.fail_sends(fault)
    message = queue()
    send_all()
    assert len(provider_server.sent) == 1
    assert look(message)[0] == "unknown"
    assert message.run_at > timezone.now()
    assert has_pending_messages()
    queue("And another")  # waits until it is known what became of the first
    assert not send_next_message()


def test_a_receipt_that_is_faster_than_the_answer_is_kept(queue, desk, provider_server):

    message = queue()
    claimed = claim_message(line_id=desk.pk)
    outcome = send_to_provider(message=claimed)
    message.activity.openphone_id = outcome.openphone_id
    message.activity.save()
    Message.objects.filter(pk=message.pk).update(status="delivered")
    apply_send_result(message=claimed, outcome=outcome)
    assert look(message) == ("delivered", "")


def test_a_claim_that_has_gone_to_another_calls_nobody(queue, desk, provider_server):

    queue()
    claimed = claim_message(line_id=desk.pk)
    Message.objects.update(run_at=timezone.now() + timedelta(seconds=5))
    assert send_to_provider(message=claimed) is None
    assert provider_server.sent == []


def test_texts_that_are_held_for_long_are_not_waited_for(queue):
    message = queue()
    assert has_pending_messages()
    Message.objects.filter(pk=message.pk).update(run_at=timezone.now() + timedelta(hours=9))
    assert not has_pending_messages()
