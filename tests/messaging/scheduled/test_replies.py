"""Replies that hold scheduled messages back."""

from datetime import timedelta
from io import StringIO

from django.core.management import call_command
from django.utils import timezone

from crm.models import Conversation
from messaging.models import Message
from messaging.services.outbound.sending import send_next_messages
from tests.errors import code_of
from tests.messaging.claims import claim, depart_and_call
from tests.messaging.payloads import message_v4, post_event
from tests.messaging.scheduled.steps import pass_time, set_clock, state_of, url
from tests.messaging.worker_rounds import process_next_event


def reply(client, casey, line):
    at = timezone.now().isoformat()
    post_event(client, message_v4(sender=casey.phone, to=[line.number], text="Can't on Tuesday.", createdAt=at))
    assert process_next_event()


def test_reply_holds_it_back(message, client, secret, casey, line, provider_server):
    reply(client, casey, line)
    assert state_of(message) == ("held", "replied")
    assert message.error == "The contact has replied since it was written. Send it anyway, or cancel it."
    assert not send_next_messages()
    assert provider_server.sent == []
    assert Conversation.objects.get(contact=casey).status == "waiting"


def test_reply_holds_only_what_asks_for_it(schedule, client, secret, casey, line):
    message = Message.objects.get(pk=schedule().json()["id"])
    reply(client, casey, line)
    assert state_of(message) == ("queued", "")


def test_reply_from_before_it_was_written_does_not_hold_it(message, client, secret, casey, line):
    # As when a report of yesterday is repeated, or the list of a provider is read again.
    Message.objects.filter(pk=message.pk).update(created_at=timezone.now() + timedelta(days=1))
    reply(client, casey, line)
    assert state_of(message) == ("queued", "")


def test_reply_that_comes_after_the_claim_holds_it(message, client, secret, casey, line, provider_server):
    pass_time(message)
    [claimed] = claim(line)
    reply(client, casey, line)
    assert state_of(message)[0] == "sending"
    assert depart_and_call(claimed) == []
    assert state_of(message) == ("held", "replied")
    assert (message.tries, provider_server.sent) == (0, [])


def test_held_message_is_sent_anyway_at_its_time(message, client, secret, casey, line, csr_api, monkeypatch):
    reply(client, casey, line)
    response = csr_api.post(url(message, "release"))
    row = response.json()
    assert (response.status_code, row["status"], row["error_code"], row["hold_if_reply"]) == (200, "queued", "", False)
    assert not send_next_messages()
    again = csr_api.post(url(message, "release"))
    assert (again.status_code, code_of(again)) == (409, "not_held")
    reply(client, casey, line)
    set_clock(monkeypatch, message.send_at)
    assert send_next_messages()
    assert state_of(message) == ("sent", "")


def test_held_message_is_cancelled(message, client, secret, casey, line, csr_api):
    reply(client, casey, line)
    assert csr_api.post(url(message, "cancel")).status_code == 200
    assert state_of(message) == ("failed", "cancelled")


def test_message_that_a_manager_must_decide_about_is_not_released_by_a_csr(message, csr_api):
    call_command("hold_texts", stdout=StringIO())
    response = csr_api.post(url(message, "release"))
    assert (response.status_code, code_of(response)) == (409, "not_held")
    assert state_of(message)[0] == "held"
