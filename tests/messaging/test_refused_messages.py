"""Refused messages: the fault of one message doesn't stop the others on its line."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm.models import PhoneLine
from messaging.models import Message
from messaging.services.outbound import sending
from messaging.services.outbound.outbox import queue_message
from messaging.services.outbound.sending import send_next_messages
from tests.factories import ContactFactory, ProviderAccountFactory
from tests.messaging.clocks import zone_with_hour
from tests.provider_server import Answer, Fault, answer

JAMAICA = "+18765550101"


@pytest.fixture(autouse=True)
def fast(settings):
    settings.SMS_PER_SECOND = 1000


@pytest.fixture
def queue(in_acme, desk, provider_server):
    ProviderAccountFactory(company=in_acme)

    def queue(phone, kind="missed_call"):
        contact = ContactFactory(company=in_acme, phone=phone, timezone=zone_with_hour(14))
        return queue_message(contact=contact, line=desk, body=f"Hello {phone[-2:]}", kind=kind)

    return queue


def refuse(status, **content):
    return Fault(accepts=False, ends="answer", answer=Answer(status, content))


def send_all():
    while send_next_messages():
        pass
    return dict(Message.objects.order_by("id").values_list("to_numbers__0", "status"))


NAMES_RECIPIENT = [
    (JAMAICA, refuse(403, message="Forbidden")),
    (JAMAICA, refuse(403, message="International messaging is not enabled", code="0200403")),
    ("+12125550101", refuse(403, message="Forbidden", errors=[{"path": "/to/0", "message": "not allowed"}])),
    ("+12125550101", refuse(402, message="Credits are needed to text +12125550101")),
    ("+12125550101", refuse(402, message="Payment required for this destination", code="0201402")),
]


@pytest.mark.parametrize(("phone", "fault"), NAMES_RECIPIENT)
def test_refusal_because_of_the_recipient_fails_that_message_only(queue, desk, provider_server, phone, fault):
    provider_server.fail_sends(fault)
    queue(phone)
    queue("+12125550102")
    assert send_all() == {phone: "failed", "+12125550102": "sent"}
    desk.refresh_from_db()
    assert desk.paused_until is None


def end_pause():
    """Let the hour pass."""
    PhoneLine.objects.update(paused_until=timezone.now() - timedelta(seconds=1), next_send_at=timezone.now())
    for number, message in enumerate(Message.objects.filter(status="queued").order_by("run_at", "id")):
        Message.objects.filter(pk=message.pk).update(run_at=timezone.now() - timedelta(seconds=60 - number))


def test_refused_message_goes_behind_the_others(queue, provider_server):
    provider_server.fail_sends(answer(402))
    for number in ("+12125550101", "+12125550102", "+12125550103"):
        queue(number)
    assert set(send_all().values()) == {"queued"}
    end_pause()
    send_all()
    assert [sent.to[-2:] for sent in provider_server.sent] == ["02", "03", "01"]


def test_message_refused_again_after_others_have_left_fails(queue, desk, provider_server, monkeypatch):
    provider_server.fail_sends(answer(402))
    queue("+12125550101")
    queue("+12125550102")
    send_all()
    end_pause()
    monkeypatch.setattr(sending, "MAX_CLAIMED", 1)
    send_next_messages()
    provider_server.fail_sends(answer(402))
    assert send_all() == {"+12125550101": "failed", "+12125550102": "sent"}
    desk.refresh_from_db()
    assert desk.paused_until < timezone.now()


def test_message_waits_as_long_as_the_whole_account_is_refused(queue, desk, provider_server):
    queue("+12125550101")
    queue("+12125550102")
    beginnings = set()
    for _ in range(4):
        provider_server.fail_sends(answer(402))
        assert set(send_all().values()) == {"queued"}
        desk.refresh_from_db()
        assert desk.paused_until > timezone.now()
        beginnings.add(desk.paused_at)
        end_pause()
    assert len(beginnings) == 1  # the same pause, seen at different ages
    assert set(send_all().values()) == {"sent"}


def test_pause_after_messages_have_left_is_another_one(queue, desk, provider_server):
    provider_server.fail_sends(answer(402))
    queue("+12125550101")
    send_all()
    desk.refresh_from_db()
    earlier = desk.paused_at
    end_pause()
    desk.refresh_from_db()
    send_all()
    provider_server.fail_sends(answer(402))
    queue("+12125550102")
    PhoneLine.objects.update(next_send_at=timezone.now())  # not after the pace
    assert send_all() == {"+12125550101": "sent", "+12125550102": "queued"}
    desk.refresh_from_db()
    assert desk.paused_at > earlier


@pytest.mark.parametrize("code", ["20429", "14107"])
def test_refused_pace_delays_the_message(queue, provider_server, code):
    provider_server.fail_sends(answer(400, code=code))
    queue("+12125550101")
    assert send_all() == {"+12125550101": "queued"}
    assert Message.objects.get().tries == 0


@pytest.mark.parametrize("code", ["63038", "0204403", "30023"])
def test_daily_cap_that_is_answered_like_a_refused_pace_pauses_the_line(queue, provider_server, desk, code):
    provider_server.fail_sends(answer(429, code=code))
    queue("+12125550101")
    assert send_all() == {"+12125550101": "queued"}
    desk.refresh_from_db()
    assert desk.paused_until > timezone.now()
    assert Message.objects.get().error_code == code
