"""Behaviour common to every list of the API."""

import json
from base64 import urlsafe_b64decode
from urllib.parse import parse_qs, urlsplit

import pytest

from crm.api.base.pagination import cursor_signer, encode_cursor
from tests.api.resources import RESOURCES
from tests.count_queries import CountQueries
from tests.errors import errors_of
from tests.factories import CallFactory, ContactFactory, PhoneLineFactory

every_resource = pytest.mark.parametrize("resource", RESOURCES, ids=str)
every_list_by_time = pytest.mark.parametrize("resource", [each for each in RESOURCES if each.by_time], ids=str)


def make_row(resource, company, **values):
    """Return a row of `company`, with its references in the same company."""
    if resource.route == "call-analyses":
        contact = values.pop("contact", None) or ContactFactory(company=company)
        return resource.factory(call=CallFactory(contact=contact), **values)
    if resource.has_contact and "contact" not in values:
        values["contact"] = ContactFactory(company=company)
    return resource.factory(**values) if resource.has_contact else resource.factory(company=company, **values)


def ids(response):
    assert response.status_code == 200, response.content
    return {row["id"] for row in response.json()["results"]}


@every_resource
def test_list_shows_only_the_companys_rows(resource, manager_api, acme, globex):
    own, foreign = make_row(resource, acme), make_row(resource, globex)
    listed = ids(manager_api.get(resource.url))
    assert own.pk in listed
    assert foreign.pk not in listed


@every_resource
def test_list_takes_a_constant_number_of_queries(resource, manager_api, acme):
    counts = []
    make_row(resource, acme)
    manager_api.get(resource.url)  # fills caches of the process
    for more in (0, 2):
        for _ in range(more):
            make_row(resource, acme)
        with CountQueries() as queries:
            manager_api.get(resource.url)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 7  # the page, and one for each companion


@every_resource
def test_list_requires_a_sign_in(resource, client, acme):
    make_row(resource, acme)
    assert client.get(resource.url).status_code == 401


@every_resource
def test_list_rejects_staff_without_a_company(resource, staff):
    from tests.conftest import signed_in

    assert signed_in(staff).get(resource.url).status_code == 403


@every_resource
@pytest.mark.parametrize(
    "query",
    [
        "nonsense=1", "limit=0", "limit=1001", "limit=ten", "limit=", "limit=-1", "limit=9999999999999999999999",
        "offset=-1", "offset=10001", "cursor=xyz", "cursor=bnVsbA", "count=2", "limit=1&limit=2", "format=xml",
    ],
)  # fmt: skip
def test_unknown_or_invalid_parameter_is_named(resource, query, manager_api):
    response = manager_api.get(f"{resource.url}?{query}")
    assert response.status_code == 400
    assert query.partition("=")[0] in errors_of(response)


FORGED = [
    [False, "0001-01-01T00:00:00Z", 1],
    [False, "1969-12-31T23:59:59Z", 1],
    [False, "9999-12-31T23:59:59Z", 1],
    [False, "0001-01-01T00:00:00+14:00", 1],
    [False, "0001-01-01T00:00:00+00:00:01", 1],
    [False, "9999-12-31T23:59:59.999999-23:59", 1],
    [False, "2026-03-02T16:00:00", 1],
    [False, "2026-03-02", 1],
    [False, "٢٠٢٦-03-02T16:00:00Z", 1],
    [False, 5, 1],
    [False, None, 1],
    [False, ["2026-03-02T16:00:00Z"], 1],
    [False, "2026-03-02T16:00:00Z", float("inf")],
    [False, "2026-03-02T16:00:00Z", float("nan")],
    [False, "2026-03-02T16:00:00Z", 1.0],
    [False, "2026-03-02T16:00:00Z", True],
    [False, "2026-03-02T16:00:00Z", 0],
    [False, "2026-03-02T16:00:00Z", 2**63],
    [0, "2026-03-02T16:00:00Z", 1],
    [False, "2026-03-02T16:00:00Z"],
    {"backwards": False, "time": "2026-03-02T16:00:00Z", "key": 1},
]
IN_RANGE = ["1970-01-01T00:00:00Z", "1970-01-01T14:00:00+14:00", "2100-12-30T10:00:00-14:00", "2100-12-31T00:00:00Z"]


