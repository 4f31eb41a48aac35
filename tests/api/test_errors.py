"""Error responses: one shape, and a documented code for each reason."""

import inspect
import re
from itertools import chain
from pathlib import Path

import pytest
from django.test import override_settings
from jsonschema import Draft202012Validator
from rest_framework.test import APIClient

from crm.error_codes import INTERNAL, PUBLISHED, ErrorCode
from crm.refusals import Refusal
from crm.refused_writes import refusals
from messaging.services.outbound.send_policy import SendBlocked
from tests.api.error_table import error_table
from tests.api.response_schema import codes_of as documented_codes_of
from tests.api.response_schema import components, document
from tests.errors import code_of, codes_of
from tests.factories import ContactFactory

# Answered outside of the operations: by the server, by the stream, or for a method that a route doesn't have.
OF_NO_OPERATION = {"method_not_allowed", "request_timeout", "headers_too_large", "invalid_ticket", "url_too_long"}
# Of background tasks, whose `error_code` it is.
OF_TASKS = {"file_expired"}
# Raised by the libraries, under these names.
OF_LIBRARIES = {
    "max_decimal_places", "max_digits", "max_string_length", "max_whole_digits", "method_not_allowed", "not_a_list",
    "not_acceptable", "not_authenticated", "no_active_account", "null", "parse_error", "permission_denied",
    "unsupported_media_type", "bad_authorization_header", "throttled",
}  # fmt: skip


def refusal_classes(base=Refusal):
    return [base, *chain.from_iterable(map(refusal_classes, base.__subclasses__()))]


@pytest.mark.parametrize("refusal", refusal_classes()[1:], ids=lambda refusal: refusal.__name__)
def test_every_refusal_has_a_code(refusal):
    own_code = getattr(refusal, "code", None)
    chosen = inspect.signature(refusal).parameters.get("code")
    has_subclasses = bool(refusal.__subclasses__())  # which have one
    required = chosen is not None and chosen.default is chosen.empty
    assert isinstance(own_code, ErrorCode) or required or has_subclasses


def test_refusals_are_found():
    assert len(refusal_classes()) > 12
    assert SendBlocked in refusal_classes()


def test_every_constraint_has_a_code():
    assert {type(refused.code) for refused in refusals().values()} == {ErrorCode}


@pytest.mark.parametrize("code", ErrorCode)
def test_code_says_what_it_means_and_what_to_do(code):
    assert code == code.name.lower()
    assert code.advice.endswith(".")
    assert code.detail[0].isupper()


def documented_responses():
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            for status, response in operation["responses"].items():
                yield f"{method} {path}", int(status), response


def test_every_code_is_documented_for_an_operation():
    documented = set().union(*(documented_codes_of(response) for _, _, response in documented_responses()))
    assert documented | OF_NO_OPERATION | OF_TASKS | INTERNAL == set(ErrorCode)
    assert documented & (OF_NO_OPERATION | OF_TASKS | INTERNAL) == set()


def test_every_code_is_raised_somewhere():
    """Documentation alone is no use: a code that nothing answers would wait in clients for ever."""
    documentation = {"crm/error_codes.py", "crm/api/base/error_responses.py", "crm/api/base/schema.py"}
    texts = [
        path.read_text()
        for app in ("crm", "calls", "messaging", "analytics", "config")
        for path in Path(app).rglob("*.py")
        if str(path) not in documentation
    ]
    raised = {code for code in ErrorCode if any(re.search(rf"ErrorCode\.{code.name}\b|\"{code}\"", t) for t in texts)}
    assert set(ErrorCode) - raised - OF_LIBRARIES == set()


def test_every_documented_error_has_codes_of_its_status():
    errors = [(where, status, response) for where, status, response in documented_responses() if status >= 400]
    assert len(errors) > 500
    for where, status, response in errors:
        codes = documented_codes_of(response)
        assert codes, where
        assert {ErrorCode(code).status for code in codes} == {status}, where


