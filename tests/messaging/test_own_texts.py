"""Texts that we sent: the provider may tell of one before the sender knows its id."""

from datetime import timedelta

import pytest

from crm.models import CampaignMembership
from messaging.models import Message
from messaging.services.inbound.messages import AmbiguousReceipt
from messaging.services.outbound.campaign_progress import update_membership
from tests.factories import CampaignMembershipFactory, ContactFactory, MessageFactory
from tests.messaging.payloads import CALLER, OUR_NUMBER
from tests.messaging.test_any_order import THEN, record, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def contact(acme, desk):
    return ContactFactory(company=acme, phone=CALLER)


@pytest.fixture
def leaving(contact, desk, in_acme):
    """A text of ours that has left, as far as we know, and has no id yet."""

    def leaving(minutes=0, **fields):
        return MessageFactory(
            contact=contact,
            phone_line=desk,
            activity__openphone_id=None,
            activity__direction="outgoing",
            created_at=THEN + timedelta(minutes=minutes),
            run_at=THEN,
            **{"direction": "outgoing", "kind": "reply", "status": "sending", "body": "Hello"} | fields,
        )

    return leaving


def told(**changes):
    return text(direction="outgoing", from_number=OUR_NUMBER, **changes)


def ids():
    return list(Message.objects.order_by("id").values_list("activity__openphone_id", "status"))


@pytest.mark.parametrize("status", ["sending", "unknown"])
def test_a_text_of_ours_is_known_again_by_its_words(leaving, status):
    leaving(status=status)
    record(told(), told())
    assert ids() == [("AC1", "delivered")]


def test_of_equal_texts_the_oldest_comes_first(leaving):
    leaving(1)
    leaving(0)
    record(told(), told(openphone_id="AC2", status="sent"))
    assert ids() == [("AC2", "sent"), ("AC1", "delivered")]


@pytest.mark.parametrize("fields", [{"body": "Bye"}, {"status": "queued"}, {"status": "failed"}])
def test_another_text_is_not_taken_for_it(leaving, fields):
    leaving(**fields)
    record(told())
    assert ids() == [(None, fields.get("status", "sending")), ("AC1", "delivered")]


def test_a_receipt_without_words_is_of_the_only_text_that_is_on_its_way(leaving):
    leaving()
    record(told(body=""))
    assert ids() == [("AC1", "delivered")]


def test_a_receipt_without_words_waits_where_it_may_be_of_several(leaving):
    leaving()
    leaving(body="Bye")
    with pytest.raises(AmbiguousReceipt):
        record(told(body=""))
    assert ids() == [(None, "sending")] * 2


@pytest.mark.parametrize("order", [1, -1])
def test_a_membership_follows_its_text_and_never_back(leaving, contact, order):
    membership = CampaignMembershipFactory(contact=contact, status="sending")
    leaving(kind="campaign", membership=membership)
    record(*[told(), told(status="failed")][::order])
    membership.refresh_from_db()
    assert (membership.status, membership.sent_at is None) == ("delivered", False)


def test_a_failed_membership_says_why(leaving, contact):
    membership = CampaignMembershipFactory(contact=contact, status="sending")
    update_membership(message=leaving(membership=membership, status="failed", error="No such number."))
    assert list(CampaignMembership.objects.values_list("status", "reason")) == [("failed", "No such number.")]


@pytest.mark.parametrize("status", ["skipped", "opted_out", "replied"])
def test_what_is_decided_of_a_membership_stays(leaving, contact, status):
    membership = CampaignMembershipFactory(contact=contact, status=status, sent_at=THEN)
    update_membership(message=leaving(membership=membership, status="delivered"))
    assert CampaignMembership.objects.get().status == status


def test_a_reply_within_three_days_is_one_to_the_latest_that_was_sent(contact, in_acme):
    sent = {"contact": contact, "status": "sent"}
    old = CampaignMembershipFactory(**sent, sent_at=THEN - timedelta(hours=73))
    before = CampaignMembershipFactory(**sent, sent_at=THEN - timedelta(hours=2))
    latest = CampaignMembershipFactory(**sent, sent_at=THEN - timedelta(hours=1))
    others = CampaignMembershipFactory(contact__company=contact.company, status="sent", sent_at=THEN)
    record(text())
    found = dict(CampaignMembership.objects.values_list("pk", "status"))
    assert found == {old.pk: "sent", before.pk: "sent", latest.pk: "replied", others.pk: "sent"}