def order_of(resource, api, acme):
    """Return the name of the list's order in its cursors."""
    for _ in range(2):
        make_row(resource, acme)
    parameters = parse_qs(urlsplit(api.get(resource.url, {"limit": 1}).json()["next"]).query)
    return json.loads(urlsafe_b64decode(f"{parameters['cursor'][0].partition(':')[0]}=="))[2]


def cursor_at(position, resource, user):
    """Return a cursor with any content, signed for this user and list."""
    return cursor_signer(user, resource.url).sign(encode_cursor(position))


@every_list_by_time
def test_forged_cursor_is_a_bad_request_and_never_fails(resource, manager, manager_api, acme):
    order = order_of(resource, manager_api, acme)
    forgeries = [[*parts[:2], order, *parts[2:]] if isinstance(parts, list) else parts for parts in FORGED]
    answers = {
        str(forged): manager_api.get(resource.url, {"cursor": cursor_at(forged, resource, manager)})
        for forged in forgeries
    }
    named = {forged: (answer.status_code, list(errors_of(answer))) for forged, answer in answers.items()}
    assert named == dict.fromkeys(answers, (400, ["cursor"]))
    for time in IN_RANGE:
        for backwards in (False, True):
            cursor = cursor_at([backwards, time, order, 2**63 - 1], resource, manager)
            assert manager_api.get(resource.url, {"cursor": cursor}).status_code == 200


@every_list_by_time
def test_cursor_of_another_order_is_refused(resource, manager, manager_api, acme):
    order = order_of(resource, manager_api, acme)
    other = order[1:] if order.startswith("-") else f"-{order}"
    for name, status in ((order, 200), (other, 400), ("call", 400), (None, 400), ([order], 400)):
        cursor = cursor_at([False, IN_RANGE[0], name, 1], resource, manager)
        assert manager_api.get(resource.url, {"cursor": cursor}).status_code == status, name


def test_cursor_of_another_user_or_list_is_refused(manager_api, csr_api, acme):
    ContactFactory.create_batch(2, company=acme)
    next_page = manager_api.get("/api/v1/contacts", {"limit": 1}).json()["next"]
    assert manager_api.get(next_page).status_code == 200
    for api, page in ((csr_api, next_page), (manager_api, next_page.replace("contacts", "leads"))):
        refused = api.get(page)
        assert (refused.status_code, list(errors_of(refused))) == (400, ["cursor"])


@every_resource
def test_cursor_pages_hold_every_row_once_and_lead_back(resource, manager_api, acme):
    made = {make_row(resource, acme).pk for _ in range(5)}
    pages, url = [], f"{resource.url}?limit=2"
    while url:
        page = manager_api.get(url).json()
        pages.append([row["id"] for row in page["results"]])
        last, url = page, page["next"]
    walked = [pk for page in pages for pk in page]
    assert made <= set(walked)
    assert len(walked) == len(set(walked))
    back = []
    while last["previous"]:
        last = manager_api.get(last["previous"]).json()
        back.append([row["id"] for row in last["results"]])
    assert back == pages[-2::-1]


@every_resource
def test_offset_pages_equal_cursor_pages(resource, manager_api, acme):
    for _ in range(3):
        make_row(resource, acme)
    whole = [row["id"] for row in manager_api.get(resource.url).json()["results"]]
    page = manager_api.get(f"{resource.url}?limit=1&offset=1").json()
    assert [row["id"] for row in page["results"]] == whole[1:2]
    assert "offset=2" in page["next"]
    assert "offset=0" in page["previous"]


