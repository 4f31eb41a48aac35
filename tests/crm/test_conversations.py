"""Conversations in the API: unread messages, assignee and status."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from crm.db.tenancy import tenant
from crm.models import Conversation
from crm.services.conversations import open_conversation
from tests.count_queries import CountQueries
from tests.errors import errors_of
from tests.factories import (
    CallFactory,
    ContactFactory,
    ConversationFactory,
    MessageFactory,
    PhoneLineFactory,
    UserFactory,
)

URL = "/api/v1/conversations"
START = datetime(2026, 3, 2, 16, tzinfo=UTC)


@pytest.fixture
def conversations(acme):
    """Three conversations whose latest activities are in the reverse order of their creation."""
    return [
        ConversationFactory(
            contact=ContactFactory(company=acme),
            created_at=START + timedelta(hours=n),
            last_activity_at=START + timedelta(days=9 - n),
        )
        for n in range(3)
    ]


def receive(conversation, **values):
    return MessageFactory(contact=conversation.contact, phone_line=conversation.phone_line, **values)


def ids(response):
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["results"]]


def test_conversation_counts_unread_messages(csr_api, conversations):
    first, second, third = conversations
    receive(first)
    receive(first)
    receive(first, read_at=START)
    receive(first, direction="outgoing", status="sent")
    receive(second, read_at=START)
    other_line = PhoneLineFactory(company=third.company)
    MessageFactory(contact=third.contact, phone_line=other_line)
    unread = {row["id"]: row["unread"] for row in csr_api.get(URL).json()["results"]}
    assert unread == {first.pk: 2, second.pk: 0, third.pk: 0}
    assert ids(csr_api.get(URL, {"unread": "true"})) == [first.pk]
    assert ids(csr_api.get(URL, {"unread": "false"})) == [third.pk, second.pk]
    assert csr_api.get(f"{URL}/{first.pk}").json()["unread"] == 2


def test_page_of_unread_conversations_takes_as_many_queries_as_any(csr_api, conversations):
    receive(conversations[0])
    with CountQueries() as queries:
        csr_api.get(URL, {"unread": "true", "order": "recent"})
    assert len(queries) == 5  # conversations, contacts, lines, last messages, unread; nobody is assigned


def test_recent_order_begins_with_the_latest_activity(csr_api, conversations):
    first, second, third = (row.pk for row in conversations)
    assert ids(csr_api.get(URL)) == [third, second, first]
    page = csr_api.get(URL, {"order": "recent", "limit": 2})
    assert ids(page) == [first, second]
    assert ids(csr_api.get(page.json()["next"])) == [third]
    assert list(errors_of(csr_api.get(URL, {"order": "random"}))) == ["order"]


def test_conversation_can_be_assigned_and_closed(csr_api, csr, conversations):
    first, *_ = conversations
    response = csr_api.patch(f"{URL}/{first.pk}", {"status": "closed", "assignee": csr.pk})
    assert (response.status_code, response.json()["status"], response.json()["assignee"]) == (200, "closed", csr.pk)
    assert ids(csr_api.get(URL, {"status": "closed"})) == ids(csr_api.get(URL, {"assignee": csr.pk})) == [first.pk]
    assert first.pk not in ids(csr_api.get(URL, {"status": "open"}))
    assert csr_api.patch(f"{URL}/{first.pk}", {"assignee": None}).json()["assignee"] is None


@pytest.mark.parametrize("who", ["user of another company", "inactive user"])
def test_assignment_to_another_company_or_an_inactive_user_is_refused(csr_api, conversations, acme, globex, who):
    user = (
        UserFactory(company=globex) if who == "user of another company" else UserFactory(company=acme, is_active=False)
    )
    response = csr_api.patch(f"{URL}/{conversations[0].pk}", {"assignee": user.pk})
    assert (response.status_code, list(errors_of(response))) == (400, ["assignee"])
    with tenant(acme.pk):
        assert not Conversation.objects.exclude(assignee=None).exists()


def test_contact_of_a_conversation_cannot_be_changed(csr_api, conversations, acme):
    first, second, _ = conversations
    assert csr_api.patch(f"{URL}/{first.pk}", {"contact": second.contact_id}).status_code in (200, 400)
    with tenant(acme.pk):
        assert Conversation.objects.get(pk=first.pk).contact_id == first.contact_id


def test_conversation_of_another_company_is_not_found(outsider_api, conversations):
    assert outsider_api.patch(f"{URL}/{conversations[0].pk}", {"status": "closed"}).status_code == 404


def test_call_without_an_activity_is_no_obstacle_to_a_new_conversation(acme):
    contact, line = ContactFactory(company=acme), PhoneLineFactory(company=acme)
    CallFactory(contact=contact, direction="outgoing", from_number=line.number, to_number=contact.phone)
    with tenant(acme.pk):
        conversation = open_conversation(line, contact, timezone.now())
        assert list(Conversation.objects.all()) == [conversation]
