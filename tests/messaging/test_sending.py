"""Sending of queued messages through a real HTTP server."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from crm.choices import OptOutState
from crm.db.tenancy import tenant
from crm.models import ContactPhone, OptOut
from crm.services.contacts import update_contact
from crm.services.opt_outs import record_opt_out
from messaging.models import Message
from messaging.services.outbound.outbox import queue_message
from messaging.services.outbound.sending import has_pending_messages, send_next_messages
from messaging.services.outbound.settlement import settle
from tests.factories import (
    CampaignMembershipFactory,
    ContactFactory,
    ContactFlagFactory,
    ConversationFactory,
    MessageFactory,
    PhoneLineFactory,
    ProviderAccountFactory,
)
from tests.messaging.claims import claim, depart_and_call
from tests.messaging.clocks import zone_with_hour
from tests.provider_server import answer, drop, garbage
from tests.provider_server.twilio import ACCOUNT

STOP = {"words": "STOP", "source": "sms"}


LOST_ANSWERS = [drop(accepts=True), answer(500, code="0201500", accepts=True), garbage(202, accepts=True)]


@pytest.fixture(autouse=True)
def fast(settings):
    settings.SMS_PER_SECOND = 1000


@pytest.fixture
def account(acme):
    return ProviderAccountFactory(company=acme)


@pytest.fixture
def casey(in_acme):
    return ContactFactory(company=in_acme, phone="+12125550101", timezone=zone_with_hour(14))


@pytest.fixture
def queue(in_acme, desk, casey, account, provider_server):
    def queue(body="On our way.", *, contact=casey, kind="reply", line=desk, **more):
        return queue_message(contact=contact, line=line, body=body, kind=kind, **more)

    return queue


def send_all():
    count = 0
    while send_next_messages():
        count += 1
    return count


def status_of(message):
    message.refresh_from_db()
    return message.status, message.error


def campaign_message(queue, contact):
    membership = CampaignMembershipFactory(contact=contact)
    return queue(contact=contact, kind="campaign", membership=membership), membership


def test_queued_message_is_sent_once_and_gets_the_providers_id(queue, casey, desk, provider_server):
    message = queue("On our way.")
    assert send_next_messages()
    assert not send_next_messages()
    [sent] = provider_server.sent
    assert (sent.from_number, sent.to, sent.body) == (desk.number, casey.phone, "On our way.")
    message.refresh_from_db()
    assert (message.status, message.tries, message.run_at, message.error) == ("sent", 1, None, "")
    assert message.activity.openphone_id == sent.id
    assert message.activity.conversation.last_activity_at == message.sent_at


def test_message_keeps_its_time_and_place_when_it_leaves(queue, casey, provider_server):
    message = queue("On our way.")
    written = message.created_at
    incoming = MessageFactory(contact=casey)
    assert send_next_messages()
    message.refresh_from_db()
    assert (message.created_at, message.activity.created_at) == (written, written)
    assert message.sent_at > incoming.created_at > written


@pytest.mark.parametrize(("kind", "status"), [("reply", "open"), ("campaign", "waiting")])
def test_reply_reopens_a_waiting_conversation_and_a_campaign_does_not(queue, casey, desk, kind, status):
    conversation = ConversationFactory(
        contact=casey, phone_line=desk, status="waiting", last_activity_at=timezone.now() - timedelta(hours=1)
    )
    message = queue(kind=kind)
    send_all()
    conversation.refresh_from_db()
    message.refresh_from_db()
    assert (conversation.status, conversation.last_activity_at) == (status, message.sent_at)


def test_messages_to_one_contact_are_sent_in_order(queue, casey, provider_server):
    messages = [queue(f"Part {number}") for number in range(3)]
    # The first one is delayed, as after a 429.
    Message.objects.filter(pk=messages[0].pk).update(run_at=timezone.now() + timedelta(hours=1))
    assert not send_next_messages()
    Message.objects.filter(pk=messages[0].pk).update(run_at=timezone.now())
    assert send_all() == 3
    assert [text.body for text in provider_server.sent] == ["Part 0", "Part 1", "Part 2"]


def test_reply_does_not_wait_for_a_deferred_campaign(queue, casey, provider_server):
    held = queue("Spring check?", kind="campaign")
    Message.objects.filter(pk=held.pk).update(run_at=timezone.now() + timedelta(hours=1))
    queue("On our way.")
    send_all()
    assert [text.body for text in provider_server.sent] == ["On our way."]


def test_each_company_sends_through_its_own_account(queue, desk, globex, provider_server):
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


# --- Changes between queueing and sending ---


def test_opt_out_after_queueing_blocks_the_message_and_its_membership(queue, casey, provider_server):
    message, membership = campaign_message(queue, casey)
    record_opt_out(phone=casey.phone, occurred_at=timezone.now(), **STOP)
    send_all()
    membership.refresh_from_db()
    assert provider_server.sent == []
    assert status_of(message) == ("failed", "The contact has opted out.")
    assert membership.status == "opted_out"


def test_opt_out_between_claim_and_call_blocks_the_message(queue, casey, desk, provider_server):

    message, membership = campaign_message(queue, casey)
    [claimed] = claim(desk)
    membership.refresh_from_db()
    assert (claimed.status, membership.status) == ("sending", "sending")
    record_opt_out(phone=casey.phone, occurred_at=timezone.now(), **STOP)
    settle(outcomes=depart_and_call(claimed))
    assert provider_server.sent == []
    assert status_of(message) == ("failed", "The contact has opted out.")
    desk.refresh_from_db()
    membership.refresh_from_db()
    assert (desk.sent_segments, membership.status) == (0, "opted_out")


def test_campaign_limit_holds_across_two_concurrent_lines(queue, casey, desk, provider_server):
    other = PhoneLineFactory(company=casey.company, provider_id="PNother")
    provider_server.openphone.add_line("PNother", other.number)
    for _ in range(2):
        queue(kind="campaign")
        send_all()
    messages = [queue(kind="campaign"), queue(kind="campaign", line=other)]
    # Neither claim sees the other, uncommitted one.
    for message in messages:
        message.status, message.tries, message.run_at = "sending", 1, timezone.now() + timedelta(seconds=30)
        message.save()
    for message in messages:
        settle(outcomes=depart_and_call(message))
    assert len(provider_server.sent) <= 3
    held = Message.objects.filter(status="queued")
    assert held.count() == 4 - len(provider_server.sent)
    assert {message.error for message in held} == {"The contact has had 3 campaign messages within 24 hours."}


def test_flag_after_queueing_skips_the_membership(queue, casey, provider_server):
    message, membership = campaign_message(queue, casey)
    ContactFlagFactory(contact=casey, flag_type="do_not_contact")
    send_all()
    membership.refresh_from_db()
    assert provider_server.sent == []
    assert status_of(message) == ("failed", "The contact is flagged as do not contact.")
    assert (membership.status, membership.reason) == ("skipped", "The contact is flagged as do not contact.")


CHANGED = "The contact's number has changed since; write the message again."


def correct(casey):
    update_contact(contact=casey, phone="+12125550109")


def give_away(casey):
    ContactPhone.objects.filter(contact=casey).update(contact=ContactFactory(company=casey.company))


@pytest.mark.parametrize("change", [correct, give_away])
@pytest.mark.parametrize("claimed", [False, True])
def test_message_to_a_former_number_is_blocked(queue, casey, desk, provider_server, change, claimed):
    message = queue()
    [sending] = claim(desk) if claimed else [None]
    change(casey)
    if claimed:
        settle(outcomes=depart_and_call(sending))
    send_all()
    assert provider_server.sent == []
    assert status_of(message) == ("failed", CHANGED)


def test_quiet_hours_at_sending_time_defer_the_message(queue, casey, provider_server):
    message = queue("Your visit is tomorrow.", kind="missed_call")
    casey.timezone = zone_with_hour(3)
    casey.save()
    assert send_next_messages()
    assert provider_server.sent == []
    assert status_of(message) == ("queued", "It is too early or too late in the contact's time zone.")
    assert message.run_at > timezone.now() + timedelta(hours=4)
    assert not send_next_messages()


def test_queued_reply_is_sent_at_night(queue, casey, provider_server):
    casey.timezone = zone_with_hour(3)
    casey.save()
    queue()
    send_all()
    assert len(provider_server.sent) == 1


def test_message_over_the_daily_cap_waits_for_the_next_day(queue, casey, desk, provider_server):
    desk.daily_cap = 2
    desk.save()
    others = [ContactFactory(company=casey.company, phone=f"+1212555011{n}", timezone=casey.timezone) for n in range(3)]
    for contact in others:
        queue(contact=contact, kind="missed_call")
    send_all()
    desk.refresh_from_db()
    today = datetime.now(UTC).date()
    assert len(provider_server.sent) == desk.sent_segments == 2
    held = Message.objects.get(status="queued")
    assert held.run_at >= datetime.combine(today + timedelta(days=1), datetime.min.time(), UTC)
    assert held.error == "The phone line has reached its daily cap of 2 segments."


# --- Provider answers ---


def test_rate_limit_delays_the_whole_line(queue, casey, desk, provider_server):
    provider_server.fail_sends(answer(429, retry_after="60"))
    message, other = queue(), queue(contact=ContactFactory(company=casey.company, phone="+12125550102"))
    before = timezone.now()
    assert send_all() == 1
    desk.refresh_from_db()
    assert status_of(message) == ("queued", "The provider's rate limit was reached.")
    assert message.run_at >= before + timedelta(seconds=60)
    assert desk.next_send_at >= before + timedelta(seconds=60)  # the whole line waits
    assert (message.tries, desk.sent_segments) == (0, 0)
    assert status_of(other)[0] == "queued"


@pytest.mark.parametrize(("status", "code"), [(402, "0201402"), (403, "0204403"), (400, "0206400"), (401, "0200401")])
def test_suspended_line_is_paused_and_its_messages_wait(queue, casey, desk, provider_server, status, code):
    provider_server.fail_sends(answer(status, code=code))
    first = queue(kind="missed_call")
    second = queue(kind="missed_call", contact=ContactFactory(company=casey.company, timezone=casey.timezone))
    before = timezone.now()
    send_all()
    desk.refresh_from_db()
    assert provider_server.sent == []
    assert desk.paused_until > timezone.now()
    assert desk.pause_reason
    assert before <= desk.paused_at <= timezone.now()
    for message in (first, second):
        assert status_of(message)[0] == "queued"
        assert message.run_at >= desk.paused_until
    assert first.error_code == code


def test_reply_on_a_suspended_line_fails_with_the_reason(queue, provider_server):
    provider_server.fail_sends(answer(402, code="0201402"))
    message = queue()
    send_all()
    assert status_of(message) == ("failed", "Fault 402")
    assert message.error_code == "0201402"


def test_rejected_message_fails(queue, casey, provider_server):
    provider_server.fail_sends(answer(400, code="0200400"))
    message, membership = campaign_message(queue, casey)
    send_all()
    membership.refresh_from_db()
    assert status_of(message) == ("failed", "Fault 400")
    assert (message.error_code, message.run_at) == ("0200400", None)
    assert (membership.status, membership.reason) == ("failed", "Fault 400")


def test_opt_out_held_by_the_provider_is_recorded(in_acme, casey, provider_server):

    ProviderAccountFactory(company=in_acme, provider="twilio", account_id=ACCOUNT)
    line = PhoneLineFactory(company=in_acme, number="+12125550190", provider="twilio", provider_id="PNtwilio")
    provider_server.twilio.stopped.add(casey.phone)
    membership = CampaignMembershipFactory(contact=casey)
    message = queue_message(contact=casey, line=line, body="Spring check?", kind="campaign", membership=membership)
    send_all()
    membership.refresh_from_db()
    assert status_of(message)[0] == "failed"
    assert (message.error_code, membership.status) == ("21610", "opted_out")
    assert OptOut.objects.get(phone=casey.phone).state == OptOutState.OPTED_OUT
    assert casey.flags.opted_out().exists()


@pytest.mark.parametrize("fault", LOST_ANSWERS)
def test_message_with_unknown_outcome_is_not_sent_again(queue, provider_server, fault):
    provider_server.fail_sends(fault)
    message = queue()
    send_all()
    assert len(provider_server.sent) == 1
    assert status_of(message)[0] == "unknown"
    assert message.run_at > timezone.now()
    assert has_pending_messages()
    queue("And another")  # waits for the outcome of the first
    assert not send_next_messages()


def test_receipt_before_the_answer_is_kept(queue, desk, provider_server):

    message = queue()
    [claimed] = claim(desk)
    outcomes = depart_and_call(claimed)
    message.activity.openphone_id = outcomes[0][1].openphone_id
    message.activity.save()
    Message.objects.filter(pk=message.pk).update(status="delivered")
    settle(outcomes=outcomes)
    assert status_of(message) == ("delivered", "")


def test_lost_claim_does_not_call_the_provider(queue, desk, provider_server):

    queue()
    [claimed] = claim(desk)
    Message.objects.update(run_at=timezone.now() + timedelta(seconds=5))
    assert depart_and_call(claimed) == []
    assert provider_server.sent == []


def test_long_deferred_messages_are_not_pending(queue):
    message = queue()
    assert has_pending_messages()
    Message.objects.filter(pk=message.pk).update(run_at=timezone.now() + timedelta(hours=9))
    assert not has_pending_messages()
