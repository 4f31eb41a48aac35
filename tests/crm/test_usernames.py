"""Usernames that differ by case alone."""

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from crm.models import User
from tests.database_errors import refused
from tests.errors import errors_of
from tests.factories import UserFactory

NAMED = {"username": ["A user with that username already exists."]}
PASSWORDS = {"usable_password": "true", "password1": "a-long-Passw0rd", "password2": "a-long-Passw0rd"}


def test_username_in_another_case_is_refused_by_the_database(manager):
    with refused("users_username_lower_unique"):
        UserFactory(username="Maria")


@pytest.mark.parametrize("username", ["MARIA", "Olga"])
def test_username_of_another_user_in_another_case_is_named(username, manager_api, outsider):
    body = {"username": username, "password": "copper-flashing-7", "role": "csr"}
    response = manager_api.post("/api/v1/users", body)
    assert (response.status_code, errors_of(response)) == (400, NAMED)


def test_user_renamed_to_another_ones_username_in_another_case_is_refused(manager_api, csr):
    response = manager_api.patch(f"/api/v1/users/{csr.pk}", {"username": "Maria"})
    assert (response.status_code, errors_of(response)) == (400, NAMED)


def test_user_may_change_the_case_of_the_own_username(manager_api, csr):
    assert manager_api.patch(f"/api/v1/users/{csr.pk}", {"username": "Carla"}).status_code == 200


def test_username_in_another_case_is_refused_in_the_admin(client, staff, manager, acme):
    client.force_login(staff)
    form = {"username": "Maria", "company": acme.pk, "role": "csr", **PASSWORDS}
    response = client.post(reverse("admin:crm_user_add"), form)
    assert response.context["adminform"].form.errors == NAMED


def test_company_with_a_manager_of_another_case_is_refused(manager):
    with pytest.raises(CommandError, match="A user with that username already exists"):
        call_command("create_company", name="Initech", slug="initech", timezone="America/Denver", manager="Maria")


@pytest.mark.parametrize("typed", ["Ｍaria", "MARIA", "Ｍａｒｉａ"])
def test_user_renamed_to_another_spelling_of_another_ones_username_is_refused(manager_api, csr, typed):
    response = manager_api.patch(f"/api/v1/users/{csr.pk}", {"username": typed})
    assert (response.status_code, errors_of(response)) == (400, NAMED)


def test_accented_username_signs_in_however_its_accent_is_typed(acme):
    UserFactory(company=acme, username="rené")
    for typed in ("rene\u0301", "ren\u00e9"):
        assert User.accounts.get_by_natural_key(typed).username == "ren\u00e9"


def test_two_cases_of_a_username_are_one_account(manager):
    assert User.accounts.get_by_natural_key("MARIA") == manager
