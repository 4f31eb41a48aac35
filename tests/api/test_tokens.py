"""Refresh tokens: one use each, and what ends a session."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from rest_framework.test import APIClient
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from tests.factories import PASSWORD, UserFactory

TOKEN, REFRESH, SIGN_OUT, ME = (
    f"/api/v1/{route}" for route in ("auth/token", "auth/token/refresh", "auth/sign-out", "me")
)


def post(url, **body):
    return APIClient().post(url, body)


def sign_in(user, password=PASSWORD):
    return post(TOKEN, username=user.username, password=password).json()


def refresh(tokens):
    return post(REFRESH, refresh=tokens["refresh"])


def me(tokens):
    return APIClient().get(ME, headers={"Authorization": f"Bearer {tokens['access']}"}).status_code


def let_time_pass(**span):
    """Every token used so far was used that long ago."""
    for used in BlacklistedToken.objects.all():
        BlacklistedToken.objects.filter(pk=used.pk).update(blacklisted_at=used.blacklisted_at - timedelta(**span))


def test_a_refresh_token_is_good_for_one_use(csr):
    first = sign_in(csr)
    second = refresh(first).json()
    assert second["refresh"] != first["refresh"]
    assert refresh(first).status_code == 401
    assert refresh(second).status_code == 200


def test_a_used_token_that_comes_again_later_ends_its_session_and_no_other(csr):
    stolen, other_device = sign_in(csr), sign_in(csr)
    mine = refresh(stolen).json()
    let_time_pass(minutes=1)
    assert refresh(stolen).status_code == 401
    assert refresh(mine).status_code == 401
    assert refresh(other_device).status_code == 200


def test_signing_out_with_a_used_token_ends_what_was_made_of_it(csr):
    mine = sign_in(csr)
    thiefs = refresh(mine).json()
    let_time_pass(minutes=1)
    assert post(SIGN_OUT, refresh=mine["refresh"]).status_code == 401
    assert refresh(thiefs).status_code == 401


def test_a_new_password_ends_every_session(csr, manager_api):
    before = sign_in(csr)
    assert manager_api.patch(f"/api/v1/users/{csr.pk}", {"password": "copper-flashing-7"}).status_code == 200
    assert me(before) == 401
    assert refresh(before).status_code == 401
    after = sign_in(csr, "copper-flashing-7")
    assert me(after) == 200
    assert refresh(after).status_code == 200


def test_an_access_token_is_no_refresh_token(csr):
    tokens = sign_in(csr)
    assert post(REFRESH, refresh=tokens["access"]).status_code == 401
    assert me({"access": tokens["refresh"]}) == 401


def test_the_tables_hold_no_token_that_could_be_used(csr):
    refresh(sign_in(csr))
    assert set(OutstandingToken.objects.values_list("token", flat=True)) == {""}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("url", [REFRESH, SIGN_OUT])
def test_of_requests_at_once_with_one_token_exactly_one_wins(url):
    tokens = sign_in(UserFactory())
    start = threading.Barrier(4)

    def ask(_):
        start.wait()
        try:
            return post(url, refresh=tokens["refresh"])
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(4)))
    assert sorted(answer.status_code for answer in answers)[1:] == [401] * 3
    [won] = [answer for answer in answers if answer.status_code < 300]
    if url == REFRESH:
        assert refresh(won.json()).status_code == 200


def test_a_colleagues_password_must_not_be_like_the_name(manager_api):
    body = {"username": "nina.petrova", "password": "nina.petrova1", "role": "csr"}
    response = manager_api.post("/api/v1/users", body)
    assert response.status_code == 400
    assert "too similar" in response.json()["password"][0]