def test_example_of_every_code_matches_the_published_schema():
    validator = Draft202012Validator({"components": components(), "$ref": "#/components/schemas/ErrorResponse"})
    examples = document()["components"]["examples"]
    assert examples.keys() == set(PUBLISHED)
    for code, example in examples.items():
        assert [error.message for error in validator.iter_errors(example["value"])] == [], code
        assert [error["code"] for error in example["value"]["errors"]] == [code]


def test_page_lists_every_code():
    assert Path("docs/errors.md").read_text() == error_table()


@pytest.mark.parametrize(
    ("method", "path", "headers", "code"),
    [
        ("GET", "/api/v1/nonsense", {}, "not_found"),
        ("GET", "/api/nonsense", {}, "not_found"),
        ("GET", "/api/v1/contacts/999999", {}, "not_found"),
        ("PUT", "/api/v1/contacts", {}, "method_not_allowed"),
        ("DELETE", "/api/schema", {}, "method_not_allowed"),
        ("GET", "/api/v1/contacts", {"Accept": "text/html"}, "not_acceptable"),
        ("GET", "/api/v1/contacts", {"Host": "elsewhere.example"}, "bad_request"),
        ("GET", "/api/v1/contacts/%00", {}, "bad_request"),
        ("GET", "/api/v1/contacts?search=%00", {}, "unstorable"),
        ("POST", "/api/v1/contacts", {"Transfer-Encoding": "chunked"}, "length_required"),
        ("POST", "/api/v1/contacts", {"Content-Length": "99999999"}, "body_too_large"),
        ("POST", "/api/v1/contacts", {"Content-Type": "text/plain"}, "unsupported_media_type"),
        ("GET", "/api/v1/users", {}, "permission_denied"),
    ],
)
def test_error_of_each_kind_has_the_shape(method, path, headers, code, csr_api):
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        response = csr_api.generic(method, path, "x", headers=headers)
    assert code_of(response) == code


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "not_authenticated"),
        ("Bearer", "bad_authorization_header"),
        ("Bearer nonsense", "token_not_valid"),
    ],
)
def test_error_of_each_bad_token_has_a_code(header, code, db):
    response = APIClient().get("/api/v1/me", headers={"Authorization": header})
    assert code_of(response) == code
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_each_invalid_field_has_its_own_code(csr_api, acme):
    body = {"first_name": "x" * 101, "phone": "12", "email": "nobody", "nickname": "Bo"}
    assert codes_of(csr_api.post("/api/v1/contacts", body)) == {"nickname": ["unknown_field"]}
    del body["nickname"]
    answer = csr_api.post("/api/v1/contacts", body)
    assert codes_of(answer) == {"first_name": ["max_length"], "phone": ["invalid_phone"], "email": ["invalid"]}
    assert answer.json()["type"] == "validation_error"


def test_invalid_item_of_a_list_is_named_by_its_position(manager_api, acme):
    body = {"call": 1, "objections": ["price", "x" * 101]}
    assert codes_of(manager_api.post("/api/v1/call-analyses", body))["objections.1"] == ["max_length"]


def test_taken_value_has_a_code(csr_api, acme):
    contact = ContactFactory(company=acme)
    assert codes_of(csr_api.post("/api/v1/contacts", {"phone": contact.phone})) == {"phone": ["unique"]}


def test_failure_of_the_program_has_the_shape(csr, monkeypatch):
    monkeypatch.setattr("crm.api.contacts.create_contact", lambda **_fields: 1 / 0)
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(csr)
    response = client.post("/api/v1/contacts", {"phone": "+12125550100"})
    assert (response.status_code, code_of(response)) == (500, "error")
    assert "division" not in response.content.decode()


@pytest.mark.parametrize(("path", "is_api"), [("/api/v1/auth/token", True), ("/admin/login/", False)])
def test_failure_outside_of_the_views_has_the_shape(path, is_api, db, monkeypatch):
    monkeypatch.setattr("config.middleware.WritePositions.__call__", lambda _middleware, _request: 1 / 0)
    response = APIClient(raise_request_exception=False).get(path)
    assert response.status_code == 500
    assert response["Content-Type"].startswith("application/json" if is_api else "text/html")
    if is_api:
        assert code_of(response) == "error"
