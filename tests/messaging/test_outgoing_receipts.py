"""Receipts of outgoing messages whose id the sender does not know yet."""

from datetime import timedelta

import pytest

from crm.models import CampaignMembership
from messaging.models import Message
from messaging.services.inbound.messages import AmbiguousReceipt
from messaging.services.outbound.campaign_progress import update_memberships
from tests.factories import CampaignMembershipFactory, ContactFactory, MessageFactory
from tests.messaging.payloads import CALLER, OUR_NUMBER
from tests.messaging.test_any_order import THEN, message_event, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def contact(acme, desk):
    return ContactFactory(company=acme, phone=CALLER)


@pytest.fixture
def sending(contact, desk, in_acme):
    """Create an outgoing message that has no id yet."""

    def sending(minutes=0, **fields):
        return MessageFactory(
            contact=contact,
            phone_line=desk,
            activity__openphone_id=None,
            activity__direction="outgoing",
            created_at=THEN + timedelta(minutes=minutes),
            run_at=THEN,
            **{"direction": "outgoing", "kind": "reply", "status": "sending", "body": "Hello"} | fields,
        )

    return sending


def receipt(**changes):
    return message_event(direction="outgoing", from_number=OUR_NUMBER, **changes)


def ids():
    return list(Message.objects.order_by("id").values_list("activity__openphone_id", "status"))


@pytest.mark.parametrize("minutes", [-1, 1])
def test_receipt_does_not_move_a_message_that_we_wrote(sending, minutes):
    message = sending(minutes)
    written, of_activity = message.created_at, message.activity.created_at
    record(receipt(), receipt(status="delivered"))
    message.refresh_from_db()
    assert message.status == "delivered"
    assert message.created_at == written
    assert message.activity.created_at == min(of_activity, written)


@pytest.mark.parametrize("status", ["sending", "unknown"])
def test_outgoing_message_is_matched_by_its_body(sending, status):
    sending(status=status)
    record(receipt(), receipt())
    assert ids() == [("AC1", "delivered")]


def test_held_message_that_was_sent_all_the_same_is_matched_by_its_body(sending):
    message = sending(status="held", error="It was held by hold_texts.")
    record(receipt(), receipt())
    assert ids() == [("AC1", "delivered")]
    message.refresh_from_db()
    assert message.error == ""


def test_message_being_sent_is_matched_before_an_older_held_one(sending):
    sending(0, status="held")
    sending(1)
    record(receipt(), receipt())
    assert ids() == [(None, "held"), ("AC1", "delivered")]


def test_held_message_is_not_matched_by_a_message_from_before_it_was_written(sending):
    sending(10, status="held")
    record(receipt())
    assert ids() == [(None, "held"), ("AC1", "delivered")]


def test_receipt_without_a_body_matches_no_held_message(sending):
    sending(status="held")
    record(receipt(body=""))
    assert ids()[0] == (None, "held")


def test_oldest_of_equal_messages_is_matched_first(sending):
    sending(1)
    sending(0)
    record(receipt(), receipt(openphone_id="AC2", status="sent"))
    assert ids() == [("AC2", "sent"), ("AC1", "delivered")]


@pytest.mark.parametrize("fields", [{"body": "Bye"}, {"status": "queued"}, {"status": "failed"}])
def test_different_message_is_not_matched(sending, fields):
    sending(**fields)
    record(receipt())
    assert ids() == [(None, fields.get("status", "sending")), ("AC1", "delivered")]


def test_receipt_without_a_body_matches_the_only_pending_message(sending):
    sending()
    record(receipt(body=""))
    assert ids() == [("AC1", "delivered")]


def test_receipt_without_a_body_is_ambiguous_among_several(sending):
    sending()
    sending(body="Bye")
    with pytest.raises(AmbiguousReceipt):
        record(receipt(body=""))
    assert ids() == [(None, "sending")] * 2


@pytest.mark.parametrize("order", [1, -1])
def test_membership_follows_its_message_and_never_moves_back(sending, contact, order):
    membership = CampaignMembershipFactory(contact=contact, status="sending")
    sending(kind="campaign", membership=membership)
    record(*[receipt(), receipt(status="failed")][::order])
    membership.refresh_from_db()
    assert (membership.status, membership.sent_at is None) == ("delivered", False)


def test_failed_membership_has_a_reason(sending, contact):
    membership = CampaignMembershipFactory(contact=contact, status="sending")
    update_memberships(messages=[sending(membership=membership, status="failed", error="No such number.")])
    assert list(CampaignMembership.objects.values_list("status", "reason")) == [("failed", "No such number.")]


@pytest.mark.parametrize("status", ["skipped", "opted_out", "replied"])
def test_final_membership_status_stays(sending, contact, status):
    membership = CampaignMembershipFactory(contact=contact, status=status, sent_at=THEN)
    update_memberships(messages=[sending(membership=membership, status="delivered")])
    assert CampaignMembership.objects.get().status == status


def test_reply_within_three_days_marks_the_latest_membership(sending, contact, in_acme):
    campaign = {"contact": contact, "status": "sent"}
    old = CampaignMembershipFactory(**campaign, sent_at=THEN - timedelta(hours=73))
    before = CampaignMembershipFactory(**campaign, sent_at=THEN - timedelta(hours=2))
    latest = CampaignMembershipFactory(**campaign, sent_at=THEN - timedelta(hours=1))
    others = CampaignMembershipFactory(contact__company=contact.company, status="sent", sent_at=THEN)
    for membership in (old, before, latest):
        sending(kind="campaign", status="sent", membership=membership)
    record(message_event())
    found = dict(CampaignMembership.objects.values_list("pk", "status"))
    assert found == {old.pk: "sent", before.pk: "sent", latest.pk: "replied", others.pk: "sent"}


def test_reply_to_a_campaign_message_of_long_ago_marks_nothing(sending, contact, in_acme):
    old = CampaignMembershipFactory(contact=contact, status="sent", sent_at=THEN - timedelta(hours=73))
    sending(kind="campaign", status="sent", membership=old)
    record(message_event())
    assert CampaignMembership.objects.get().status == "sent"
