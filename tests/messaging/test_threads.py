"""The thread of texts with one contact."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.factories import ContactFactory, MessageFactory
from tests.statements import StatementsAsked

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
        with StatementsAsked() as queries:
            csr_api.get(url(thread), {"limit": limit})
        assert len(queries) == 2  # the contact, the page


def test_a_contact_of_another_company_has_no_thread_here(csr_api, globex):
    foreign = MessageFactory(contact=ContactFactory(company=globex))
    assert csr_api.get(url([foreign])).status_code == 404
    assert csr_api.get("/api/v1/message-threads/999999").status_code == 404


def test_an_order_that_does_not_exist_is_refused(csr_api, thread):
    assert list(csr_api.get(url(thread), {"order": "random"}).json()) == ["order"]


def test_sending_is_not_built_yet_and_says_so(csr_api, thread):
    assert csr_api.post(url(thread), {"body": "On our way."}).status_code == 405
