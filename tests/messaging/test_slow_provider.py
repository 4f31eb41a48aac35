"""A provider that doesn't answer for as long as a call may last: nobody else waits, in a session or a queue."""

import threading

import pytest
from django.db import connection
from django.test import Client

from crm.db.tenancy import all_tenants, tenant
from messaging.models import Message, WebhookEvent
from messaging.services.outbound.outbox import queue_message
from messaging.services.outbound.sending import send_next_messages
from messaging.services.outbound.unknown_sends import look_up_next_message
from tests.conftest import postgres_only
from tests.db.scratch import wait_until
from tests.factories import ContactFactory, WebhookEventFactory, WebhookSecretFactory
from tests.messaging.clocks import zone_with_hour
from tests.messaging.payloads import message_v4, post_event
from tests.messaging.test_sending_workers import line, provider, start_sender  # noqa: F401  # fixtures
from tests.messaging.test_workers import finish
from tests.messaging.worker_rounds import process_next_event
from tests.provider_server import hang

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PHONE = "+12125550142"


@pytest.fixture
def message(line):  # noqa: F811
    contact = ContactFactory(company=line.company, phone=PHONE, timezone=zone_with_hour(14))
    with tenant(line.company_id):
        return queue_message(contact=contact, line=line, body="On our way.", kind="reply")


def in_thread(work):
    def run():
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def open_transactions():
    """Return the other sessions of this database that are in a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, query FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND xact_start IS NOT NULL"
        )
        return cursor.fetchall()


def calls(provider, method):  # noqa: F811
    return [request for request in provider.requests if request.method == method]


@postgres_only
@pytest.mark.parametrize("kind", ["send", "lookup"])
def test_no_session_is_in_a_transaction_while_a_provider_is_called(provider, message, kind):  # noqa: F811
    if kind == "send":
        provider.fail_sends(hang(accepts=False))
        work, method = send_next_messages, "POST"
    else:
        with all_tenants():
            Message.objects.update(status="unknown")
        provider.fail_reads(hang(accepts=False))
        work, method = look_up_next_message, "GET"
    thread = in_thread(work)
    wait_until(lambda: calls(provider, method))
    assert open_transactions() == []
    provider.close()
    thread.join()


def test_stop_is_recorded_while_the_provider_has_the_message_of_its_number(provider, message):  # noqa: F811
    WebhookSecretFactory(company=message.company)
    provider.fail_sends(hang(accepts=True))
    thread = in_thread(send_next_messages)
    wait_until(lambda: calls(provider, "POST"))
    post_event(Client(), message_v4(sender=PHONE, to=["+12125550180"], text="STOP"))
    assert process_next_event()
    with all_tenants():
        assert WebhookEvent.objects.get().status == "processed"
        assert Message.objects.get(pk=message.pk).status == "sending"
    provider.close()
    thread.join()


def test_worker_processes_deliveries_while_a_provider_does_not_answer(provider, message):  # noqa: F811
    provider.fail_sends(hang(accepts=True))
    worker = start_sender(provider)
    wait_until(lambda: calls(provider, "POST"))
    WebhookEventFactory(company=message.company, body=b'{"type": "task.assigned"}')

    def is_processed():
        with all_tenants():
            return WebhookEvent.objects.filter(processed=True).exists()

    wait_until(is_processed)
    with all_tenants():
        assert Message.objects.get(pk=message.pk).status == "sending"
    provider.close()
    worker.terminate()
    finish(worker)
