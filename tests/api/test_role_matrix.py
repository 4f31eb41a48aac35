"""Permissions of every caller on every route and method."""

from pathlib import Path

import pytest

from crm.api.base.roles import PERMISSIONS
from crm.choices import Role
from tests.api.role_fixture import Answer, Fixture
from tests.api.role_spec import CALLERS, METHODS, NOBODY, OWN, ROLE_OF, ROUTES, SIGN_IN, STAFF, WRITES_NOTHING, expected
from tests.api.role_table import role_table


@pytest.fixture
def fixture(db):
    return Fixture()


def test_every_role_has_a_caller():
    assert set(ROLE_OF.values()) == set(Role.values)


def test_permissions_and_routes_match():
    of_accounts = {route for route in ROUTES if route.path in OWN}
    assert {route.path for route in of_accounts} == set(OWN)
    assert {route.resource for route in set(ROUTES) - of_accounts} == {*PERMISSIONS, *SIGN_IN}


@pytest.mark.slow
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_response_of_every_method_matches_the_permissions(route, caller, fixture):
    answers, wanted = {}, {}
    for method in METHODS:
        answers[method] = fixture.ask(caller, route, method)
        names_a_row = bool({"contact", "call", "appointment", "rep"} & set(fixture.body(route, method)))
        status = expected(caller, route, method, body_names_a_row=names_a_row)
        writes = status < 300 and route.resource in PERMISSIONS and method in ("POST", "PATCH", "DELETE")
        writes = writes and route.resource not in WRITES_NOTHING
        writes = writes or (route.is_export and status == 200 and method in ("GET", "HEAD"))  # the audit entries
        company = "globex" if caller == "outsider" else "acme"
        if route.path in ("auth/token", "auth/set-password") and method == "POST":  # rows of acme's manager
            writes, company = True, "acme"
        if (route.path, method) == ("me/password", "POST"):
            writes, company = caller != NOBODY, "?" if caller == STAFF else company  # "?": of no company
        wanted[method] = Answer(status, frozenset({company} if writes else ()))
    assert answers == wanted


def test_roles_document_matches_the_permissions():
    assert Path("docs/roles.md").read_text() == role_table()
