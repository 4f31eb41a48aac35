"""Webhook events and provider lists that name archived rows again, and conversations that nobody closed."""

import json
from datetime import timedelta

import pytest
from django.utils.timezone import now

from calls.models import Call, CallDetail, MissedCaller
from crm.db.tenancy import all_tenants, tenant
from crm.models import Activity, ArchivedId, Conversation
from crm.services.archived_ids import ActivityArchived
from crm.services.idle_conversations import close_idle_conversations
from messaging.models import Message, WebhookEvent
from messaging.providers.registry import PROVIDERS
from messaging.services.inbound.webhook_processing import record_event
from ops.archive.restore import find_archives, restore_archive
from tests import factories
from tests.messaging.payloads import call_v4, message_v4, post_event
from tests.messaging.worker_rounds import process_next_event
from tests.ops.archive.fixture import DAY, OLD, archive, dashboard

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def process_all():
    while process_next_event():
        pass


@pytest.fixture
def bodies(acme, client, tmp_path):
    """Record a call and a message of long ago from legacy events, and archive everything."""
    factories.WebhookSecretFactory(company=acme)
    bodies = [call_v4(), message_v4()]
    for body in bodies:
        assert post_event(client, body).json()["status"] == "accepted"
    process_all()
    old = now() - OLD
    with all_tenants():
        assert (Call.objects.count(), Message.objects.count()) == (1, 1)
        for model in (Activity, Call, Message):
            model.objects.update(created_at=old)
        CallDetail.objects.update(created_at=old)
        WebhookEvent.objects.update(created_at=old)
        MissedCaller.objects.update(last_missed_at=old, recovered_at=old, recovered_by="reply")
        Conversation.objects.update(last_activity_at=old)
    archive(acme, tmp_path)
    with all_tenants():
        assert not Call.objects.exists()
        assert not Message.objects.exists()
        assert not WebhookEvent.objects.exists()
    return bodies


def rows():
    models = (Activity, Call, CallDetail, Message, MissedCaller)
    with all_tenants():
        return {model.__name__: model.objects.count() for model in models}


@pytest.mark.parametrize("changes", [{}, {"id": "EVanother"}], ids=["the same event", "another event"])
def test_event_about_an_archived_call_or_message_is_ignored(acme, client, bodies, changes):
    before = rows(), dashboard(acme)
    for body in bodies:
        changed = {name: f"{value}-{body['type']}" for name, value in changes.items()}
        assert post_event(client, body | changed).json()["status"] == "accepted"
    process_all()
    assert (rows(), dashboard(acme)) == before
    with all_tenants():
        found = list(WebhookEvent.objects.values_list("status", "error"))
    assert found == [("ignored", "The call or message is archived; restore it to change it.")] * 2


def test_archived_call_of_a_provider_s_list_is_refused(acme, bodies):
    webhook = PROVIDERS["openphone"].webhook
    envelope = webhook.read_envelope(json.dumps(bodies[0]).encode(), {})
    event = webhook.read_event(envelope, received_at=now())
    with tenant(acme.pk), pytest.raises(ActivityArchived):
        record_event(provider="openphone", event=event)


def test_restored_call_can_be_changed_by_events_again(acme, client, bodies, tmp_path):
    [found] = find_archives(tmp_path)
    restore_archive(found)
    post_event(client, bodies[0] | {"id": "EVanother"})
    process_all()
    with all_tenants():
        assert WebhookEvent.objects.get(event_id="EVanother").status == "processed"
        assert Call.objects.count() == 1


def test_archived_id_of_another_company_is_not_known(acme, globex, client, bodies):
    factories.WebhookSecretFactory(company=globex)
    with tenant(globex.pk):
        assert not ArchivedId.objects.exists()
    assert post_event(client, bodies[0], company="globex").json()["status"] == "accepted"


def test_conversation_that_nobody_closed_is_archived_by_age(acme, tmp_path):
    contact = factories.ContactFactory(company=acme)
    conversations = {
        status: factories.ConversationFactory(
            contact=contact, status=status, last_activity_at=now() - OLD, phone_line__company=acme
        )
        for status in ("open", "waiting")
    }
    for conversation in conversations.values():
        factories.ActivityFactory(
            contact=contact, company=acme, conversation=conversation, created_at=now() - OLD, body="Old"
        )
    dry = archive(acme, tmp_path, dry_run=True)
    assert dry.kept["activities", "in open conversations"] == 2
    assert archive(acme, tmp_path).rows["activities"] == 2
    with tenant(acme.pk):
        assert set(Conversation.objects.values_list("status", flat=True)) == {"closed"}


def test_conversation_is_closed_at_the_company_s_age(acme, globex):
    acme.close_conversations_after_days = 30
    acme.save()
    globex.close_conversations_after_days = None
    globex.save()
    young, idle = (
        factories.ConversationFactory(contact__company=acme, last_activity_at=now() - days * DAY) for days in (29, 31)
    )
    never = factories.ConversationFactory(contact__company=globex, last_activity_at=now() - timedelta(days=9999))
    assert [close_idle_conversations(company=company) for company in (acme, globex)] == [1, 0]
    with all_tenants():
        statuses = [Conversation.objects.get(pk=row.pk).status for row in (young, idle, never)]
    assert statuses == ["open", "closed", "open"]
