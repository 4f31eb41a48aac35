"""Requests that are made to hurt get a 4xx, in the API's shape, in milliseconds."""

import json
import time

import pytest

from tests.factories import ContactFactory

CONTACTS, APPOINTMENTS, TOKEN = "/api/v1/contacts", "/api/v1/appointments", "/api/v1/auth/token"
MEGABYTE = 1024 * 1024


@pytest.fixture
def timed():
    """Ask, and fail where the answer takes longer than a person would notice."""

    def ask(request, *args, **kwargs):
        request(*args, **kwargs)  # what is read once a process is not this request's cost
        begin = time.perf_counter()
        response = request(*args, **kwargs)
        assert time.perf_counter() - begin < 0.25
        return response

    return ask


def post_text(api, text, url=CONTACTS):
    return api.post(url, text, content_type="application/json")


def test_a_body_over_a_megabyte_is_refused_unread(timed, csr_api):
    response = timed(post_text, csr_api, b'"' + b"x" * MEGABYTE + b'"')
    assert response.status_code == 413
    assert "detail" in response.json()


def test_a_body_just_below_is_read(timed, csr_api):
    response = timed(post_text, csr_api, b'"' + b"x" * (MEGABYTE - 2) + b'"')
    assert response.status_code == 400


@pytest.mark.parametrize("url", [CONTACTS, TOKEN])
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"first_name":' * 30 + b"1" + b"}" * 30,
        json.dumps({"phone": [0] * 300_000}).encode(),
        json.dumps({f"field{n}": n for n in range(40_000)}).encode(),
        b'{"phone": ' + b"9" * 900_000 + b"}",
        b'{"phone": 1e999999}',
        b'{"\\ud800": 1}',
        b"\xff\xfe",
        b"",
        b"null",
    ],
    ids=["open", "deep", "deep-object", "long", "wide", "digits", "huge", "half-name", "bytes", "empty", "null"],
)
def test_json_that_is_made_to_hurt_is_a_bad_request(url, body, timed, csr_api):
    response = timed(post_text, csr_api, body, url)
    assert response.status_code == 400
    assert isinstance(response.json(), dict)


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b", ["a\0"], {"x": {"y": "\udfff"}}, {"\0": 1}])
def test_text_that_can_not_be_stored_is_refused_by_field(text, csr_api):
    response = post_text(csr_api, json.dumps({"phone": "+12125550100", "first_name": text}))
    assert response.status_code == 400
    assert list(response.json()) == ["first_name"]


def test_characters_of_every_kind_are_kept(csr_api):
    name = "Zoë 🏠 \\u0000"
    response = post_text(csr_api, json.dumps({"phone": "+12125550100", "first_name": name}))
    assert response.status_code == 201
    assert response.json()["first_name"] == name


@pytest.mark.parametrize("url", [CONTACTS, TOKEN])
@pytest.mark.parametrize("form", ["multipart", "urlencoded"])
def test_forms_and_files_are_not_taken(url, form, client, csr_api):
    if form == "multipart":
        response = csr_api.post(
            url, {"phone": "+12125550100"}, format=None, content_type="multipart/form-data; boundary=x"
        )
    else:
        response = csr_api.post(url, "phone=1", content_type="application/x-www-form-urlencoded")
    assert response.status_code == 415
    assert "detail" in response.json()


@pytest.mark.parametrize("query", ["search=a%00b", "%00=1", "limit=1%00", "nonsense=%00"])
def test_a_nul_in_a_query_is_refused_by_name(query, csr_api):
    response = csr_api.get(f"{CONTACTS}?{query}")
    assert response.status_code == 400
    assert [name.replace("\0", "%00") for name in response.json()] == [query.partition("=")[0]]


@pytest.mark.parametrize("path", ["/api/v1/contacts/%00", "/admin/%00", "/webhooks/openphone/%00", "/%00"])
def test_a_nul_in_a_path_is_a_bad_request(path, client, db):
    response = client.get(path)
    assert response.status_code == 400
    assert "detail" in response.json()


@pytest.mark.parametrize(
    "query",
    [
        "limit=1000000000",
        "limit=" + "9" * 3000,
        "offset=1000000000",
        "contact=" + "9" * 3000,
        "start_date=0001-01-01",
        "end_date=9999-12-31",
        "start_date=99999999-01-01",
        "cursor=" + "W1" * 1500,
        "&".join("a" for _ in range(2000)),
    ],
)
def test_a_query_out_of_all_bounds_is_a_bad_request(query, timed, csr_api):
    response = timed(csr_api.get, f"{APPOINTMENTS}?{query}")
    assert response.status_code == 400
    assert isinstance(response.json(), dict)


def test_a_range_of_too_many_days_is_a_bad_request(timed, csr_api):
    response = timed(csr_api.get, "/api/v1/dashboard/booking-rate?start_date=1990-01-01&end_date=2090-01-01")
    assert response.status_code == 400


def test_a_long_text_is_refused_by_field(csr_api, acme):
    contact = ContactFactory(company=acme)
    response = csr_api.patch(f"{CONTACTS}/{contact.pk}", {"first_name": "x" * 1_000_000})
    assert response.status_code == 400
    assert list(response.json()) == ["first_name"]


def test_a_large_form_to_the_admin_is_refused_before_its_files_are_written(client, db):
    body = b"--x\r\n" + b"x" * MEGABYTE
    assert client.post("/admin/login/", body, content_type="multipart/form-data; boundary=x").status_code == 413
