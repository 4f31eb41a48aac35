"""Sessions of a user: listed, and ended at once."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils.timezone import now
from rest_framework.test import APIClient

from crm.db.tenancy import tenant
from crm.models import UserSession
from crm.services.api_tokens import create_api_token
from crm.services.expiry_cleanup import remove_expired
from tests import factories
from tests.count_queries import CountQueries
from tests.errors import code_of
from tests.factories import PASSWORD

TOKEN, SESSIONS, ME = "/api/v1/auth/token", "/api/v1/me/sessions", "/api/v1/me"


def sign_in(user, agent="Firefox", address="192.0.2.7"):
    body = {"username": user.username, "password": PASSWORD}
    answer = APIClient().post(TOKEN, body, headers={"User-Agent": agent}, REMOTE_ADDR=address)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access']}")
    client.refresh = answer.json()["refresh"]
    return client


def listed(client):
    return client.get(SESSIONS).json()["sessions"]


def test_sessions_are_listed_with_their_client_the_newest_first(csr, rep):
    first, second = sign_in(csr, "Firefox"), sign_in(csr, "Safari", "198.51.100.4")
    sign_in(rep)
    assert [(each["client"], each["address"], each["is_current"]) for each in listed(second)] == [
        ("Safari", "198.51.100.4", True),
        ("Firefox", "192.0.2.7", False),
    ]
    assert [each["is_current"] for each in listed(first)] == [False, True]


def test_session_is_ended_at_once(csr):
    stolen, own = sign_in(csr), sign_in(csr)
    [_, other] = listed(own)
    assert own.delete(f"{SESSIONS}/{other['id']}").status_code == 204
    assert stolen.get(ME).status_code == 401
    assert APIClient().post("/api/v1/auth/token/refresh", {"refresh": stolen.refresh}).status_code == 401
    assert len(listed(own)) == 1
    assert own.delete(f"{SESSIONS}/{other['id']}").status_code == 404


def test_other_sessions_are_ended_together(csr):
    others, own = [sign_in(csr), sign_in(csr)], sign_in(csr)
    assert own.post(f"{SESSIONS}/end-others").status_code == 204
    assert [each.get(ME).status_code for each in others] == [401, 401]
    assert len(listed(own)) == 1


def test_session_of_another_user_is_not_found(csr, rep):
    other = factories.UserSessionFactory(user=rep)
    assert sign_in(csr).delete(f"{SESSIONS}/{other.pk}").status_code == 404
    assert UserSession.objects.filter(pk=other.pk).exists()


def test_session_leaves_the_list_when_it_ends(csr):
    gone, own = sign_in(csr), sign_in(csr)
    APIClient().post("/api/v1/auth/sign-out", {"refresh": gone.refresh})
    assert len(listed(own)) == 1
    csr.role = "rep"
    csr.save()
    assert not UserSession.objects.exists()


def test_refresh_is_the_last_use(csr):
    client = sign_in(csr)
    UserSession.objects.update(last_used_at=now() - timedelta(days=3))
    APIClient().post("/api/v1/auth/token/refresh", {"refresh": client.refresh})
    assert UserSession.objects.get().last_used_at > now() - timedelta(minutes=1)


def test_expired_sessions_are_not_listed_and_then_removed(csr):
    factories.UserSessionFactory(user=csr, expires_at=now() - timedelta(seconds=1))
    own = sign_in(csr)
    assert len(listed(own)) == 1
    remove_expired()
    assert UserSession.objects.count() == 1


def test_session_of_the_admin_is_ended_over_the_api(staff):
    browser = Client()
    browser.post("/admin/login/", {"username": staff.username, "password": PASSWORD})
    assert browser.get("/admin/").status_code == 200
    own = sign_in(staff)
    [admin] = [each for each in listed(own) if each["kind"] == "admin"]
    assert own.delete(f"{SESSIONS}/{admin['id']}").status_code == 204
    assert browser.get("/admin/").status_code == 302


def test_admin_session_leaves_the_list_at_its_sign_out(staff):
    browser = Client()
    browser.force_login(staff)
    assert UserSession.objects.get().kind == "admin"
    browser.post("/admin/logout/")
    assert not UserSession.objects.exists()


@pytest.mark.parametrize("path", ["sessions", "second-factor"])
def test_account_of_its_creator_is_out_of_reach_of_an_api_token(path, manager, acme):
    with tenant(acme.pk):
        _, token = create_api_token(user=manager, name="Sync", role="manager", scopes=["read"], expires_at=None)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert code_of(client.get(f"/api/v1/me/{path}")) == "scope_missing"


@pytest.mark.parametrize("agent", ["", "x" * 500])
def test_odd_user_agent_is_kept_as_far_as_it_fits(agent, csr):
    sign_in(csr, agent)
    assert UserSession.objects.get().client == agent[:200]


def test_many_sessions_are_ended_by_few_statements(csr):
    own = sign_in(csr)

    def count():
        sign_in(csr)
        factories.UserSessionFactory.create_batch(20, user=csr, kind="api")
        with CountQueries() as queries:
            assert own.post(f"{SESSIONS}/end-others").status_code == 204
        return len(queries)

    assert count() <= 25
    assert len(listed(own)) == 1
