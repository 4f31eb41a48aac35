"""Malicious requests get a cheap 4xx response in JSON."""

import itertools
import json
import sys

import pytest

from tests.errors import detail_of, errors_of
from tests.factories import ContactFactory

CONTACTS, APPOINTMENTS, TOKEN = "/api/v1/contacts", "/api/v1/appointments", "/api/v1/auth/token"
MEGABYTE = 1024 * 1024


# An ordinary request makes about 5,000 calls, and one look at the names of 40,000 fields 80,000. A serializer that
# validates each of 40,000 values makes more than a million.
MOST_CALLS = 150_000


def count_calls(act):
    """Return the number of Python and C functions that `act` calls: it is the same on every machine, unlike time."""
    calls = itertools.count()

    def count(_frame, event, _function):
        if event in ("call", "c_call"):
            next(calls)

    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(None)
    return next(calls)


@pytest.fixture
def cheaply():
    """Return a function that sends a request and fails if the answer takes more than MOST_CALLS."""

    def ask(request, *args, **kwargs):
        request(*args, **kwargs)  # the first request of a process also fills caches
        answers = []
        calls = count_calls(lambda: answers.append(request(*args, **kwargs)))
        assert calls < MOST_CALLS
        return answers[0]

    return ask


def post_text(api, text, url=CONTACTS):
    return api.post(url, text, content_type="application/json")


def test_body_over_a_megabyte_is_rejected_unread(cheaply, csr_api):
    response = cheaply(post_text, csr_api, b'"' + b"x" * MEGABYTE + b'"')
    assert response.status_code == 413
    assert detail_of(response)


@pytest.mark.parametrize("url", [CONTACTS, TOKEN, "/webhooks/openphone/acme", "/admin/login/"])
def test_body_of_unknown_size_is_refused(url, csr_api):
    response = csr_api.post(url, {"phone": "+12125550100"}, headers={"Transfer-Encoding": "chunked"})
    assert response.status_code == 411
    assert "Content-Length" in detail_of(response)


def test_body_below_the_limit_is_read(cheaply, csr_api):
    response = cheaply(post_text, csr_api, b'"' + b"x" * (MEGABYTE - 2) + b'"')
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
def test_malicious_json_is_a_bad_request(url, body, cheaply, csr_api):
    response = cheaply(post_text, csr_api, body, url)
    assert response.status_code == 400
    assert isinstance(response.json(), dict)


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b", ["a\0"], {"x": {"y": "\udfff"}}, {"\0": 1}])
def test_unstorable_text_is_rejected_by_field(text, csr_api):
    response = post_text(csr_api, json.dumps({"phone": "+12125550100", "first_name": text}))
    assert response.status_code == 400
    assert list(errors_of(response)) == ["first_name"]


def test_unicode_characters_are_kept(csr_api):
    name = "Zoë 🏠 \\u0000"
    response = post_text(csr_api, json.dumps({"phone": "+12125550100", "first_name": name}))
    assert response.status_code == 201
    assert response.json()["first_name"] == name


@pytest.mark.parametrize("url", [CONTACTS, TOKEN])
@pytest.mark.parametrize("form", ["multipart", "urlencoded"])
def test_forms_and_files_are_rejected(url, form, client, csr_api):
    if form == "multipart":
        response = csr_api.post(
            url, {"phone": "+12125550100"}, format=None, content_type="multipart/form-data; boundary=x"
        )
    else:
        response = csr_api.post(url, "phone=1", content_type="application/x-www-form-urlencoded")
    assert response.status_code == 415
    assert detail_of(response)


@pytest.mark.parametrize("query", ["search=a%00b", "%00=1", "limit=1%00", "nonsense=%00"])
def test_nul_in_a_query_is_rejected_by_name(query, csr_api):
    response = csr_api.get(f"{CONTACTS}?{query}")
    assert response.status_code == 400
    assert [name.replace("\0", "%00") for name in errors_of(response)] == [query.partition("=")[0]]


@pytest.mark.parametrize("path", ["/api/v1/contacts/%00", "/admin/%00", "/webhooks/openphone/%00", "/%00"])
def test_nul_in_a_path_is_a_bad_request(path, client, db):
    response = client.get(path)
    assert response.status_code == 400
    assert detail_of(response)


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
def test_excessive_query_is_a_bad_request(query, cheaply, csr_api):
    response = cheaply(csr_api.get, f"{APPOINTMENTS}?{query}")
    assert response.status_code == 400
    assert isinstance(response.json(), dict)


def test_too_long_date_range_is_a_bad_request(cheaply, csr_api):
    response = cheaply(csr_api.get, "/api/v1/dashboard/booking-rate?start_date=1990-01-01&end_date=2090-01-01")
    assert response.status_code == 400


def test_too_long_text_is_rejected_by_field(csr_api, acme):
    contact = ContactFactory(company=acme)
    response = csr_api.patch(f"{CONTACTS}/{contact.pk}", {"first_name": "x" * 1_000_000})
    assert response.status_code == 400
    assert list(errors_of(response)) == ["first_name"]


def test_large_admin_form_is_rejected_before_its_files_are_written(client, db):
    body = b"--x\r\n" + b"x" * MEGABYTE
    assert client.post("/admin/login/", body, content_type="multipart/form-data; boundary=x").status_code == 413
