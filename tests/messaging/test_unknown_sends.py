"""Texts of which nobody knows whether they have left: looked up, never blindly sent again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm.models import Activity, OptOut
from crm.services.opt_outs import record_opt_out
from messaging.models import Message
from messaging.services.outbound.outbox import queue_message
from messaging.services.outbound.sending import claim_message, send_next_message
from messaging.services.outbound.unknown_sends import look_up_next_message
from ops.privacy.export_erase import erase_contact
from tests.factories import ActivityFactory, CampaignMembershipFactory, ContactFactory, ProviderAccountFactory
from tests.messaging.clocks import zone_where_it_is
from tests.provider_server import answer, drop

LOST = drop(takes=True)  # the provider has the text, and its answer is lost
NOT_TAKEN = drop(takes=False)


@pytest.fixture(autouse=True)
def fast(settings):
    settings.SMS_PER_SECOND = 1000


@pytest.fixture
def message(in_acme, desk, provider_server):
    ProviderAccountFactory(company=in_acme)
    contact = ContactFactory(company=in_acme, phone="+12125550101", timezone=zone_where_it_is(14))
    membership = CampaignMembershipFactory(contact=contact)
    return queue_message(contact=contact, line=desk, body="Spring check?", kind="campaign", membership=membership)


def pass_time(message, seconds):
    """Let it be so much later, for this text."""
    message.refresh_from_db()
    message.created_at -= timedelta(seconds=seconds)
    message.run_at -= timedelta(seconds=seconds)
    message.save()


def send_and_lose(message, provider_server, *faults):
    provider_server.fail_sends(*faults)
    assert send_next_message()
    message.refresh_from_db()
    assert (message.status, message.tries) == ("unknown", 1)


def test_a_text_that_the_provider_has_is_sent_with_its_id(message, provider_server):
    send_and_lose(message, provider_server, LOST)
    assert not look_up_next_message()  # not at once: it may not be listed yet
    pass_time(message, 16)
    assert look_up_next_message()
    message.refresh_from_db()
    [sent] = provider_server.sent
    assert (message.status, message.activity.openphone_id, message.run_at) == ("sent", sent.id, None)
    assert message.membership.status == "sent"
    assert not send_next_message()
    assert not look_up_next_message()


def test_a_text_that_the_provider_does_not_have_is_sent_once_more_after_a_second_look(message, provider_server):
    send_and_lose(message, provider_server, NOT_TAKEN)
    pass_time(message, 16)
    assert look_up_next_message()
    message.refresh_from_db()
    assert message.status == "unknown"
    assert message.run_at - timezone.now() > timedelta(seconds=50)
    assert not send_next_message()
    pass_time(message, 60)
    assert look_up_next_message()
    assert provider_server.sent == []
    assert send_next_message()
    message.refresh_from_db()
    assert (message.status, message.tries, len(provider_server.sent)) == ("sent", 2, 1)
    message.phone_line.refresh_from_db()
    assert message.phone_line.sent_segments == 1


def test_a_text_that_shows_up_between_the_two_looks_is_not_sent_again(message, desk, provider_server):
    send_and_lose(message, provider_server, NOT_TAKEN)
    pass_time(message, 16)
    look_up_next_message()
    provider_server.openphone.add_message(
        "PNdesk", "+12125550101", "Spring check?", direction="outgoing", at=timezone.now()
    )
    pass_time(message, 60)
    look_up_next_message()
    message.refresh_from_db()
    assert message.status == "delivered"
    assert not send_next_message()


def test_a_text_whose_sender_is_gone_is_looked_up_when_its_lease_is_over(message, desk, provider_server):
    assert claim_message(line_id=desk.pk)
    assert not look_up_next_message()
    pass_time(message, 31)
    assert look_up_next_message()
    message.refresh_from_db()
    assert message.status == "unknown"
    pass_time(message, 60)
    assert look_up_next_message()
    assert send_next_message()
    assert len(provider_server.sent) == 1


def test_another_text_of_ours_with_the_same_words_is_not_taken_for_it(message, provider_server):
    earlier = provider_server.openphone.add_message(
        "PNdesk", "+12125550101", "Spring check?", direction="outgoing", at=timezone.now()
    )
    ActivityFactory(contact=message.contact, activity_type="message", direction="outgoing", openphone_id=earlier["id"])
    send_and_lose(message, provider_server, NOT_TAKEN)
    pass_time(message, 76)
    assert look_up_next_message()
    message.refresh_from_db()
    assert message.status == "queued"
    assert Activity.objects.filter(openphone_id=earlier["id"]).count() == 1


@pytest.mark.parametrize("words", ["Spring check!", "Spring check? "])
def test_other_words_to_the_same_number_are_another_text(message, provider_server, words):
    provider_server.openphone.add_message("PNdesk", "+12125550101", words, direction="outgoing", at=timezone.now())
    send_and_lose(message, provider_server, NOT_TAKEN)
    pass_time(message, 16)
    look_up_next_message()
    message.refresh_from_db()
    assert message.status == "unknown"


def test_a_provider_that_can_not_be_asked_is_asked_later(message, provider_server):
    send_and_lose(message, provider_server, LOST)
    pass_time(message, 300)
    provider_server.fail_reads(answer(500))
    assert look_up_next_message()
    message.refresh_from_db()
    assert message.status == "unknown"
    assert message.run_at > timezone.now() + timedelta(seconds=50)
    assert not send_next_message()
    pass_time(message, 60)
    assert look_up_next_message()
    message.refresh_from_db()
    assert message.status == "sent"


def test_a_day_without_knowing_leaves_it_to_a_person(message, provider_server):
    send_and_lose(message, provider_server, LOST)
    pass_time(message, 25 * 3600)
    provider_server.fail_reads(answer(500))
    assert look_up_next_message()
    message.refresh_from_db()
    assert message.status == "failed"
    assert message.error.startswith("The outcome is unknown; check the message at the provider.")
    message.membership.refresh_from_db()
    assert message.membership.status == "failed"


def test_after_so_many_tries_it_is_left_to_a_person(message, provider_server, settings):
    settings.WORKER_MAX_TRIES = 2
    provider_server.fail_sends(NOT_TAKEN, NOT_TAKEN, NOT_TAKEN)
    for _ in range(2):
        assert send_next_message()
        pass_time(message, 76)
        assert look_up_next_message()
    message.refresh_from_db()
    assert (message.status, message.tries) == ("failed", 2)
    assert message.error == "The provider neither confirmed nor listed the message; check it at the provider."
    assert not send_next_message()


def test_an_opt_out_meanwhile_stops_the_second_try(message, provider_server):
    send_and_lose(message, provider_server, NOT_TAKEN)
    record_opt_out(phone="+12125550101", words="STOP", source="sms", occurred_at=timezone.now())
    pass_time(message, 76)
    assert look_up_next_message()
    assert send_next_message()
    message.refresh_from_db()
    assert (message.status, message.error, provider_server.sent) == ("failed", "The contact has opted out.", [])


def test_nothing_is_looked_up_that_is_known(message, provider_server):
    send_next_message()
    Message.objects.update(run_at=timezone.now() - timedelta(hours=1))
    assert not look_up_next_message()


@pytest.mark.parametrize("is_lost", [True, False])
def test_a_text_to_somebody_who_was_erased_meanwhile_goes_nowhere(message, provider_server, is_lost):
    if is_lost:
        send_and_lose(message, provider_server, NOT_TAKEN)
        pass_time(message, 76)
    erase_contact(contact=message.contact, by="test")
    assert look_up_next_message() if is_lost else send_next_message()
    message.refresh_from_db()
    assert (message.status, provider_server.sent) == ("failed", [])
    assert not send_next_message()
    assert not OptOut.objects.filter(phone__contains="erased").exists()
