"""Constraints of messages, webhook events and secrets."""

import pytest

from messaging.choices import EventStatus
from messaging.models import Message, WebhookEvent
from messaging.models.webhooks import DONE
from tests.database_errors import refused
from tests.factories import MessageFactory, WebhookEventFactory, WebhookSecretFactory


def test_event_id_is_unique_within_company_and_provider(acme, globex):
    WebhookEventFactory(company=acme, event_id="EV1")
    WebhookEventFactory(company=globex, event_id="EV1")
    WebhookEventFactory(company=acme, event_id="EV1", provider="twilio")
    with refused("webhook_events"):
        WebhookEventFactory(company=acme, event_id="EV1")


@pytest.mark.parametrize("status", EventStatus.values)
def test_processed_agrees_with_the_status(in_acme, status):
    WebhookEventFactory(company=in_acme, status=status, processed=status in DONE)
    with refused("webhook_events_processed_agrees_with_status"):
        WebhookEvent.objects.update(processed=status not in DONE)


def test_ignored_event_is_processed_and_dead_event_is_not_pending(in_acme):
    WebhookEventFactory(company=in_acme, event_id="ignored", status="ignored", processed=True)
    WebhookEventFactory(company=in_acme, event_id="dead", status="dead", processed=False)
    assert WebhookEvent.objects.get(processed=True).event_id == "ignored"
    assert not WebhookEvent.objects.waiting().exists()


def test_body_is_stored_byte_for_byte(in_acme):
    body = bytes(range(256))
    WebhookEventFactory(company=in_acme, body=body)
    assert bytes(WebhookEvent.objects.get().body) == body


def test_tries_are_not_negative(in_acme):
    WebhookEventFactory(company=in_acme)
    with refused("tries"):
        WebhookEvent.objects.update(tries=-1)


def test_secret_is_unique_within_a_provider(acme, globex):
    WebhookSecretFactory(company=acme)
    WebhookSecretFactory(company=globex)
    WebhookSecretFactory(company=acme, provider="twilio")
    WebhookSecretFactory(company=acme, secret="bmV3IG9uZSBkdXJpbmcgYSByb3RhdGlvbg==")
    with refused("webhook_secrets"):
        WebhookSecretFactory(company=acme)


def test_secret_does_not_show_in_its_name(acme):
    secret = WebhookSecretFactory(company=acme)
    assert secret.secret not in str(secret)


def test_activity_has_one_message(in_acme):
    message = MessageFactory(contact__company=in_acme)
    with refused("activity_id"):
        MessageFactory(contact=message.contact, activity=message.activity)
    assert Message.objects.get() == message
