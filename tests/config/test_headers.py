"""Security headers, CORS and cookies."""

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.conf import settings as django_settings
from django.db import connection  # noqa: F401  # for the mark

from tests.conftest import postgres_only
from tests.factories import ContactFactory

PAGE = "https://app.example.com"


@pytest.mark.parametrize("url", ["/admin/login/", "/api/docs", "/api/schema", "/api/v1/me", "/healthz", "/nowhere"])
def test_security_headers_are_set(url, client, db):
    response = client.get(url)
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in response["Permissions-Policy"]


def test_documentation_page_has_no_inline_script_or_style(client, db):
    page = client.get("/api/docs").content.decode()
    assert "<style" not in page
    assert "<script>" not in page
    script = client.get("/api/docs?script=")
    assert script["Content-Type"].startswith("application/javascript")


def test_api_responses_are_not_cached(csr_api):
    assert csr_api.get("/api/v1/me")["Cache-Control"] == "no-store"


def preflight(client, url, origin=PAGE):
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    return client.options(url, headers=headers)


def test_cross_origin_requests_are_rejected_by_default(client, db):
    assert "Access-Control-Allow-Origin" not in preflight(client, "/api/v1/contacts")


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:5173", True),
        ("http://127.0.0.1:3000", True),
        ("http://localhost.example.com:3000", False),
        ("https://localhost:5173", False),
    ],
)
def test_pages_of_a_development_server_may_call_the_api_in_development(origin, allowed, client, db):
    assert ("Access-Control-Allow-Origin" in preflight(client, "/api/v1/contacts", origin)) == allowed


def test_listed_origins_may_call_only_the_api(client, db, settings):
    settings.CORS_ALLOWED_ORIGINS = [PAGE]
    allowed = preflight(client, "/api/v1/contacts")
    assert allowed["Access-Control-Allow-Origin"] == PAGE
    allowed_headers = allowed["Access-Control-Allow-Headers"].split(", ")
    assert {"authorization", "idempotency-key", "if-match", "if-none-match", "x-request-id"} <= set(allowed_headers)
    assert "Access-Control-Allow-Credentials" not in allowed
    assert "Access-Control-Allow-Origin" not in preflight(client, "/api/v1/contacts", "https://evil.example.com")
    assert "Access-Control-Allow-Origin" not in preflight(client, "/admin/login/")


def test_listed_origins_may_read_the_headers_of_an_answer(csr_api, acme, settings):
    settings.CORS_ALLOWED_ORIGINS = [PAGE]
    contact = ContactFactory(company=acme)
    answer = csr_api.get(f"/api/v1/contacts/{contact.pk}", headers={"Origin": PAGE})
    assert answer.status_code == 200
    exposed = answer["Access-Control-Expose-Headers"].split(", ")
    assert {"ETag", "X-Request-ID", "Retry-After", "Idempotency-Replayed", "RateLimit", "Poll-After"} <= set(exposed)
    assert {"ETag", "X-Request-ID"} <= set(answer.headers)


def remaining(response):
    return int(re.search(r";r=(\d+);", response["RateLimit"])[1])


def test_each_answer_of_the_api_tells_how_many_requests_are_left(csr_api, settings, monkeypatch):
    monkeypatch.setattr("crm.db.rate_counters.time.time", lambda: 1_772_478_020)  # the 20th second of a minute
    settings.THROTTLE_USER_PER_MIN = 2
    answers = [csr_api.get("/api/v1/me") for _ in range(3)]
    assert [(answer.status_code, remaining(answer)) for answer in answers] == [(200, 1), (200, 0), (429, 0)]
    assert answers[0]["RateLimit-Policy"] == '"user";q=2;w=60'
    assert answers[0]["RateLimit"] == '"user";r=1;t=40'


def test_without_a_limit_no_answer_tells_of_one(csr_api, settings):
    settings.THROTTLE_USER_PER_MIN = 0
    assert "RateLimit" not in csr_api.get("/api/v1/me")


@pytest.mark.parametrize(
    ("url", "accepted", "compressed"),
    [
        ("/api/v1/contacts", "gzip", True),
        ("/api/v1/contacts", "br, gzip;q=0.5", True),
        ("/api/v1/contacts", "br, gzip;q=0", False),
        ("/api/v1/contacts", "GZIP ; q=0.00, br", False),
        ("/api/v1/contacts", "identity", False),
        ("/api/v1/me", "gzip", False),  # small
        ("/admin/login/", "gzip", False),
    ],
)
def test_large_answers_of_the_api_are_compressed_for_clients_that_accept_it(url, accepted, compressed, csr_api, acme):
    ContactFactory.create_batch(20, company=acme)
    answer = csr_api.get(url, headers={"Accept-Encoding": accepted})
    assert (answer.get("Content-Encoding") == "gzip") == compressed
    if compressed:
        assert len(json.loads(gzip.decompress(answer.content))["results"]) == 20


def test_tag_of_a_compressed_row_still_matches(csr_api, acme, monkeypatch):
    monkeypatch.setattr("config.middleware.COMPRESSED_FROM", 100)
    contact = ContactFactory(company=acme, address="5" * 200)  # worth compressing
    url = f"/api/v1/contacts/{contact.pk}"
    tag = csr_api.get(url, headers={"Accept-Encoding": "gzip"})["ETag"]
    assert tag.startswith("W/")  # as compression makes it
    assert csr_api.get(url, headers={"If-None-Match": tag}).status_code == 304
    assert csr_api.patch(url, {"city": "Golden"}, headers={"If-Match": tag}).status_code == 200
    assert csr_api.patch(url, {"city": "Aspen"}, headers={"If-Match": tag}).status_code == 412


def test_admin_cookies_are_http_only_session_cookies(client, staff):
    client.force_login(staff)
    client.get("/admin/login/?next=/admin/")
    client.post("/admin/login/", {"username": "stella", "password": "rain-gutter-42"})
    session = client.cookies["sessionid"]
    assert session["httponly"]
    assert session["samesite"] == "Lax"
    assert session["max-age"] == ""
    token = client.cookies["csrftoken"]
    assert token["httponly"]
    assert token["samesite"] == "Strict"


@postgres_only
@pytest.mark.slow
def test_production_passes_the_deployment_check(db):
    production = {
        "ENVIRONMENT": "production",
        "SECRET_KEY": "A8rF3n-k9Q_zT7x-P2vB8sLw4YdR6mJ1hGc0aUeXoKiVtNbWqEy5",
        "ALLOWED_HOSTS": "crm.example.com",
        "PUBLIC_URL": "https://crm.example.com",
        "PRIVACY_KEY": "k2Vx8QpL-m4Zt7Rw_n9Yb3Jd6Hf1Sg5Ac0EuIoKqXvTzWlNyMrPs",
        "SECRETS_KEYS": Fernet.generate_key().decode(),
        "REQUIRE_SECOND_FACTOR": "true",
    }
    checked = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=Path(django_settings.BASE_DIR),
        env=os.environ | production,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stderr
