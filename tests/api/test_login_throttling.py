"""Guessing passwords: what it comes to, at both doors, and that it is the guesser's trouble alone."""

import json
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.test import Client
from rest_framework.test import APIClient

from crm.client_ip import client_address
from tests.factories import PASSWORD

TOKEN, ADMIN = "/api/v1/auth/token", "/admin/login/"
GUESSER, OFFICE = "203.0.113.7", "198.51.100.4"


def sign_in(user, password, address=OFFICE, **headers):
    body = {"username": user.username, "password": password}
    return APIClient().post(TOKEN, body, REMOTE_ADDR=address, headers=headers)


def sign_in_to_admin(user, password, address=OFFICE):
    return Client().post(ADMIN, {"username": user.username, "password": password}, REMOTE_ADDR=address)


DOORS = [pytest.param(sign_in, id="api"), pytest.param(sign_in_to_admin, id="admin")]


@pytest.fixture(autouse=True)
def three_tries(settings):
    settings.AXES_FAILURE_LIMIT = 3


def lock_out(user, address=GUESSER, door=sign_in):
    for number in range(3):
        answer = door(user, f"guess {number}", address)
    assert answer.status_code == 429
    return answer


@pytest.mark.parametrize("door", DOORS)
def test_a_guesser_is_locked_out_even_with_the_right_password(door, staff):
    answer = lock_out(staff, door=door)
    assert 0 < int(answer["Retry-After"]) <= 900
    locked = door(staff, PASSWORD, GUESSER)
    assert locked.status_code == 429
    assert 0 < int(locked["Retry-After"]) <= 900


def test_the_api_says_so_in_its_own_shape(csr):
    lock_out(csr)
    answer = sign_in(csr, PASSWORD, GUESSER)
    assert answer.json().keys() == {"detail"}
    assert "Too many wrong passwords" in answer.json()["detail"]


@pytest.mark.parametrize("door", DOORS)
def test_the_person_whose_name_was_guessed_at_signs_in_from_elsewhere(door, staff):
    lock_out(staff, door=door)
    assert door(staff, PASSWORD, OFFICE).status_code in (200, 302)


def test_the_two_doors_count_together(staff):
    sign_in(staff, "guess", GUESSER)
    sign_in_to_admin(staff, "guess", GUESSER)
    assert sign_in(staff, "guess", GUESSER).status_code == 429
    assert sign_in_to_admin(staff, PASSWORD, GUESSER).status_code == 429


def test_others_sign_in_from_the_guessers_address(csr, rep):
    lock_out(csr)
    assert sign_in(rep, PASSWORD, GUESSER).status_code == 200


def test_another_browser_is_the_same_guesser(csr):
    for number in range(2):
        sign_in(csr, "guess", GUESSER, **{"User-Agent": f"browser {number}"})
    assert sign_in(csr, "guess", GUESSER, **{"User-Agent": "browser 3"}).status_code == 429


def test_the_right_password_in_time_forgives_the_wrong_ones(csr):
    for _ in range(3):
        assert sign_in(csr, "guess").status_code == 401
        assert sign_in(csr, "guess").status_code == 401
        assert sign_in(csr, PASSWORD).status_code == 200
    csr.refresh_from_db()
    assert csr.last_login is not None


def test_the_lock_opens_by_itself_and_trying_on_does_not_prolong_it(csr):
    lock_out(csr)
    AccessAttempt.objects.update(attempt_time=AccessAttempt.objects.get().attempt_time - timedelta(seconds=890))
    assert int(sign_in(csr, "guess", GUESSER)["Retry-After"]) <= 10
    AccessAttempt.objects.update(attempt_time=AccessAttempt.objects.get().attempt_time - timedelta(seconds=11))
    assert sign_in(csr, PASSWORD, GUESSER).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [("username", "u" * 151), ("password", "p" * 129), ("username", "a\0b"), ("username", "a\ud800"), ("password", "")],
)
def test_what_can_be_nobodys_is_refused_by_field(field, value, csr):
    body = json.dumps({"username": "carla", "password": "x", field: value})
    response = APIClient().post(TOKEN, body, content_type="application/json")
    assert response.status_code == 400
    assert list(response.json()) == [field]


def test_a_header_that_anybody_can_send_moves_nobody(csr):
    for number in range(3):
        answer = sign_in(csr, "guess", GUESSER, **{"X-Forwarded-For": f"192.0.2.{number}"})
    assert answer.status_code == 429


@pytest.mark.parametrize(
    ("proxies", "chain", "address"),
    [
        (0, "192.0.2.1", GUESSER),
        (1, "", GUESSER),
        (1, "192.0.2.1", "192.0.2.1"),
        (1, "192.0.2.99, 192.0.2.1", "192.0.2.1"),
        (2, "192.0.2.99, 192.0.2.1, 192.0.2.2", "192.0.2.1"),
        (1, "nonsense", None),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (1, "::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
def test_the_clients_address_is_what_our_own_proxies_saw(proxies, chain, address, rf, settings):
    settings.TRUSTED_PROXIES = proxies
    headers = {"HTTP_X_FORWARDED_FOR": chain} if chain else {}
    assert client_address(rf.get("/", REMOTE_ADDR=GUESSER, **headers)) == address
