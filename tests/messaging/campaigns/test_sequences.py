"""Sequences: the next step of a contact, and what ends it; and to which message a reply belongs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from calls.services.booking import book_appointment
from crm.models import Campaign, CampaignMembership, CampaignStep
from messaging.models import Message
from messaging.providers.interfaces import SentMessage
from messaging.services.campaigns.feeder import feed_next_campaign
from messaging.services.campaigns.runs import cancel_campaign, pause_campaign, resume_campaign, start_campaign
from messaging.services.outbound.campaign_progress import update_memberships
from messaging.services.outbound.claims import release_messages
from messaging.services.outbound.holding import hold_messages
from messaging.services.outbound.send_results import apply_send_result
from messaging.services.outbound.sending import mark_departures
from tests.factories import PhoneLineFactory
from tests.messaging.claims import claim
from tests.messaging.test_any_order import message_event, record

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def sequence(draft, add_members, in_acme):
    """A running campaign of two steps, a day apart, with one member whose first message is in the outbox."""
    CampaignStep.objects.create(company=in_acme, campaign=draft, step=2, delay_minutes=1440, body="Still there?")
    add_members(draft)
    start_campaign(campaign=draft, user=None)
    feed_next_campaign()
    return draft


def finish(status="sent"):
    """Let the messages in the outbox be sent."""
    messages = list(Message.objects.filter(status="queued"))
    for message in messages:
        message.status, message.sent_at = status, timezone.now()
        message.save()
    update_memberships(messages=messages)


def feed_second_step(campaign):
    CampaignMembership.objects.filter(step=2).update(due_at=timezone.now())
    Campaign.objects.update(feed_at=timezone.now())
    feed_next_campaign()


def steps(campaign):
    rows = CampaignMembership.objects.filter(campaign=campaign).order_by("step")
    return list(rows.values_list("step", "status", "reason"))


def receive(campaign, text):
    phone = campaign.memberships.first().contact.phone
    sender = {"from_number": phone, "outside_numbers": (phone,)}
    record(message_event(**sender, body=text, openphone_id="ACreply", created_at=timezone.now()))


def test_step_that_was_sent_makes_the_next_one(sequence):
    assert steps(sequence) == [(1, "pending", "")]
    finish()
    assert steps(sequence) == [(1, "sent", ""), (2, "pending", "")]
    first, second = CampaignMembership.objects.order_by("step")
    assert abs(second.due_at - first.sent_at - DAY) < timedelta(seconds=1)
    feed_second_step(sequence)
    message = Message.objects.get(membership=second)
    assert message.body == "Still there?"  # the company and how to opt out were in the first
    finish("delivered")
    Campaign.objects.update(feed_at=timezone.now())
    feed_next_campaign()
    sequence.refresh_from_db()
    assert sequence.status == "completed"


def test_repeated_outcome_makes_the_next_step_once(sequence):
    finish()
    update_memberships(messages=list(Message.objects.all()))
    Message.objects.update(status="delivered")
    update_memberships(messages=list(Message.objects.all()))
    assert steps(sequence) == [(1, "delivered", ""), (2, "pending", "")]


@pytest.mark.parametrize("status", ["failed", "undelivered"])
def test_step_that_failed_makes_no_next_one(status, sequence):
    finish(status)
    assert [step for step, _, _ in steps(sequence)] == [1]


@pytest.mark.parametrize("queued", [False, True])
def test_reply_ends_the_sequence(queued, sequence):
    finish()
    if queued:
        feed_second_step(sequence)
    receive(sequence, "Yes, please call me.")
    assert steps(sequence) == [(1, "replied", ""), (2, "skipped", "The contact has replied.")]
    assert not Message.objects.filter(status="queued", kind="campaign").exists()


def test_opt_out_ends_the_sequence_and_counts_as_one(sequence):
    finish()
    receive(sequence, "STOP")
    assert [(step, status) for step, status, _ in steps(sequence)] == [(1, "opted_out"), (2, "skipped")]


def test_booking_ends_the_sequence_and_is_counted(sequence, monkeypatch):
    finish()
    monkeypatch.setattr("calls.services.booking.now", timezone.now)
    contact = sequence.memberships.first().contact
    start = timezone.now() + 3 * DAY
    book_appointment(company=sequence.company, contact=contact, scheduled_start=start, scheduled_end=start + HOUR)
    assert steps(sequence) == [(1, "sent", ""), (2, "skipped", "The contact has booked.")]
    assert CampaignMembership.objects.get(step=1).booked_at is not None


def test_booking_long_after_the_message_is_not_counted(sequence):
    finish()
    CampaignMembership.objects.update(sent_at=timezone.now() - 15 * DAY)
    contact, start = sequence.memberships.first().contact, timezone.now() + 3 * DAY
    book_appointment(company=sequence.company, contact=contact, scheduled_start=start, scheduled_end=start + HOUR)
    assert not CampaignMembership.objects.filter(booked_at__isnull=False).exists()


def test_reply_before_the_outcome_was_recorded_ends_the_sequence(sequence):
    receive(sequence, "Yes, please call me.")
    finish()
    Message.objects.filter(direction="incoming").update(created_at=timezone.now() + HOUR)
    feed_second_step(sequence)
    assert steps(sequence)[1] == (2, "skipped", "The contact has answered.")


def test_pause_does_not_shorten_the_delay_of_the_next_step(sequence):
    finish()
    before = CampaignMembership.objects.get(step=2).due_at
    pause_campaign(campaign=sequence)
    resume_campaign(campaign=sequence)
    assert CampaignMembership.objects.get(step=2).due_at == before
    CampaignMembership.objects.filter(step=2).update(due_at=timezone.now() - DAY)  # paused for long
    pause_campaign(campaign=sequence)
    resume_campaign(campaign=sequence)
    assert timezone.now() - CampaignMembership.objects.get(step=2).due_at < HOUR


def test_cancelled_campaign_makes_no_further_step(sequence):
    Message.objects.update(status="sending")
    cancel_campaign(campaign=sequence)
    Message.objects.update(status="queued")
    finish()
    assert [step for step, _, _ in steps(sequence)] == [1]


def test_reply_belongs_to_the_latest_message_of_its_conversation(sequence, in_acme):
    finish()
    other_line = PhoneLineFactory(company=in_acme, number="+12125550181", provider_id="PNother")
    member = sequence.memberships.get(step=1)
    other = CampaignMembership.objects.create(
        company=in_acme, campaign=sequence, contact=member.contact, step=9, status="sent", sent_at=timezone.now()
    )
    Message.objects.filter(membership=member).update(phone_line=sequence.phone_line)
    message = Message.objects.get(membership=member)
    activity = message.activity
    activity.pk = message.pk = None
    activity.save()
    message.activity, message.membership, message.phone_line = activity, other, other_line
    message.save(force_insert=True)
    receive(sequence, "Yes, please call me.")
    found = dict(CampaignMembership.objects.values_list("step", "status"))
    assert (found[1], found[9]) == ("replied", "sent")


def test_held_message_of_a_further_step_goes_when_the_contact_replies(sequence):
    finish()
    feed_second_step(sequence)
    hold_messages(messages=Message.objects.filter(membership__step=2), reason="Overdue.")
    receive(sequence, "Please call me.")
    assert not Message.objects.filter(membership__step=2).exists()
    assert steps(sequence)[1] == (2, "skipped", "The contact has replied.")


def claim_second_step(campaign):
    finish()
    feed_second_step(campaign)
    return claim(campaign.phone_line)


@pytest.mark.parametrize("is_released", [False, True], ids=["claimed", "queued again"])
def test_claimed_step_does_not_leave_after_a_reply(is_released, sequence):
    messages = claim_second_step(sequence)
    if is_released:  # the provider asked to wait
        release_messages(messages=messages)
    receive(sequence, "Please call me.")
    assert mark_departures(messages=messages) == ([], [])
    assert steps(sequence)[1] == (2, "skipped", "The contact has replied.")
    assert not Message.objects.filter(membership__step=2).exists()


def test_claimed_step_of_a_paused_campaign_does_not_wait_after_a_reply(sequence):
    messages = claim_second_step(sequence)
    receive(sequence, "Please call me.")
    pause_campaign(campaign=sequence)
    assert mark_departures(messages=messages) == ([], [])
    assert steps(sequence)[1] == (2, "skipped", "The contact has replied.")


def test_step_that_was_leaving_when_the_contact_booked_is_the_last_one(sequence):
    CampaignStep.objects.create(company=sequence.company, campaign=sequence, step=3, delay_minutes=60, body="Bye")
    [message] = claim_second_step(sequence)
    assert mark_departures(messages=[message]) == ([message], [])
    start = timezone.now() + 3 * DAY
    book_appointment(
        company=sequence.company, contact=message.contact, scheduled_start=start, scheduled_end=start + HOUR
    )
    for status in ("sent", "delivered"):
        message.status = status
        message.save()
        update_memberships(messages=[message])
    assert steps(sequence)[1:] == [(2, "delivered", "The contact has booked.")]


@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("receipt", [False, True], ids=["looked up", "reported"])
def test_text_of_an_unknown_outcome_that_has_left_makes_the_next_step(receipt, step, sequence):
    CampaignStep.objects.create(company=sequence.company, campaign=sequence, step=3, delay_minutes=60, body="Bye")
    [message] = claim(sequence.phone_line) if step == 1 else claim_second_step(sequence)
    Message.objects.filter(pk=message.pk).update(status="unknown", error="The provider didn't answer in time.")
    message.refresh_from_db()
    if receipt:
        message.status = "delivered"
        message.save()
        update_memberships(messages=[message])
    else:
        apply_send_result(message=message, outcome=SentMessage(openphone_id="AC1", status="sent"))
    status = "delivered" if receipt else "sent"
    assert steps(sequence)[step - 1 :] == [(step, status, ""), (step + 1, "pending", "")]
