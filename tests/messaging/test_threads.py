"""The thread of texts with one contact."""

from datetime import UTC, datetime, timedelta

import pytest

from crm.db.tenancy import tenant
from crm.models import ContactFlag
from messaging.models import Message
from tests.count_queries import CountQueries
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


def test_a_thread_reads_from_the_oldest_or_the_newest(csr_api, thread):
    MessageFactory(contact=ContactFactory(company=thread[0].company))
    oldest_first = [message.pk for message in thread]
    assert [row["id"] for row in csr_api.get(url(thread)).json()["results"]] == oldest_first
    newest = csr_api.get(url(thread), {"order": "newest", "limit": 2}).json()
    assert [row["id"] for row in newest["results"]] == oldest_first[:-3:-1]
    assert [row["id"] for row in csr_api.get(newest["next"]).json()["results"]] == oldest_first[-3:-5:-1]


def test_a_thread_costs_the_same_statements_at_any_length(csr_api, thread):
    for limit in (1, 3):
        with CountQueries() as queries:
            csr_api.get(url(thread), {"limit": limit})
        assert len(queries) == 2  # the contact, the page


def test_a_contact_of_another_company_has_no_thread_here(csr_api, globex):
    foreign = MessageFactory(contact=ContactFactory(company=globex))
    assert csr_api.get(url([foreign])).status_code == 404
    assert csr_api.get("/api/v1/message-threads/999999").status_code == 404


def test_an_order_that_does_not_exist_is_refused(csr_api, thread):
    assert list(csr_api.get(url(thread), {"order": "random"}).json()) == ["order"]


def test_a_text_says_who_of_us_wrote_it_and_how_far_it_got(csr_api, csr, acme):
    contact = ContactFactory(company=acme)
    MessageFactory(
        contact=contact, direction="outgoing", kind="reply", status="undelivered", error="Landline.",
        error_code="30006", activity__user=csr,
    )  # fmt: skip
    (row,) = csr_api.get(f"/api/v1/message-threads/{contact.pk}").json()["results"]
    told = {name: row[name] for name in ("user", "kind", "status", "error", "error_code", "read_at")}
    assert told == {
        "user": csr.pk, "kind": "reply", "status": "undelivered", "error": "Landline.", "error_code": "30006",
        "read_at": None,
    }  # fmt: skip


# --- Replies ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def contact(acme):
    return ContactFactory(company=acme, phone="+12125550101")  # a valid number, whatever ran before


@pytest.fixture
def reply(csr_api, contact):
    def reply(headers=None, **body):
        return csr_api.post(f"/api/v1/message-threads/{contact.pk}", {"body": "On our way."} | body, headers=headers)

    return reply


def test_a_reply_is_taken_into_the_queue(reply, contact, csr, in_acme):
    line = PhoneLineFactory(company=in_acme)
    response = reply()
    assert response.status_code == 202
    message = Message.objects.get()
    assert (message.contact, message.phone_line, message.activity.user) == (contact, line, csr)
    assert (message.kind, message.status, message.body) == ("reply", "queued", "On our way.")
    told = response.json()
    assert (told["id"], told["status"], told["user"]) == (message.pk, "queued", csr.pk)


def test_it_goes_over_the_line_that_the_contact_spoke_over_last(reply, contact, in_acme):
    lines = [PhoneLineFactory(company=in_acme) for _ in range(3)]
    for hours, line in zip((1, 3, 2), lines, strict=True):
        ConversationFactory(contact=contact, phone_line=line, last_activity_at=START + timedelta(hours=hours))
    assert reply().json()["phone_line"] == lines[1].pk


def test_a_conversation_that_waits_for_us_does_not_after_a_reply(reply, contact, in_acme):
    conversation = ConversationFactory(
        contact=contact, phone_line=PhoneLineFactory(company=in_acme), status="waiting", last_activity_at=START
    )
    assert reply().status_code == 202
    conversation.refresh_from_db()
    assert conversation.status == "open"
    assert conversation.last_activity_at == Message.objects.get().created_at


