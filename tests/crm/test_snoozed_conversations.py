"""Snoozed conversations: they leave the inbox, and come back at their time or with news from the contact."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm.db.tenancy import tenant
from crm.models import Conversation
from crm.services.inbox import close_conversation, is_wake_up_due, snooze_conversation, wake_next_conversations
from crm.services.merging.merge import merge_contacts
from crm.services.merging.undo import undo_merge
from tests.api.feed import Client
from tests.errors import code_of, errors_of
from tests.factories import ContactFactory, ConversationFactory, MessageFactory

URL = "/api/v1/conversations"
DAY = timedelta(days=1)


@pytest.fixture
def conversation(in_acme):
    return ConversationFactory(contact=ContactFactory(company=in_acme), status="waiting")


@pytest.fixture
def snooze(csr_api, conversation):
    def snooze(until=None, **body):
        body = {"status": "snoozed", "snoozed_until": until and until.isoformat()} | body
        return csr_api.patch(f"{URL}/{conversation.pk}", body)

    return snooze


def let_its_time_come(conversation):
    Conversation.objects.filter(pk=conversation.pk).update(snoozed_until=timezone.now())


def state_of(conversation):
    conversation.refresh_from_db()
    return conversation.status, conversation.snoozed_until


def test_snoozed_conversation_leaves_the_inbox(snooze, csr_api, conversation):
    until = timezone.now() + DAY
    response = snooze(until)
    assert (response.status_code, response.json()["status"]) == (200, "snoozed")
    assert response.json()["snoozed_until"] == until.isoformat().replace("+00:00", "Z")
    inbox = csr_api.get(URL, {"status": ["open", "waiting"]}).json()["results"]
    snoozed = csr_api.get(URL, {"status": "snoozed"}).json()["results"]
    assert ([row["id"] for row in inbox], [row["id"] for row in snoozed]) == ([], [conversation.pk])


def test_it_waits_again_at_its_time(snooze, conversation):
    snooze(timezone.now() + DAY)
    assert not is_wake_up_due()
    assert not wake_next_conversations()
    let_its_time_come(conversation)
    assert is_wake_up_due()
    assert wake_next_conversations()
    assert state_of(conversation) == ("waiting", None)
    assert not wake_next_conversations()


def test_conversations_of_all_companies_wake(conversation, globex):
    due = {"status": "snoozed", "snoozed_until": timezone.now()}
    ConversationFactory(contact=ContactFactory(company=globex), **due)
    Conversation.objects.filter(pk=conversation.pk).update(**due)
    assert [wake_next_conversations() for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"snoozed_until": "2020-01-01T00:00:00Z"}, "snoozed_until"),
        ({"snoozed_until": "2099-01-01T00:00:00Z"}, "snoozed_until"),
        ({"snoozed_until": "2027-01-01T00:00:00"}, "snoozed_until"),  # no offset
        ({"snoozed_until": 7}, "snoozed_until"),
        ({"status": "asleep"}, "status"),
    ],
)
def test_invalid_snooze_is_named(snooze, conversation, body, field):
    response = snooze(**body)
    assert (response.status_code, list(errors_of(response))) == (400, [field])
    assert state_of(conversation) == ("waiting", None)


@pytest.mark.parametrize("body", [{"snoozed_until": (timezone.now() + DAY).isoformat()}, {"status": "open"}])
def test_only_a_snoozed_conversation_has_a_time(csr_api, conversation, body):
    until = {"snoozed_until": (timezone.now() + DAY).isoformat()}
    response = csr_api.patch(f"{URL}/{conversation.pk}", body | until)
    assert (response.status_code, code_of(response)) == (400, "not_allowed")
    assert state_of(conversation) == ("waiting", None)


def test_another_status_ends_the_snooze(snooze, csr_api, conversation, csr):
    snooze(timezone.now() + DAY)
    assert csr_api.patch(f"{URL}/{conversation.pk}", {"status": "open"}).json()["snoozed_until"] is None
    snooze_conversation(conversation=conversation, until=timezone.now() + DAY, user=csr)
    close_conversation(conversation=conversation, user=csr)
    assert state_of(conversation) == ("closed", None)


def test_other_fields_leave_the_snooze(snooze, csr_api, conversation, csr):
    snooze(timezone.now() + DAY)
    before = state_of(conversation)
    assert csr_api.patch(f"{URL}/{conversation.pk}", {"assignee": csr.pk}).status_code == 200
    assert state_of(conversation) == before


@pytest.mark.django_db(transaction=True)
def test_feed_tells_of_the_snooze_and_of_its_end(acme, csr, manager):
    conversation = ConversationFactory(contact=ContactFactory(company=acme))
    client = Client(manager)
    with tenant(acme.pk):
        snooze_conversation(conversation=conversation, until=timezone.now() + DAY, user=csr)
    assert client.poll() == [("conversations", conversation.pk, "updated")]
    with tenant(acme.pk):
        let_its_time_come(conversation)
    client.poll()
    assert wake_next_conversations()
    assert client.poll() == [("conversations", conversation.pk, "updated")]


@pytest.mark.parametrize("kept_is_newer", [True, False])
def test_merge_ends_a_snooze_until_a_time_and_its_undoing_brings_it_back(conversation, csr, kept_is_newer):
    until, now = timezone.now() + DAY, timezone.now()
    gone = ContactFactory(company=conversation.company)
    ConversationFactory(
        contact=gone, phone_line=conversation.phone_line, status="open",
        last_activity_at=now - DAY if kept_is_newer else now + DAY,
    )  # fmt: skip
    Conversation.objects.filter(pk=conversation.pk).update(status="snoozed", snoozed_until=until, last_activity_at=now)
    merge = merge_contacts(kept=conversation.contact, gone=gone, user=csr)
    assert state_of(conversation) == ("waiting" if kept_is_newer else "open", None)
    undo_merge(merge=merge, user=csr)
    assert state_of(conversation) == ("snoozed", until)


def test_unread_message_of_a_snoozed_conversation_is_still_unread(snooze, csr_api, conversation):
    MessageFactory(contact=conversation.contact, phone_line=conversation.phone_line)
    snooze(timezone.now() + DAY)
    assert csr_api.get(f"{URL}/{conversation.pk}").json()["unread"] == 1
