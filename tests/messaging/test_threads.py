"""The API resource `message-threads`."""

from datetime import UTC, datetime, timedelta

import pytest

from crm.db.tenancy import tenant
from crm.models import ContactFlag
from messaging.models import Message
from tests.count_queries import CountQueries
from tests.errors import code_of, detail_of, errors_of
from tests.factories import (
    CallFactory,
    ContactFactory,
    ContactFlagFactory,
    ConversationFactory,
    MessageFactory,
    PhoneLineFactory,
)

START = datetime(2026, 3, 2, 16, tzinfo=UTC)


@pytest.fixture
def thread(acme):
    contact = ContactFactory(company=acme)
    return [MessageFactory(contact=contact, created_at=START + timedelta(minutes=n // 2)) for n in range(5)]


def url(messages):
    return f"/api/v1/message-threads/{messages[0].contact.pk}"


def test_messages_are_listed_oldest_or_newest_first(csr_api, thread):
    MessageFactory(contact=ContactFactory(company=thread[0].company))
    oldest_first = [message.pk for message in thread]
    assert [row["id"] for row in csr_api.get(url(thread)).json()["results"]] == oldest_first
    newest = csr_api.get(url(thread), {"order": "newest", "limit": 2}).json()
    assert [row["id"] for row in newest["results"]] == oldest_first[:-3:-1]
    assert [row["id"] for row in csr_api.get(newest["next"]).json()["results"]] == oldest_first[-3:-5:-1]


def test_query_count_is_independent_of_the_number_of_messages(csr_api, thread):
    for limit in (1, 3):
        with CountQueries() as queries:
            csr_api.get(url(thread), {"limit": limit})
        assert len(queries) == 3  # the contact, the page, its companion


def test_contact_of_another_company_is_not_found(csr_api, globex):
    foreign = MessageFactory(contact=ContactFactory(company=globex))
    assert csr_api.get(url([foreign])).status_code == 404
    assert csr_api.get("/api/v1/message-threads/999999").status_code == 404


def test_unknown_order_is_rejected(csr_api, thread):
    assert list(errors_of(csr_api.get(url(thread), {"order": "random"}))) == ["order"]


def test_message_has_its_user_and_status(csr_api, csr, acme):
    contact = ContactFactory(company=acme)
    MessageFactory(
        contact=contact, direction="outgoing", kind="reply", status="undelivered", error="Landline.",
        error_code="30006", activity__user=csr,
    )  # fmt: skip
    (row,) = csr_api.get(f"/api/v1/message-threads/{contact.pk}").json()["results"]
    fields = {name: row[name] for name in ("user", "kind", "status", "error", "error_code", "read_at")}
    assert fields == {
        "user": csr.pk, "kind": "reply", "status": "undelivered", "error": "Landline.", "error_code": "30006",
        "read_at": None,
    }  # fmt: skip


# --- Replies ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def contact(acme):
    return ContactFactory(company=acme, phone="+12125550101")  # always a valid number


@pytest.fixture
def reply(csr_api, contact):
    def reply(headers=None, **body):
        return csr_api.post(f"/api/v1/message-threads/{contact.pk}", {"body": "On our way."} | body, headers=headers)

    return reply


def test_reply_is_queued(reply, contact, csr, in_acme):
    line = PhoneLineFactory(company=in_acme)
    response = reply()
    assert response.status_code == 202
    message = Message.objects.get()
    assert (message.contact, message.phone_line, message.activity.user) == (contact, line, csr)
    assert (message.kind, message.status, message.body) == ("reply", "queued", "On our way.")
    fields = response.json()
    assert (fields["id"], fields["status"], fields["user"]) == (message.pk, "queued", csr.pk)


def test_reply_uses_the_line_of_the_latest_conversation(reply, contact, in_acme):
    lines = [PhoneLineFactory(company=in_acme) for _ in range(3)]
    for hours, line in zip((1, 3, 2), lines, strict=True):
        ConversationFactory(contact=contact, phone_line=line, last_activity_at=START + timedelta(hours=hours))
    assert reply().json()["phone_line"] == lines[1].pk


def test_reply_opens_a_waiting_conversation(reply, contact, in_acme):
    conversation = ConversationFactory(
        contact=contact, phone_line=PhoneLineFactory(company=in_acme), status="waiting", last_activity_at=START
    )
    assert reply().status_code == 202
    conversation.refresh_from_db()
    assert conversation.status == "open"
    assert conversation.last_activity_at == Message.objects.get().created_at


def test_reply_uses_the_given_line(reply, contact, in_acme):
    lines = [PhoneLineFactory(company=in_acme) for _ in range(2)]
    ConversationFactory(contact=contact, phone_line=lines[0])
    assert reply(phone_line=lines[1].pk).json()["phone_line"] == lines[1].pk


def test_line_is_required_if_several_are_possible(reply, in_acme):
    PhoneLineFactory.create_batch(2, company=in_acme)
    response = reply()
    assert (response.status_code, list(errors_of(response))) == (400, ["phone_line"])
    assert not Message.objects.exists()


@pytest.mark.parametrize("body", ["", " ", "x" * 1601, None, 5])
def test_invalid_body_is_rejected_by_field(reply, in_acme, body):
    PhoneLineFactory(company=in_acme)
    response = reply(body=body)
    assert (response.status_code, list(errors_of(response))) == (400, ["body"])


def test_line_of_another_company_is_rejected(reply, in_acme, globex):
    PhoneLineFactory(company=in_acme)
    response = reply(phone_line=PhoneLineFactory(company=globex).pk)
    assert (response.status_code, list(errors_of(response))) == (400, ["phone_line"])


def test_repeated_idempotency_key_is_one_message(reply, in_acme):
    PhoneLineFactory(company=in_acme)
    first, second = (reply(headers={"Idempotency-Key": "abc"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    assert Message.objects.count() == 1


def test_blocked_reply_has_a_reason(reply, contact, in_acme):
    PhoneLineFactory(company=in_acme)
    ContactFlagFactory(contact=contact, flag_type="do_not_contact")
    response = reply(headers={"Idempotency-Key": "abc"})
    assert response.status_code == 409
    assert (code_of(response), detail_of(response)) == ("do_not_contact", "The contact is flagged as do not contact.")
    assert "retry_at" not in response.json()
    assert not Message.objects.exists()
    ContactFlag.objects.all().delete()
    assert reply(headers={"Idempotency-Key": "abc"}).status_code == 202  # a refusal is not stored under the key


def test_deferred_reply_has_a_retry_time(reply, in_acme):
    PhoneLineFactory(company=in_acme, paused_until=datetime(2999, 1, 1, tzinfo=UTC), pause_reason="No credit.")
    response = reply()
    assert (code_of(response), response.json()["retry_at"]) == ("line_paused", "2999-01-01T00:00:00Z")
    assert not Message.objects.exists()


def test_outsider_cannot_reply(outsider_api, contact, acme, globex):
    for company in (acme, globex):
        PhoneLineFactory(company=company)
    assert outsider_api.post(f"/api/v1/message-threads/{contact.pk}", {"body": "Hi."}).status_code == 404


def test_rep_reads_but_cannot_reply(rep_api, rep, contact):
    CallFactory(contact=contact, assigned_rep=rep)
    url = f"/api/v1/message-threads/{contact.pk}"
    assert rep_api.get(url).status_code == 200
    assert rep_api.post(url, {"body": "Hi."}).status_code == 403
    assert rep_api.post(f"{url}/read").status_code == 403


# --- Read marks -------------------------------------------------------------------------------------------------------


def test_reading_marks_all_incoming_messages(csr_api, thread, acme):
    sent = MessageFactory(contact=thread[0].contact, direction="outgoing", status="sent")
    stranger = MessageFactory(contact=ContactFactory(company=acme))
    assert csr_api.post(f"{url(thread)}/read").json() == {"read": 5}
    assert csr_api.post(f"{url(thread)}/read").json() == {"read": 0}
    with tenant(acme.pk):
        unread = set(Message.objects.filter(read_at=None).values_list("pk", flat=True))
    assert unread == {sent.pk, stranger.pk}


def test_outsider_cannot_mark_messages_as_read(outsider_api, thread, acme):
    assert outsider_api.post(f"{url(thread)}/read").status_code == 404
    with tenant(acme.pk):
        assert Message.objects.unread().count() == 5


def test_latest_incoming_message_becomes_unread(csr_api, acme):
    contact = ContactFactory(company=acme)
    moments = [START - timedelta(hours=n) for n in (3, 2, 1)]
    for moment in moments:
        MessageFactory(contact=contact, created_at=moment, read_at=moment)
    MessageFactory(contact=contact, direction="outgoing", status="sent", read_at=None)
    thread = f"/api/v1/message-threads/{contact.pk}"
    assert [csr_api.post(f"{thread}/unread").json() for _ in range(2)] == [{"unread": 1}] * 2
    with tenant(acme.pk):
        assert list(Message.objects.unread().values_list("created_at", flat=True)) == [moments[-1]]
    assert csr_api.post(f"{thread}/read").json() == {"read": 1}


def test_thread_without_incoming_messages_has_nothing_to_mark(csr_api, acme):
    contact = ContactFactory(company=acme)
    assert csr_api.post(f"/api/v1/message-threads/{contact.pk}/unread").json() == {"unread": 0}
