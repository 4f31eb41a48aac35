"""Refresh tokens."""

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


def age_used_tokens(**span):
    """Move the use of every token into the past."""
    for used in BlacklistedToken.objects.all():
        BlacklistedToken.objects.filter(pk=used.pk).update(blacklisted_at=used.blacklisted_at - timedelta(**span))


def test_refresh_token_is_single_use(csr):
    first = sign_in(csr)
    second = refresh(first).json()
    assert second["refresh"] != first["refresh"]
    assert refresh(first).status_code == 401
    assert refresh(second).status_code == 200


def test_late_token_reuse_ends_only_its_own_session(csr):
    stolen, other_device = sign_in(csr), sign_in(csr)
    own = refresh(stolen).json()
    age_used_tokens(minutes=1)
    assert refresh(stolen).status_code == 401
    assert refresh(own).status_code == 401
    assert refresh(other_device).status_code == 200


def test_sign_out_with_a_used_token_revokes_its_family(csr):
    own = sign_in(csr)
    stolen = refresh(own).json()
    age_used_tokens(minutes=1)
    assert post(SIGN_OUT, refresh=own["refresh"]).status_code == 401
    assert refresh(stolen).status_code == 401


def test_new_password_ends_every_session(csr, manager_api):
    before = sign_in(csr)
    assert manager_api.patch(f"/api/v1/users/{csr.pk}", {"password": "copper-flashing-7"}).status_code == 200
    assert me(before) == 401
    assert refresh(before).status_code == 401
    after = sign_in(csr, "copper-flashing-7")
    assert me(after) == 200
    assert refresh(after).status_code == 200


def test_access_and_refresh_tokens_are_not_interchangeable(csr):
    tokens = sign_in(csr)
    assert post(REFRESH, refresh=tokens["access"]).status_code == 401
    assert me({"access": tokens["refresh"]}) == 401


def test_token_tables_store_no_usable_token(csr):
    refresh(sign_in(csr))
    assert set(OutstandingToken.objects.values_list("token", flat=True)) == {""}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("url", [REFRESH, SIGN_OUT])
def test_exactly_one_of_concurrent_refreshes_succeeds(url):
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


def test_password_similar_to_the_username_is_rejected(manager_api):
    body = {"username": "nina.petrova", "password": "nina.petrova1", "role": "csr"}
    response = manager_api.post("/api/v1/users", body)
    assert response.status_code == 400
    assert "too similar" in response.json()["password"][0]
