"""Refresh tokens."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection
from rest_framework.test import APIClient
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken, UntypedToken
from rest_framework_simplejwt.utils import aware_utcnow

from crm.api.tokens import BACKEND
from crm.models import User
from tests.count_queries import CountQueries
from tests.errors import errors_of
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


def test_remembered_token_ends_at_its_term(csr, monkeypatch):
    tokens = sign_in(csr)
    assert me(tokens) == 200
    tomorrow = aware_utcnow() + timedelta(days=1)
    monkeypatch.setattr("rest_framework_simplejwt.tokens.aware_utcnow", lambda: tomorrow)
    assert me(tokens) == 401


def test_remembered_claims_stay_as_they_were_signed(csr):
    token = sign_in(csr)["access"]
    BACKEND.decode(token)["user_id"] = "0"
    assert BACKEND.decode(token)["user_id"] == str(csr.pk)


THIEF = [{"REMOTE_ADDR": "198.51.100.9"}, {"HTTP_USER_AGENT": "thief/1"}, {"HTTP_COOKIE": "session_client=guess"}]


def test_refresh_gives_the_next_tokens(csr):
    first = sign_in(csr)
    second = refresh(first).json()
    assert second["refresh"] != first["refresh"]
    assert me(second) == 200
    assert refresh(second).status_code == 200


def test_lost_answer_is_given_again_to_the_same_client(csr):
    first = sign_in(csr)
    lost, again = refresh(first).json(), refresh(first).json()
    assert again["refresh"] == lost["refresh"]
    assert me(again) == 200
    assert refresh(again).status_code == 200


@pytest.mark.parametrize("thief", THIEF, ids=str)
def test_token_reused_by_another_client_ends_the_session_within_the_grace_time(thief, csr):
    stolen, other_device = sign_in(csr), sign_in(csr)
    own = refresh(stolen).json()
    assert APIClient().post(REFRESH, {"refresh": stolen["refresh"]}, **thief).status_code == 401
    assert refresh(own).status_code == 401
    assert [me(own), me(stolen)] == [401, 401]
    assert me(other_device) == 200


@pytest.mark.parametrize("thief", THIEF, ids=str)
def test_victim_of_a_faster_thief_ends_the_session(thief, csr):
    stolen = sign_in(csr)
    taken = APIClient().post(REFRESH, {"refresh": stolen["refresh"]}, **thief).json()
    assert me(taken) == 200
    assert refresh(stolen).status_code == 401
    assert me(taken) == 401


def test_cookie_of_a_browser_is_part_of_the_client(csr):
    browser, thief = APIClient(), APIClient()
    tokens = browser.post(TOKEN, {"username": csr.username, "password": PASSWORD}).json()
    lost = browser.post(REFRESH, {"refresh": tokens["refresh"]}).json()
    assert browser.post(REFRESH, {"refresh": tokens["refresh"]}).json()["refresh"] == lost["refresh"]
    assert thief.post(REFRESH, {"refresh": tokens["refresh"]}).status_code == 401
    assert me(lost) == 401
    cookie = browser.cookies["session_client"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/api/v1/auth/")


def test_exchanged_token_is_no_lost_answer_once_its_successor_was_used(csr):
    first = sign_in(csr)
    third = refresh(refresh(first).json()).json()
    assert refresh(first).status_code == 401
    assert [me(third), refresh(third).status_code] == [401, 401]


def test_late_token_reuse_ends_only_its_own_session(csr):
    stolen, other_device = sign_in(csr), sign_in(csr)
    own = refresh(stolen).json()
    age_used_tokens(minutes=1)
    assert refresh(stolen).status_code == 401
    assert refresh(own).status_code == 401
    assert refresh(other_device).status_code == 200


def test_session_ends_absolutely(csr, settings):
    settings.SESSION_LIFETIME = timedelta(days=20)
    tokens = sign_in(csr)
    session = OutstandingToken.objects.get()
    end = session.expires_at = session.expires_at - timedelta(days=15)
    session.save()
    tokens = refresh(tokens).json()
    assert UntypedToken(tokens["refresh"])["exp"] == int(end.timestamp())
    session.expires_at -= timedelta(days=6)
    session.save()
    assert [me(tokens), refresh(tokens).status_code] == [401, 401]


def test_sign_out_ends_access_and_refresh_tokens_of_its_session_at_once(csr):
    before, other_device = sign_in(csr), sign_in(csr)
    after = refresh(before).json()
    assert post(SIGN_OUT, refresh=after["refresh"]).status_code == 204
    assert [me(before), me(after), refresh(after).status_code] == [401, 401, 401]
    assert me(other_device) == 200


def test_deactivation_ends_every_session_for_good(csr, manager_api):
    tokens = sign_in(csr)
    for active in (False, True):
        assert manager_api.patch(f"/api/v1/users/{csr.pk}", {"is_active": active}).status_code == 200
        assert [me(tokens), refresh(tokens).status_code] == [401, 401]
    assert me(sign_in(csr)) == 200


@pytest.mark.parametrize("change", ["role", "company", "password", "is_active"])
def test_change_of_access_ends_every_session_and_its_reversal_revives_none(change, csr, globex):
    tokens = sign_in(csr)
    values = {"role": "rep", "company": globex, "password": make_password("copper-flashing-7"), "is_active": False}
    before = {change: getattr(csr, change)}
    for changed in ({change: values[change]}, before):
        User.accounts.filter(pk=csr.pk).update(**changed)  # as other programs write
        assert [me(tokens), refresh(tokens).status_code] == [401, 401]
    assert me(sign_in(csr)) == 200


def test_change_of_access_ends_the_sessions_of_its_user_alone(csr, rep, manager_api):
    own, other = sign_in(csr), sign_in(rep)
    for role in ("rep", "csr"):
        assert manager_api.patch(f"/api/v1/users/{csr.pk}", {"role": role}).status_code == 200
    assert [me(own), refresh(own).status_code] == [401, 401]
    assert [me(other), refresh(other).status_code] == [200, 200]


@pytest.mark.parametrize("change", [{"first_name": "Carlotta"}, {"role": "csr"}, {"is_active": True}])
def test_change_without_a_new_access_keeps_the_sessions(change, csr, manager_api):
    tokens = sign_in(csr)
    assert manager_api.patch(f"/api/v1/users/{csr.pk}", change).status_code == 200
    assert me(tokens) == 200


def test_token_of_a_session_without_a_row_is_rejected(csr):
    tokens = sign_in(csr)
    OutstandingToken.objects.all().delete()
    assert [me(tokens), refresh(tokens).status_code, post(SIGN_OUT, refresh=tokens["refresh"]).status_code] == [401] * 3


def test_refresh_token_from_before_sessions_begins_one(csr):
    old = {"refresh": str(RefreshToken.for_user(csr))}
    tokens = refresh(old).json()
    assert me(tokens) == 200
    assert post(SIGN_OUT, refresh=tokens["refresh"]).status_code == 204
    assert me(tokens) == 401


def test_session_is_checked_in_the_statement_that_reads_the_user(csr):
    tokens = sign_in(csr)
    with CountQueries() as queries:
        assert me(tokens) == 200
    assert len(queries) == 1


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
def test_concurrent_refreshes_give_one_token_and_one_of_concurrent_sign_outs_succeeds(url):
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
    statuses = sorted(answer.status_code for answer in answers)
    if url == SIGN_OUT:
        assert statuses == [204, 401, 401, 401]
        return
    assert statuses == [200] * 4
    [token] = {answer.json()["refresh"] for answer in answers}
    assert refresh({"refresh": token}).status_code == 200


def test_password_similar_to_the_username_is_rejected(manager_api):
    body = {"username": "nina.petrova", "password": "nina.petrova1", "role": "csr"}
    response = manager_api.post("/api/v1/users", body)
    assert response.status_code == 400
    assert "too similar" in errors_of(response)["password"][0]


def test_tokens_of_an_earlier_key_are_valid_while_it_is_a_fallback(csr, settings):
    earlier = TokenBackend("HS256", "the-key-that-was-replaced-by-todays")
    tokens = {name: earlier.encode(BACKEND.decode(token)) for name, token in sign_in(csr).items()}
    assert (me(tokens), refresh(tokens).status_code) == (401, 401)
    settings.SECRET_KEY_FALLBACKS = ["a-key-from-long-ago-of-32-characters", "the-key-that-was-replaced-by-todays"]
    assert me(tokens) == 200
    renewed = refresh(tokens).json()
    settings.SECRET_KEY_FALLBACKS = []
    assert me(renewed) == 200


def test_lost_answer_is_given_again_while_the_key_is_replaced(csr, settings):
    first = sign_in(csr)
    lost = refresh(first).json()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a-key-that-replaces-the-earlier-one", [settings.SECRET_KEY]
    again = refresh(first).json()
    assert again["refresh"] == lost["refresh"]
    assert me(again) == 200