@every_resource
def test_count_is_returned_on_request(resource, manager_api, acme):
    make_row(resource, acme)
    assert "count" not in manager_api.get(resource.url).json()
    answer = manager_api.get(f"{resource.url}?count=1").json()
    assert answer["count"] == len(answer["results"]) >= 1
    assert answer["count_capped"] is False


def test_count_is_capped(manager_api, acme, monkeypatch):
    monkeypatch.setattr("crm.api.base.pagination.MAX_COUNTED", 2)
    for n in range(3):
        answer = manager_api.get("/api/v1/phone-lines?count=1&limit=1").json()
        assert (answer["count"], answer["count_capped"]) == (n, False)
        PhoneLineFactory(company=acme)
    answer = manager_api.get("/api/v1/phone-lines?count=1&limit=1").json()
    assert (answer["count"], answer["count_capped"]) == (2, True)


@pytest.mark.parametrize("resource", [r for r in RESOURCES if r.detail], ids=str)
def test_list_shows_a_row_like_its_detail_route(resource, manager_api, acme):
    row = make_row(resource, acme)
    listed = [each for each in manager_api.get(resource.url).json()["results"] if each["id"] == row.pk]
    whole = manager_api.get(f"{resource.url}/{row.pk}").json()  # the detail route may show more
    assert [each.items() <= whole.items() for each in listed] == [True]


@pytest.mark.parametrize("resource", [r for r in RESOURCES if r.has_contact], ids=str)
def test_list_can_be_filtered_by_contact(resource, manager_api, acme):
    contact, other = ContactFactory(company=acme), ContactFactory(company=acme)
    wanted = make_row(resource, acme, contact=contact)
    make_row(resource, acme, contact=other)
    assert ids(manager_api.get(f"{resource.url}?contact={contact.pk}")) == {wanted.pk}
    assert manager_api.get(f"{resource.url}?contact=x").status_code == 400
    assert manager_api.get(f"{resource.url}?contact={2**63}").status_code == 400


@pytest.mark.parametrize("resource", [r for r in RESOURCES if r.detail], ids=str)
def test_another_companys_row_is_not_found(resource, manager_api, acme, globex):
    own, foreign = make_row(resource, acme), make_row(resource, globex)
    assert manager_api.get(f"{resource.url}/{own.pk}").json()["id"] == own.pk
    for method in ("get", "patch", "delete"):
        status = getattr(manager_api, method)(f"{resource.url}/{foreign.pk}", {}).status_code
        assert status in (404, 405), f"{method} returned {status}"
    assert manager_api.get(f"{resource.url}/{foreign.pk}").status_code == 404
    assert manager_api.get(f"{resource.url}/999999999999999999").status_code == 404
    assert manager_api.get(f"{resource.url}/99999999999999999999").status_code == 404


@pytest.mark.parametrize(
    ("route", "parameter", "value"),
    [
        ("calls", "status", "booked"),
        ("calls", "status", "Missed"),
        ("dashboard/calls", "status", "all"),
        ("dashboard/calls", "start_date", "yesterday"),
        ("dashboard/calls", "end_date", "9999-12-31"),
        ("dashboard/calls", "assigned_rep", "ralph"),
        ("appointments", "status", "done"),
        ("appointments", "date", "2026-02-30"),
        ("leads", "status", "hot"),
        ("invoices", "status", "late"),
        ("activities", "activity_type", "fax"),
        ("contact-flags", "flag_type", "vip"),
        ("campaigns", "status", "active"),
        ("campaign-memberships", "campaign", "0"),
        ("webhook-events", "processed", "maybe"),
        ("users", "role", "boss"),
        ("phone-lines", "provider", "att"),
        ("contacts", "search", "a"),
        ("contacts", "search", "a b"),
        ("contacts", "search", "--!"),
        ("contacts", "search", "😀😀"),
        ("contacts", "search", "a\x00bc"),
    ],
)
def test_invalid_filter_value_is_rejected_by_name(route, parameter, value, manager_api):
    response = manager_api.get(f"/api/v1/{route}", {parameter: value})
    assert response.status_code == 400
    assert list(errors_of(response)) == [parameter]
