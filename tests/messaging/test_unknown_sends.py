"""Messages with an unknown outcome."""

from datetime import UTC, timedelta

import pytest
from django.utils import timezone

from crm.models import Activity, OptOut, PhoneLine
from crm.services.opt_outs import record_opt_out
from messaging.models import Message
from messaging.services.outbound.outbox import queue_message
from messaging.services.outbound.sending import send_next_messages
from messaging.services.outbound.unknown_sends import look_up_next_message
from ops.privacy.export_erase import erase_person
from ops.privacy.people import person_of
from tests.factories import ActivityFactory, CampaignMembershipFactory, ContactFactory, ProviderAccountFactory
from tests.messaging.claims import claim
from tests.messaging.clocks import zone_with_hour
from tests.provider_server import answer, drop

LOST = drop(accepts=True)  # the provider accepts the message, and its answer is lost
NOT_ACCEPTED = drop(accepts=False)


@pytest.fixture(autouse=True)
def fast(settings):
    settings.SMS_PER_SECOND = 1000


@pytest.fixture
def message(in_acme, desk, provider_server):
    ProviderAccountFactory(company=in_acme)
    contact = ContactFactory(company=in_acme, phone="+12125550101", timezone=zone_with_hour(14))
    membership = CampaignMembershipFactory(contact=contact)
    return queue_message(contact=contact, line=desk, body="Spring check?", kind="campaign", membership=membership)


def pass_time(message, seconds):
    """Age this message, and with it the day that its line counts: the test may run at midnight."""
    message.refresh_from_db()
    message.sent_at -= timedelta(seconds=seconds)
    message.run_at -= timedelta(seconds=seconds)
    message.save()
    PhoneLine.objects.filter(pk=message.phone_line_id).update(sent_on=message.sent_at.astimezone(UTC).date())


def send_and_lose(message, provider_server, *faults):
    provider_server.fail_sends(*faults)
    assert send_next_messages()
    message.refresh_from_db()
    assert (message.status, message.tries) == ("unknown", 1)


def test_listed_message_is_sent_with_its_id(message, provider_server):
    send_and_lose(message, provider_server, LOST)
    assert not look_up_next_message()  # it may not be listed yet
    pass_time(message, 16)
    assert look_up_next_message()
    message.refresh_from_db()
    [sent] = provider_server.sent
    assert (message.status, message.activity.openphone_id, message.run_at) == ("sent", sent.id, None)
    assert message.membership.status == "sent"
    assert not send_next_messages()
    assert not look_up_next_message()


def test_unlisted_message_is_sent_once_more_after_a_second_lookup(message, provider_server):
    send_and_lose(message, provider_server, NOT_ACCEPTED)
    pass_time(message, 16)
    assert look_up_next_message()
    message.refresh_from_db()
    assert message.status == "unknown"
    assert message.run_at - timezone.now() > timedelta(seconds=50)
    assert not send_next_messages()
    pass_time(message, 60)
    assert look_up_next_message()
    assert provider_server.sent == []
    assert send_next_messages()
    message.refresh_from_db()
    assert (message.status, message.tries, len(provider_server.sent)) == ("sent", 2, 1)
    message.phone_line.refresh_from_db()
    assert message.phone_line.sent_segments == 1


def test_message_listed_between_two_lookups_is_not_sent_again(message, desk, provider_server):
    send_and_lose(message, provider_server, NOT_ACCEPTED)
    pass_time(message, 16)
    look_up_next_message()
    provider_server.openphone.add_message(
        "PNdesk", "+12125550101", "Spring check?", direction="outgoing", at=timezone.now()
    )
    pass_time(message, 60)
    look_up_next_message()
    message.refresh_from_db()
    assert message.status == "delivered"
    assert not send_next_messages()


def test_message_of_a_killed_worker_is_looked_up_after_its_lease(message, desk, provider_server):
    assert claim(desk)
    assert not look_up_next_message()
    pass_time(message, 31)
    assert look_up_next_message()
    message.refresh_from_db()
    assert message.status == "unknown"
    pass_time(message, 60)
    assert look_up_next_message()
    assert send_next_messages()
    assert len(provider_server.sent) == 1


