"""Login throttling of the API and the admin."""

import json
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.test import Client
from rest_framework.test import APIClient

from crm.client_ip import client_address
from crm.models import User
from tests.errors import code_of, detail_of, errors_of
from tests.factories import PASSWORD

TOKEN, ADMIN = "/api/v1/auth/token", "/admin/login/"
ATTACKER, OFFICE = "203.0.113.7", "198.51.100.4"


def sign_in(user, password, address=OFFICE, **headers):
    body = {"username": user.username, "password": password}
    return APIClient().post(TOKEN, body, REMOTE_ADDR=address, headers=headers)


def sign_in_to_admin(user, password, address=OFFICE):
    return Client().post(ADMIN, {"username": user.username, "password": password}, REMOTE_ADDR=address)


SIGN_INS = [pytest.param(sign_in, id="api"), pytest.param(sign_in_to_admin, id="admin")]


@pytest.fixture(autouse=True)
def three_tries(settings):
    settings.AXES_FAILURE_LIMIT = 3


def lock_out(user, address=ATTACKER, sign_in_by=sign_in):
    for number in range(3):
        answer = sign_in_by(user, f"guess {number}", address)
    assert answer.status_code == 429
    return answer


@pytest.mark.parametrize("sign_in_by", SIGN_INS)
def test_locked_out_attacker_is_rejected_even_with_the_right_password(sign_in_by, staff):
    answer = lock_out(staff, sign_in_by=sign_in_by)
    assert 0 < int(answer["Retry-After"]) <= 900
    locked = sign_in_by(staff, PASSWORD, ATTACKER)
    assert locked.status_code == 429
    assert 0 < int(locked["Retry-After"]) <= 900


def test_lockout_response_of_the_api_is_json(csr):
    lock_out(csr)
    answer = sign_in(csr, PASSWORD, ATTACKER)
    assert code_of(answer) == "locked_out"
    assert "Too many failed sign-ins" in detail_of(answer)


@pytest.mark.parametrize("sign_in_by", SIGN_INS)
def test_locked_out_user_signs_in_from_another_address(sign_in_by, staff):
    lock_out(staff, sign_in_by=sign_in_by)
    assert sign_in_by(staff, PASSWORD, OFFICE).status_code in (200, 302)


def test_api_and_admin_count_failures_together(staff):
    sign_in(staff, "guess", ATTACKER)
    sign_in_to_admin(staff, "guess", ATTACKER)
    assert sign_in(staff, "guess", ATTACKER).status_code == 429
    assert sign_in_to_admin(staff, PASSWORD, ATTACKER).status_code == 429


def test_other_users_sign_in_from_the_attackers_address(csr, rep):
    lock_out(csr)
    assert sign_in(rep, PASSWORD, ATTACKER).status_code == 200


@pytest.mark.parametrize("sign_in_by", SIGN_INS)
def test_username_in_another_case_signs_in_and_shares_the_failures(sign_in_by, staff):
    typed = User(username="STELLA")
    assert sign_in_by(typed, PASSWORD).status_code in (200, 302)
    lock_out(staff, sign_in_by=sign_in_by)
    assert sign_in_by(typed, PASSWORD, ATTACKER).status_code == 429


def test_spellings_of_a_username_share_the_failures(csr):
    for spelling in ("carla", "ｃarla", "ｃａｒｌａ"):
        answer = sign_in(User(username=spelling), "guess", ATTACKER)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 800


def test_lockout_ignores_the_user_agent(csr):
    for number in range(2):
        sign_in(csr, "guess", ATTACKER, **{"User-Agent": f"browser {number}"})
    assert sign_in(csr, "guess", ATTACKER, **{"User-Agent": "browser 3"}).status_code == 429


def test_successful_sign_in_resets_the_failures(csr):
    for _ in range(3):
        assert sign_in(csr, "guess").status_code == 401
        assert sign_in(csr, "guess").status_code == 401
        assert sign_in(csr, PASSWORD).status_code == 200
    csr.refresh_from_db()
    assert csr.last_login is not None


def test_lockout_expires_and_is_not_extended_by_attempts(csr):
    lock_out(csr)
    AccessAttempt.objects.update(attempt_time=AccessAttempt.objects.get().attempt_time - timedelta(seconds=890))
    assert int(sign_in(csr, "guess", ATTACKER)["Retry-After"]) <= 10
    AccessAttempt.objects.update(attempt_time=AccessAttempt.objects.get().attempt_time - timedelta(seconds=11))
    assert sign_in(csr, PASSWORD, ATTACKER).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [("username", "u" * 151), ("password", "p" * 129), ("username", "a\0b"), ("username", "a\ud800"), ("password", "")],
)
def test_impossible_credentials_are_rejected_by_field(field, value, csr):
    body = json.dumps({"username": "carla", "password": "x", field: value})
    response = APIClient().post(TOKEN, body, content_type="application/json")
    assert response.status_code == 400
    assert list(errors_of(response)) == [field]


def test_untrusted_forwarded_header_is_ignored(csr):
    for number in range(3):
        answer = sign_in(csr, "guess", ATTACKER, **{"X-Forwarded-For": f"192.0.2.{number}"})
    assert answer.status_code == 429


@pytest.mark.parametrize(
    ("proxies", "chain", "address"),
    [
        (0, "192.0.2.1", ATTACKER),
        (1, "", ATTACKER),
        (1, "192.0.2.1", "192.0.2.1"),
        (1, "192.0.2.99, 192.0.2.1", "192.0.2.1"),
        (2, "192.0.2.99, 192.0.2.1, 192.0.2.2", "192.0.2.1"),
        (1, "nonsense", None),
        (1, "192.0.2.1:55", "192.0.2.1"),
        (1, "192.0.2.99:1, 192.0.2.1:65535", "192.0.2.1"),
        (1, "[2001:db8:1:2:3:4:5:6]:443", "2001:db8:1:2::"),
        (1, "[2001:db8:1:2:3:4:5:6]", "2001:db8:1:2::"),
        (1, '"[2001:db8:1:2:3:4:5:6]:443"', "2001:db8:1:2::"),
        (1, "[fe80::1%eth0]:80", "fe80::"),
        (1, "[::ffff:192.0.2.1]:80", "192.0.2.1"),
        (1, "[192.0.2.1", "192.0.2.1"),
        (1, "192.0.2.1:", "192.0.2.1"),
        (1, "[]:80", None),
        (1, ":80", None),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (1, "::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
def test_client_address_comes_from_the_trusted_proxies(proxies, chain, address, rf, settings):
    settings.TRUSTED_PROXIES = proxies
    headers = {"HTTP_X_FORWARDED_FOR": chain} if chain else {}
    assert client_address(rf.get("/", REMOTE_ADDR=ATTACKER, **headers)) == address
