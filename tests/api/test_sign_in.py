"""Sign-in and sign-out, and users."""

import pytest
from rest_framework.test import APIClient

from tests.errors import errors_of
from tests.factories import PASSWORD, ContactFactory, UserFactory

TOKEN, REFRESH, SIGN_OUT, ME = (
    f"/api/v1/{route}" for route in ("auth/token", "auth/token/refresh", "auth/sign-out", "me")
)


@pytest.fixture
def api():
    return APIClient()


def sign_in(api, user):
    return api.post(TOKEN, {"username": user.username, "password": PASSWORD})


def test_access_token_gives_access_to_the_companys_rows(api, csr, acme):
    tokens = sign_in(api, csr).json()
    assert set(tokens) == {"access", "refresh"}
    contact = ContactFactory(company=acme)
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access']}")
    assert api.get(f"/api/v1/contacts/{contact.pk}").json()["phone"] == contact.phone
    assert api.get(ME).json() == {
        "id": csr.pk,
        "username": "carla",
        "first_name": "",
        "last_name": "",
        "email": "",
        "role": "csr",
        "second_factor_since": None,
        "company": {
            "id": acme.pk,
            "name": "Acme Roofing",
            "slug": "acme",
            "timezone": "America/Denver",
            "currency": "USD",
        },
    }


def test_wrong_password_or_username_is_rejected(api, csr):
    for username, password in ((csr.username, "wrong"), ("nobody", PASSWORD)):
        response = api.post(TOKEN, {"username": username, "password": password})
        assert response.status_code == 401
        assert "access" not in response.json()


def test_invalid_token_is_rejected(api):
    api.credentials(HTTP_AUTHORIZATION="Bearer nonsense")
    assert api.get(ME).status_code == 401


def test_missing_credentials_are_named(api, db):
    assert set(errors_of(api.post(TOKEN, {}))) == {"username", "password"}


def test_refresh_token_works_until_sign_out(api, csr):
    tokens = api.post(REFRESH, sign_in(api, csr).json()).json()
    assert set(tokens) == {"access", "refresh"}
    assert api.post(SIGN_OUT, {"refresh": tokens["refresh"]}).status_code == 204
    assert api.post(REFRESH, {"refresh": tokens["refresh"]}).status_code == 401
    assert api.post(SIGN_OUT, {"refresh": tokens["refresh"]}).status_code == 401


def test_deactivated_user_loses_access_at_once(api, csr):
    tokens = sign_in(api, csr).json()
    csr.is_active = False
    csr.save()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access']}")
    assert api.get(ME).status_code == 401
    api.credentials()
    assert api.post(REFRESH, tokens).status_code == 401
    assert sign_in(api, csr).status_code == 401


def test_staff_can_read_me_without_a_company(api, staff):
    api.force_authenticate(staff)
    assert api.get(ME).json()["company"] is None


@pytest.mark.parametrize("role", ["csr", "rep"])
@pytest.mark.parametrize("route", ["users", "webhook-events"])
def test_users_and_webhook_events_are_for_managers_only(role, route, api, acme):
    api.force_authenticate(UserFactory(company=acme, role=role))
    assert api.get(f"/api/v1/{route}").status_code == 403


def test_manager_creates_a_user_who_can_sign_in(api, manager, manager_api, acme):
    body = {"username": "nina", "password": "shingle-99-x", "role": "csr"}
    answer = manager_api.post("/api/v1/users", body)
    assert answer.status_code == 201, answer.content
    assert "password" not in answer.json()
    assert "access" in api.post(TOKEN, {"username": "nina", "password": "shingle-99-x"}).json()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"password": "12345"}, "password"),
        ({"role": ""}, "role"),
        ({"role": "staff"}, "role"),
        ({"username": "maria"}, "username"),
        ({"is_staff": True}, "is_staff"),
        ({"company": 1}, "company"),
    ],
)
def test_invalid_user_is_rejected_by_field(change, named, manager, manager_api):
    body = {"username": "nina", "password": "shingle-99-x", "role": "csr"} | change
    response = manager_api.post("/api/v1/users", body)
    assert response.status_code == 400
    assert named in errors_of(response)