def test_it_goes_over_the_line_that_is_named(reply, contact, in_acme):
    lines = [PhoneLineFactory(company=in_acme) for _ in range(2)]
    ConversationFactory(contact=contact, phone_line=lines[0])
    assert reply(phone_line=lines[1].pk).json()["phone_line"] == lines[1].pk


def test_a_line_has_to_be_named_where_any_could_be_meant(reply, in_acme):
    PhoneLineFactory.create_batch(2, company=in_acme)
    response = reply()
    assert (response.status_code, list(response.json())) == (400, ["phone_line"])
    assert not Message.objects.exists()


@pytest.mark.parametrize("body", ["", " ", "x" * 1601, None, 5])
def test_a_body_that_is_no_text_is_refused_by_name(reply, in_acme, body):
    PhoneLineFactory(company=in_acme)
    response = reply(body=body)
    assert (response.status_code, list(response.json())) == (400, ["body"])


def test_another_company_s_line_is_not_there(reply, in_acme, globex):
    PhoneLineFactory(company=in_acme)
    response = reply(phone_line=PhoneLineFactory(company=globex).pk)
    assert (response.status_code, list(response.json())) == (400, ["phone_line"])


def test_a_reply_sent_again_with_its_key_is_one_text(reply, in_acme):
    PhoneLineFactory(company=in_acme)
    first, second = (reply(headers={"Idempotency-Key": "abc"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    assert Message.objects.count() == 1


def test_a_reply_that_may_never_go_says_why(reply, contact, in_acme):
    PhoneLineFactory(company=in_acme)
    ContactFlagFactory(contact=contact, flag_type="do_not_contact")
    response = reply(headers={"Idempotency-Key": "abc"})
    assert response.status_code == 409
    assert response.json() == {"detail": "The contact is flagged as do not contact.", "retry_at": None}
    assert not Message.objects.exists()
    ContactFlag.objects.all().delete()
    assert reply(headers={"Idempotency-Key": "abc"}).status_code == 202  # a refusal is not kept


def test_a_reply_that_may_go_later_says_when(reply, in_acme):
    PhoneLineFactory(company=in_acme, paused_until=datetime(2999, 1, 1, tzinfo=UTC), pause_reason="No credit.")
    response = reply()
    assert (response.status_code, response.json()["retry_at"]) == (409, "2999-01-01T00:00:00Z")
    assert not Message.objects.exists()


def test_nobody_replies_to_another_company_s_contact(outsider_api, contact, acme, globex):
    for company in (acme, globex):
        PhoneLineFactory(company=company)
    assert outsider_api.post(f"/api/v1/message-threads/{contact.pk}", {"body": "Hi."}).status_code == 404


def test_a_rep_reads_and_does_not_text(rep_api, rep, contact):
    CallFactory(contact=contact, assigned_rep=rep)
    url = f"/api/v1/message-threads/{contact.pk}"
    assert rep_api.get(url).status_code == 200
    assert rep_api.post(url, {"body": "Hi."}).status_code == 403
    assert rep_api.post(f"{url}/read").status_code == 403


# --- Read and unread --------------------------------------------------------------------------------------------------


def test_who_reads_a_thread_marks_all_that_came_in(csr_api, thread, acme):
    sent = MessageFactory(contact=thread[0].contact, direction="outgoing", status="sent")
    stranger = MessageFactory(contact=ContactFactory(company=acme))
    assert csr_api.post(f"{url(thread)}/read").json() == {"read": 5}
    assert csr_api.post(f"{url(thread)}/read").json() == {"read": 0}
    with tenant(acme.pk):
        unread = set(Message.objects.filter(read_at=None).values_list("pk", flat=True))
    assert unread == {sent.pk, stranger.pk}


def test_another_company_s_thread_stays_unread(outsider_api, thread, acme):
    assert outsider_api.post(f"{url(thread)}/read").status_code == 404
    with tenant(acme.pk):
        assert Message.objects.unread().count() == 5
