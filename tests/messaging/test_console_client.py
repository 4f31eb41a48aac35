"""Console client: printed messages and their delivery receipts."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm.db.tenancy import tenant
from messaging.models import Message, WebhookEvent
from messaging.providers.interfaces import Line
from messaging.providers.registry import client_for_sending
from tests.factories import PhoneLineFactory
from tests.messaging.payloads import CALLER, OUR_NUMBER
from tests.messaging.worker_rounds import process_next_event

pytestmark = pytest.mark.django_db
LINE = Line(number=OUR_NUMBER, provider_id="PNdesk")


@pytest.fixture
def client(desk):
    return client_for_sending(line=desk)


def test_message_is_printed_with_its_recipient(client, capsys):
    client.send(line=LINE, to=CALLER, body="Two lines:\nTuesday, 3 p.m.")
    shown = capsys.readouterr().out
    assert f"{OUR_NUMBER} → {CALLER}" in shown
    assert "   Two lines:\n   Tuesday, 3 p.m.\n" in shown


def test_message_is_delivered_by_the_worker(client, acme, capsys):
    sent = client.send(line=LINE, to=CALLER, body="Tuesday?")
    assert not process_next_event()  # not yet
    WebhookEvent._base_manager.update(run_at=timezone.now())
    assert process_next_event()
    with tenant(acme.pk):
        message = Message.objects.get(activity__openphone_id=sent.openphone_id)
    assert (message.status, message.direction, message.body) == ("delivered", "outgoing", "Tuesday?")
    assert (message.from_number, message.to_numbers) == (OUR_NUMBER, [CALLER])
    assert message.phone_line.provider_id == "PNdesk"


@pytest.mark.parametrize("provider", ["twilio", "callrail"])
def test_line_of_another_provider_stays_one_line(acme, capsys, provider):
    line = PhoneLineFactory(company=acme, provider=provider, number=OUR_NUMBER, provider_id="")
    client_for_sending(line=line).send(line=Line(number=OUR_NUMBER, provider_id=""), to=CALLER, body="Tuesday?")
    WebhookEvent._base_manager.update(run_at=timezone.now())
    assert process_next_event()
    with tenant(acme.pk):
        assert Message.objects.get().phone_line == line


def test_only_printed_messages_are_found(client, globex, capsys):
    before = timezone.now() - timedelta(seconds=1)
    client_for_sending(line=PhoneLineFactory(company=globex)).send(line=LINE, to=CALLER, body="Tuesday?")
    client.send(line=LINE, to=CALLER, body="Wednesday?")
    sent = client.send(line=LINE, to=CALLER, body="Tuesday?")
    assert client.find_sent(line=LINE, to=CALLER, body="Tuesday?", since=before) == [sent]
    assert client.find_sent(line=LINE, to=CALLER, body="Tuesday?", since=timezone.now()) == []
