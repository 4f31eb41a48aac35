"""Rate limits."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from crm.api.tokens import SessionToken
from crm.db import rate_counters
from crm.db.rate_counters import count_up
from tests.errors import detail_of
from tests.factories import PASSWORD, WebhookSecretFactory

TOKEN = "/api/v1/auth/token"


@pytest.fixture
def three_a_minute(settings, monkeypatch):
    """Freeze the clock within a minute."""
    settings.THROTTLE_USER_PER_MIN = settings.THROTTLE_SIGN_IN_PER_MIN = 3
    set_clock(monkeypatch, 1_000_000 * 60 + 15)


def set_clock(monkeypatch, seconds):
    monkeypatch.setattr(rate_counters, "time", SimpleNamespace(time=lambda: float(seconds)))


def statuses(ask, times=5):
    return [ask().status_code for _ in range(times)]


def test_user_limit_is_enforced_with_retry_after(three_a_minute, csr_api, manager_api):
    assert statuses(lambda: csr_api.get("/api/v1/contacts")) == [200, 200, 200, 429, 429]
    refused = csr_api.get("/api/v1/leads")
    assert refused.status_code == 429
    assert refused["Retry-After"] == "45"
    assert detail_of(refused)
    assert manager_api.get("/api/v1/contacts").status_code == 200


def test_api_document_is_limited_per_address(three_a_minute, client, db):
    assert statuses(lambda: client.get("/api/schema")) == [200, 200, 200, 429, 429]
    assert client.get("/api/schema", REMOTE_ADDR="198.51.100.4").status_code == 200


def test_counter_resets_every_minute(three_a_minute, csr_api, monkeypatch):
    assert statuses(lambda: csr_api.get("/api/v1/me"))[-1] == 429
    set_clock(monkeypatch, 1_000_001 * 60)
    assert csr_api.get("/api/v1/me").status_code == 200


def test_sign_in_limit_counts_api_and_admin_together(three_a_minute, csr):
    body = {"username": csr.username, "password": PASSWORD}
    assert APIClient().post(TOKEN, body).status_code == 200
    assert Client().post("/admin/login/", body).status_code == 200
    assert APIClient().post(TOKEN, body).status_code == 200
    for refused in (APIClient().post(TOKEN, body), Client().post("/admin/login/", body)):
        assert refused.status_code == 429
        assert refused["Retry-After"] == "45"
    assert APIClient().post(TOKEN, body, REMOTE_ADDR="198.51.100.4").status_code == 200


def test_anonymous_requests_are_counted_by_address(three_a_minute, db):
    body = {"refresh": "nonsense"}
    assert statuses(lambda: APIClient().post("/api/v1/auth/token/refresh", body)) == [401, 401, 401, 429, 429]


def test_webhooks_are_never_throttled(three_a_minute, acme, client):
    WebhookSecretFactory(company=acme)
    url = "/webhooks/openphone/acme"
    assert set(statuses(lambda: client.post(url, b"{}", content_type="application/json"), 10)) == {401}


def with_token(user):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {SessionToken.for_user(user).access_token}")
    return client


def test_throttling_takes_one_statement_at_most(csr, settings):
    """On PostgreSQL the statement that authenticates counts the request, too."""
    api = with_token(csr)
    counts = []
    for limit in (0, 1200):
        settings.THROTTLE_USER_PER_MIN = limit
        api.get("/api/v1/me")
        with CaptureQueriesContext(connection) as queries:
            api.get("/api/v1/me")
        counts.append(len(queries))
    assert counts[1] - counts[0] == (0 if connection.vendor == "postgresql" else 1)


def test_requests_with_a_token_are_limited(three_a_minute, csr, manager):
    api = with_token(csr)
    answers = [api.get("/api/v1/me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer["RateLimit"].split(";")[1] for answer in answers] == ["r=2", "r=1", "r=0", "r=0"]
    assert with_token(manager).get("/api/v1/me").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_concurrent_requests_are_all_counted(monkeypatch):
    set_clock(monkeypatch, 1_000_000 * 60)
    key = uuid4().hex  # a fresh key: these rows outlive the test

    def count(_):
        try:
            return count_up(key)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(count, range(40)))
    assert sorted(numbers) == [*range(1, 41)]
