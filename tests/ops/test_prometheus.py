"""Prometheus metrics: access and values."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.test import Client
from django.utils.timezone import now
from prometheus_client.parser import text_string_to_metric_families

from crm.db.tenancy import all_tenants
from messaging.models import WebhookEvent
from messaging.services.inbound.webhook_processing import process_due_events
from tests import factories
from tests.conftest import postgres_only
from tests.count_queries import CountQueries
from tests.db.scratch import wait_until

TOKEN = "one-that-only-prometheus-knows"


@pytest.fixture
def scrape(client, db, settings):
    """Return a function that reads the metrics by name and labels, as Prometheus does."""
    settings.METRICS_TOKEN = TOKEN

    def read():
        response = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert response.status_code == 200
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(response.content.decode())
            for sample in family.samples
        }

    return read


@pytest.fixture
def frozen_now(monkeypatch):
    """Freeze the clock that ages are measured with."""
    moment = now()
    monkeypatch.setattr("ops.prometheus.queues.now", lambda: moment)
    return moment


def test_metrics_are_not_found_without_a_token_in_the_settings(client, db, settings):
    settings.METRICS_TOKEN = ""
    settings.DEBUG = False
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {TOKEN}"}):
        response = client.get("/metrics", headers=headers)
        assert response.status_code == 404
        assert response.content == client.get("/nowhere").content
    assert Client(enforce_csrf_checks=True).post("/metrics").status_code == 404


@pytest.mark.parametrize(
    "header",
    [None, "", TOKEN, "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", "Bearer ü"],
)
def test_wrong_token_is_rejected(header, client, db, settings):
    settings.METRICS_TOKEN = TOKEN
    response = client.get("/metrics", headers={"Authorization": header} if header is not None else {})
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert not response.content


def test_response_must_not_be_stored(client, db, settings):
    settings.METRICS_TOKEN = TOKEN
    response = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert response["Cache-Control"] == "no-store"


def test_outbox_is_counted_by_status_over_all_companies(scrape, frozen_now, acme, globex):
    due, later = frozen_now - timedelta(seconds=90), frozen_now + timedelta(hours=1)
    for company, status, run_at in [
        (acme, "queued", due), (globex, "queued", later), (acme, "sending", later), (globex, "unknown", later),
        (acme, "sent", None),
    ]:  # fmt: skip
        factories.MessageFactory(
            contact__company=company, direction="outgoing", kind="reply", status=status, run_at=run_at
        )
    metrics = scrape()
    assert [metrics["crm_texts", status] for status in ("queued", "sending", "unknown")] == [2, 1, 1]
    assert metrics[("crm_texts_oldest_due_seconds",)] == 90


def test_missed_callers_are_counted_until_they_are_reached(scrape, acme, globex):
    factories.MissedCallerFactory(contact__company=acme, text_back="due")
    factories.MissedCallerFactory(contact__company=globex)
    factories.MissedCallerFactory(contact__company=globex, recovered_at=now(), recovered_by="reply")
    factories.MissedCallerFactory(contact__company=globex, text_back="failed", recovered_at=now(), recovered_by="reply")
    metrics = scrape()
    assert metrics[("crm_missed_callers_waiting",)] == 2
    assert metrics[("crm_missed_callers_texts_failed",)] == 1
    assert metrics[("crm_missed_callers_texts_due",)] == 1


def test_rows_with_internal_errors_are_counted(scrape, acme, globex):
    for tries in (0, 2):
        factories.MessageFactory(
            contact__company=acme, direction="outgoing", kind="reply", status="queued", run_at=now(), tries=tries
        )
    factories.CallRollupFactory(company=acme, tries=1, error="OverflowError")
    factories.CallRollupFactory(company=globex)
    factories.MailFactory(state="failed")
    factories.MailFactory(state="failed", created_at=now() - timedelta(days=2))
    factories.MailFactory(attempts=3)
    metrics = scrape()
    assert metrics[("crm_texts_failing",)] == 1
    assert metrics[("crm_mails_failed",)] == 1
    assert metrics[("crm_rollups_failing",)] == 1


def test_failing_file_moves_are_counted_if_there_is_a_file_storage(scrape, acme, settings):
    factories.StoredObjectFactory(company=acme, error="OSError: No space left on device")
    factories.StoredObjectFactory(company=acme)
    assert scrape()[("crm_file_moves_failing",)] == 0
    settings.STORAGES = settings.STORAGES | {"files": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
    assert scrape()[("crm_file_moves_failing",)] == 1


def test_webhook_events_are_counted_by_status(scrape, frozen_now, acme, globex):
    long_ago = frozen_now - timedelta(minutes=20)
    factories.WebhookEventFactory(company=acme, created_at=long_ago, tries=2)
    factories.WebhookEventFactory(company=globex, provider="twilio")
    factories.WebhookEventFactory(company=globex, provider="twilio", status="processed", processed=True)
    factories.WebhookEventFactory(company=globex, status="ignored", processed=True, created_at=long_ago)
    factories.WebhookEventFactory.create_batch(3, company=acme, status="dead", created_at=long_ago)
    metrics = scrape()
    assert metrics["crm_webhook_events", "pending"] == 2
    assert metrics["crm_webhook_events", "dead"] == 3
    assert metrics[("crm_webhook_events_failing",)] == 1
    assert metrics[("crm_webhook_oldest_pending_seconds",)] == 1200


def test_ended_webhook_events_are_counted_for_ever(scrape, acme, globex, client):
    def ended():
        metrics = scrape()
        return [
            metrics["crm_webhook_events_ended_total", "openphone", status]
            for status in ("processed", "ignored", "dead")
        ]

    assert ended() == [0, 0, 0]
    bodies = [b'{"type": "task.assigned"}', b'{"type": "message.received"}', b"[]"]
    for company in (acme, globex):
        for body in bodies:
            factories.WebhookEventFactory(company=company, body=body)
    while process_due_events():
        pass
    counted = ended()
    assert sum(counted) == 6
    assert counted[0] + counted[1] == 2
    with all_tenants():
        WebhookEvent.objects.all().delete()
    assert ended() == counted


def test_ages_of_empty_queues_are_zero(scrape):
    metrics = scrape()
    assert metrics[("crm_texts_oldest_due_seconds",)] == 0
    assert metrics[("crm_webhook_oldest_pending_seconds",)] == 0


def test_scrape_runs_the_same_statements_for_any_number_of_rows(scrape, acme):
    with CountQueries() as before:
        scrape()
    factories.WebhookEventFactory.create_batch(5, company=acme)
    factories.MissedCallerFactory.create_batch(5, contact__company=acme)
    with CountQueries() as after:
        scrape()
    assert len(after) == len(before) <= 29


def test_queue_is_counted_up_to_the_limit(scrape, acme, monkeypatch):
    monkeypatch.setattr("ops.prometheus.queues.MAX_COUNTED", 3)
    factories.WebhookEventFactory.create_batch(4, company=acme)
    assert scrape()["crm_webhook_events", "pending"] == 3


def test_metrics_name_no_company_and_no_contact(scrape, acme, client):
    contact = factories.ContactFactory(company=acme, phone="+12125550142", last_name="Zelda")
    factories.MissedCallerFactory(contact=contact)
    text = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).content.decode()
    for name in ("acme", "Acme", "5550142", "Zelda"):
        assert name not in text


@postgres_only
def test_every_table_and_index_has_a_size(scrape):
    def has_the_sizes_of_the_database():
        """Compare a scrape with the catalog. Autovacuum may change a size between the two."""
        metrics = scrape()
        with connection.cursor() as cursor:
            cursor.execute("SELECT relname, indexrelname, pg_relation_size(indexrelid) FROM pg_stat_user_indexes")
            indexes = {(index, table): size for table, index, size in cursor}
            cursor.execute("SELECT relname, pg_table_size(relid) FROM pg_stat_user_tables")
            tables = dict(cursor)
        assert {key[1:] for key in metrics if key[0] == "crm_index_size_bytes"} == indexes.keys()
        assert {key[1] for key in metrics if key[0] == "crm_table_size_bytes"} == tables.keys()
        return indexes == {key[1:]: size for key, size in metrics.items() if key[0] == "crm_index_size_bytes"} and (
            tables == {key[1]: size for key, size in metrics.items() if key[0] == "crm_table_size_bytes"}
        )

    wait_until(has_the_sizes_of_the_database)
    metrics = scrape()
    assert metrics["crm_index_scans_total", "companies_pkey", "companies"] >= 0
    assert metrics["crm_table_dead_rows", "companies"] >= 0


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_invalid_index_is_counted(scrape):
    factories.CompanyFactory.create_batch(2, timezone="America/Denver")
    assert scrape()[("crm_indexes_invalid",)] == 0
    with connection.cursor() as cursor, pytest.raises(IntegrityError):
        cursor.execute("CREATE UNIQUE INDEX CONCURRENTLY broken ON companies (timezone)")
    try:
        assert scrape()[("crm_indexes_invalid",)] == 1
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP INDEX broken")
