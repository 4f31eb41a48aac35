"""Requests at the edges of what HTTP and JSON allow: an answer that names the fault, never a failure."""

import json
import zlib

import pytest
from rest_framework.test import APIClient

from config.wsgi import application
from crm.api.tokens import SessionToken
from tests.api.resources import RESOURCES
from tests.conftest import signed_in
from tests.errors import codes_of, errors_of
from tests.factories import ContactFactory, UserFactory

BEYOND = [2**31, 2**63 - 1, 2**63, 2**64, 10**30, -1, 0]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("nonsense=1", "unknown_parameter"),
        ("limit=0", "invalid"),
        ("limit=1001", "invalid"),
        ("limit=1&limit=1", "invalid"),
        ("limit=", "blank"),
        ("order=newest&order=newest", "invalid"),
        ("cursor=nonsense", "invalid_cursor"),
        ("offset=10001", "invalid"),
        ("count=2", "invalid_choice"),
        (f"ids={','.join(map(str, range(1, 102)))}", "invalid"),
        ("ids=1,,2", "invalid"),
        ("ids=1,9999999999999999999", "invalid"),
        ("ids=1&ids=2", "invalid"),
        ("ids=%D9%A1", "invalid"),
        ("start_date=2026-02-30", "invalid"),
    ],
)
@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_invalid_parameter_is_named_by_every_list(resource, query, code, manager_api):
    answer = manager_api.get(f"{resource.url}?{query}")
    assert codes_of(answer) == {query.partition("=")[0]: [code]}


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_last_allowed_values_are_taken_by_every_list(resource, manager_api):
    ids = ",".join(map(str, range(1, 101)))
    assert manager_api.get(f"{resource.url}?limit=1000&offset=10000&count=1&ids={ids}").status_code == 200
    assert manager_api.get(f"{resource.url}?ids=999999999999999999").json()["results"] == []


def test_cursor_of_a_colleague_is_invalid(manager_api, csr_api, acme):
    ContactFactory.create_batch(2, company=acme)
    following = manager_api.get("/api/v1/contacts?limit=1").json()["next"]
    assert codes_of(csr_api.get(following)) == {"cursor": ["invalid_cursor"]}


@pytest.mark.parametrize("number", BEYOND)
def test_id_that_no_row_can_have_is_no_row(number, csr_api, acme):
    assert codes_of(csr_api.post("/api/v1/leads", {"contact": number})) == {"contact": ["does_not_exist"]}
    if number >= 0:
        assert csr_api.get(f"/api/v1/leads/{number}").status_code == 404
        assert csr_api.get("/api/v1/leads", {"contact": number}).status_code in (200, 400)


@pytest.fixture
def contact(acme):
    return ContactFactory(company=acme)


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("{tag}", 200),
        ("W/{tag}", 200),
        ('"other", {tag}', 200),
        ('"a",W/"b" ,{tag}', 200),
        ("*", 200),
        ('"other"', 412),
        ('W/"other", "another"', 412),
        ('""', 412),
        ("{bare}", 400),
        ('"*"', 412),
        ("{tag},", 400),
        ("* , {tag}", 400),
        ("", 400),
    ],
)
def test_each_form_of_if_match_has_its_answer(form, status, csr_api, contact):
    url = f"/api/v1/contacts/{contact.pk}"
    tag = csr_api.get(url)["ETag"]
    header = form.format(tag=tag, bare=tag.strip('"'))
    answer = csr_api.patch(url, {"city": "Denver"}, headers={"If-Match": header})
    assert answer.status_code == status
    if status == 400:
        assert list(errors_of(answer)) == ["If-Match"]


def test_key_of_another_route_is_refused_and_of_another_user_is_another_key(csr_api, manager_api, contact):
    body, key = {"contact": contact.pk}, {"Idempotency-Key": "k1"}
    first = csr_api.post("/api/v1/leads", body, headers=key)
    flag = csr_api.post("/api/v1/contact-flags", body | {"flag_type": "office_number"}, headers=key)
    assert (first.status_code, flag.status_code) == (201, 422)
    assert csr_api.post("/api/v1/leads", body, headers=key).json() == first.json()
    other = manager_api.post("/api/v1/leads", body, headers=key)
    assert (other.status_code, other.json()["id"] != first.json()["id"]) == (201, True)


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 101, "é"])
def test_key_of_other_characters_is_refused(key, csr_api, contact):
    answer = csr_api.post("/api/v1/leads", {"contact": contact.pk}, headers={"Idempotency-Key": key})
    assert list(errors_of(answer)) == ["Idempotency-Key"]


@pytest.fixture
def as_the_server(monkeypatch):
    """Requests are made as by the application that gunicorn serves."""
    monkeypatch.setattr("django.test.client.WSGIRequest", application.request_class)


@pytest.mark.parametrize("charset", ["zlib", "hex", "idna", "undefined", "utf-16", "latin-1", "nonsense"])
def test_body_and_query_are_utf_8_whatever_the_charset_says(charset, csr_api, acme, as_the_server):
    content_type = f"application/json; charset={charset}"
    body = json.dumps({"phone": "+12125550123", "first_name": "Zoë"}, ensure_ascii=False).encode()
    answer = csr_api.generic("POST", "/api/v1/contacts", body, content_type)
    assert (answer.status_code, answer.json()["first_name"]) == (201, "Zoë")
    found = csr_api.generic("GET", "/api/v1/contacts?search=Zo%C3%AB", b"", content_type)
    assert [row["first_name"] for row in found.json()["results"]] == ["Zoë"]


def test_compressed_body_is_never_unpacked(csr_api, acme, as_the_server):
    bomb = zlib.compress(b" " * 50_000_000)
    answer = csr_api.generic("POST", "/api/v1/contacts", bomb, "application/json; charset=zlib")
    assert codes_of(answer) == {None: ["parse_error"]}


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "a\udfffb"])
def test_text_that_can_not_be_stored_is_named(text, csr_api, acme):
    body = json.dumps({"phone": "+12125550123", "first_name": text})
    answer = csr_api.generic("POST", "/api/v1/contacts", body, "application/json")
    assert codes_of(answer) == {"first_name": ["unstorable"]}


@pytest.mark.parametrize("path", ["auth/token", "auth/token/refresh", "auth/sign-out", "contacts", "events/ticket"])
def test_parameters_of_a_post_are_refused(path, csr):
    answer = signed_in(csr).post(f"/api/v1/{path}?nonsense=1", {})
    assert "unknown_parameter" in codes_of(answer)["nonsense"]


@pytest.mark.parametrize("claims", [{"user_id": 2**70}, {"user_id": "x"}, {"user_id": None}, {"session": 5}])
def test_token_of_our_own_with_odd_claims_is_refused(claims, db):
    token = SessionToken.for_user(UserFactory()).access_token
    token.payload.update(claims)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert client.get("/api/v1/me").status_code == 401