def test_copy_known_as_another_message_is_not_matched(message, provider_server):
    earlier = provider_server.openphone.add_message(
        "PNdesk", "+12125550101", "Spring check?", direction="outgoing", at=timezone.now()
    )
    ActivityFactory(contact=message.contact, activity_type="message", direction="outgoing", openphone_id=earlier["id"])
    send_and_lose(message, provider_server, NOT_ACCEPTED)
    pass_time(message, 76)
    assert look_up_next_message()
    message.refresh_from_db()
    assert message.status == "queued"
    assert Activity.objects.filter(openphone_id=earlier["id"]).count() == 1


@pytest.mark.parametrize("body", ["Spring check!", "Spring check? "])
def test_different_body_is_not_matched(message, provider_server, body):
    provider_server.openphone.add_message("PNdesk", "+12125550101", body, direction="outgoing", at=timezone.now())
    send_and_lose(message, provider_server, NOT_ACCEPTED)
    pass_time(message, 16)
    look_up_next_message()
    message.refresh_from_db()
    assert message.status == "unknown"


def test_failed_lookup_is_repeated_later(message, provider_server):
    send_and_lose(message, provider_server, LOST)
    pass_time(message, 300)
    provider_server.fail_reads(answer(500))
    assert look_up_next_message()
    message.refresh_from_db()
    assert message.status == "unknown"
    assert message.run_at > timezone.now() + timedelta(seconds=50)
    assert not send_next_messages()
    pass_time(message, 60)
    assert look_up_next_message()
    message.refresh_from_db()
    assert message.status == "sent"


def test_unknown_outcome_fails_after_a_day(message, provider_server):
    send_and_lose(message, provider_server, LOST)
    pass_time(message, 25 * 3600)
    provider_server.fail_reads(answer(500))
    assert look_up_next_message()
    message.refresh_from_db()
    assert message.status == "failed"
    assert message.error.startswith("The outcome is unknown; check the message at the provider.")
    message.membership.refresh_from_db()
    assert message.membership.status == "failed"


def test_unknown_outcome_fails_after_the_last_attempt(message, provider_server, settings):
    settings.WORKER_MAX_TRIES = 2
    provider_server.fail_sends(NOT_ACCEPTED, NOT_ACCEPTED, NOT_ACCEPTED)
    for _ in range(2):
        assert send_next_messages()
        pass_time(message, 76)
        assert look_up_next_message()
    message.refresh_from_db()
    assert (message.status, message.tries) == ("failed", 2)
    assert message.error == "The provider neither confirmed nor listed the message; check it at the provider."
    assert not send_next_messages()


def test_opt_out_meanwhile_blocks_the_second_attempt(message, provider_server):
    send_and_lose(message, provider_server, NOT_ACCEPTED)
    record_opt_out(phone="+12125550101", words="STOP", source="sms", occurred_at=timezone.now())
    pass_time(message, 76)
    assert look_up_next_message()
    assert send_next_messages()
    message.refresh_from_db()
    assert (message.status, message.error, provider_server.sent) == ("failed", "The contact has opted out.", [])


def test_known_outcome_is_not_looked_up(message, provider_server):
    send_next_messages()
    Message.objects.update(run_at=timezone.now() - timedelta(hours=1))
    assert not look_up_next_message()


@pytest.mark.parametrize("is_lost", [True, False])
def test_message_to_an_erased_contact_fails(message, provider_server, is_lost):
    if is_lost:
        send_and_lose(message, provider_server, NOT_ACCEPTED)
        pass_time(message, 76)
    erase_person(person=person_of(message.contact), by="test")
    assert look_up_next_message() == is_lost
    assert not send_next_messages()
    message.refresh_from_db()
    assert (message.status, provider_server.sent) == ("failed", [])
    assert not OptOut.objects.filter(phone__contains="erased").exists()
