"""Every route, every method, every kind of caller: the answer is the table's, and a refusal changes nothing."""

from pathlib import Path

import pytest

from crm.api.base.roles import PERMISSIONS
from tests.api.role_fixture import Answer, Fixture
from tests.api.role_spec import CALLERS, ME, METHODS, ROUTES, SIGN_IN, expected
from tests.api.role_table import role_table


@pytest.fixture
def world(db):
    return Fixture()


def test_every_route_is_in_the_table_and_every_row_of_the_table_has_a_route():
    assert {route.resource for route in ROUTES} == {*PERMISSIONS, *SIGN_IN, ME}


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_each_method_answers_the_caller_as_the_table_says(route, caller, world):
    answers, wanted = {}, {}
    for method in METHODS:
        answers[method] = world.ask(caller, route, method)
        names_a_row = bool({"contact", "call"} & set(world.body(route, method)))
        status = expected(caller, route, method, body_names_a_row=names_a_row)
        writes = status < 300 and route.resource in PERMISSIONS and method in ("POST", "PUT", "PATCH", "DELETE")
        company = "globex" if caller == "outsider" else "acme"
        if (route.path, method) == (
            "auth/token",
            "POST",
        ):  # notes when acme's manager, in whose name it is, came in last
            writes, company = True, "acme"
        wanted[method] = Answer(status, frozenset({company} if writes else ()))
    assert answers == wanted


def test_the_document_shows_the_table():
    assert Path("docs/roles.md").read_text() == role_table()
