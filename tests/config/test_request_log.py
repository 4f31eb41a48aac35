"""The request ID, and the log line of each request."""

import logging
import re

import pytest

from config.logs import REQUEST_ID, RequestIDFilter
from config.request_log import METHODS, shorten_route
from tests.conftest import signed_in
from tests.count_queries import CountQueries
from tests.factories import ContactFactory, WebhookSecretFactory
from tests.messaging.payloads import message_v4, post_event

pytestmark = pytest.mark.django_db
LOGGER = "config.request_log"


@pytest.fixture
def lines(caplog):
    """Return a function that returns the fields of the requests logged so far."""
    caplog.set_level(logging.INFO, logger=LOGGER)
    caplog.handler.addFilter(RequestIDFilter())
    return lambda: [record for record in caplog.records if record.name == LOGGER]


@pytest.mark.parametrize("given", ["a", "abc-123", "7f3c.A_b-9", "x" * 128])
def test_valid_request_id_is_returned(given, client):
    assert client.get("/healthz", headers={"X-Request-ID": given})["X-Request-ID"] == given


@pytest.mark.parametrize(
    "given", [None, "", "x" * 129, "two words", "a\r\nb", "+12125550100", "a@b.example", "é", "<b>"]
)
def test_missing_or_invalid_request_id_is_replaced(given, client):
    ids = [client.get("/healthz", headers={"X-Request-ID": given} if given is not None else {}) for _ in range(2)]
    first, second = (answer["X-Request-ID"] for answer in ids)
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert first != second


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("get", "/", 302), ("get", "/nowhere", 404), ("get", "/api/v1/contacts", 401), ("get", "/api/v1/nothing", 404),
        ("post", "/webhooks/openphone/acme", 404), ("get", "/metrics", 404), ("get", "/admin/login/", 200),
        ("get", "/api/v1/contacts?search=%00", 400), ("options", "/api/v1/contacts", 401),
    ],
)  # fmt: skip
def test_every_answer_has_a_request_id(method, url, status, client, settings):
    settings.METRICS_TOKEN = ""
    answer = getattr(client, method)(url, headers={"X-Request-ID": "mine"})
    assert (answer.status_code, answer["X-Request-ID"]) == (status, "mine")


def test_every_record_of_a_request_has_its_id_and_no_later_one(lines, caplog, client):
    caplog.set_level(logging.INFO, logger="django.request")
    client.get("/api/v1/nothing", headers={"X-Request-ID": "first"})  # Django logs a 404 after the last middleware
    logging.getLogger("crm.later").warning("later")
    by_logger = {record.name: record.request_id for record in caplog.records}
    assert by_logger == {LOGGER: "first", "django.request": "first", "crm.later": "-"}


def test_request_id_is_known_to_the_view(client, monkeypatch):
    seen = []
    monkeypatch.setattr("config.health.Probe.report", lambda self: seen.append(REQUEST_ID.get()) or JsonOK())
    client.get("/readyz", headers={"X-Request-ID": "mine"})
    assert seen == ["mine"]


def JsonOK():  # noqa: N802
    from django.http import JsonResponse

    return JsonResponse({})


def test_request_is_logged_by_its_route_with_ids_and_without_names(lines, manager):
    contact = ContactFactory(company=manager.company, first_name="Zelda")
    signed_in(manager).get(f"/api/v1/contacts/{contact.pk}")
    signed_in(manager).get("/api/v1/contacts?search=Zelda")
    one, found = lines()
    assert (one.method, one.route, one.status) == ("GET", "api/v1/contacts/<pk>", 200)
    assert (one.company_id, one.user_id, one.levelname) == (manager.company_id, manager.pk, "INFO")
    assert one.duration_ms > 0
    assert re.fullmatch(
        rf"GET api/v1/contacts/<pk> 200 in [\d.]+ ms \(company {manager.company_id}, user {manager.pk}\)",
        one.getMessage(),
    )
    assert found.route == "api/v1/contacts"
    assert "Zelda" not in found.getMessage()
    assert manager.username not in one.getMessage()


def test_webhook_is_logged_with_its_company_and_without_its_name(lines, client, acme):
    secret = WebhookSecretFactory(company=acme)
    assert post_event(client, message_v4(), secret=secret.secret).status_code == 200
    [line] = lines()
    assert (line.route, line.company_id, line.user_id) == ("webhooks/<provider>/<slug>", acme.pk, None)
    assert "acme" not in line.getMessage()


def test_staff_are_logged_without_a_company(lines, client, staff):
    client.force_login(staff)
    client.get("/admin/")
    [line] = lines()
    assert (line.route, line.company_id, line.user_id) == ("admin/", None, staff.pk)


def test_visitor_is_logged_without_ids(lines, client):
    client.get("/api/v1/contacts")
    [line] = lines()
    assert (line.status, line.company_id, line.user_id) == (401, None, None)


@pytest.mark.parametrize("url", ["/healthz", "/readyz", "/metrics"])
def test_requests_of_programs_are_not_logged(url, lines, client):
    client.get(url)
    assert not lines()


def test_invented_method_is_logged_as_other(lines, client):
    client.generic("BREW", "/nowhere")
    [line] = lines()
    assert (line.method, line.route, line.status) == ("other", "other", 404)


@pytest.mark.parametrize(("limit", "level"), [(0, "INFO"), (1, "WARNING"), (10**9, "INFO")])
def test_slow_request_is_a_warning(limit, level, lines, client, settings, monkeypatch):
    settings.SLOW_REQUEST_MS = limit
    clock = iter([5.0, 5.002])
    monkeypatch.setattr("config.request_log.time.perf_counter", lambda: next(clock))
    client.get("/nowhere")
    [line] = lines()
    assert (line.levelname, line.duration_ms) == (level, 2.0)
    assert line.getMessage().startswith("Slow request: GET" if level == "WARNING" else "GET")


def test_log_line_costs_no_query(lines, caplog, client, staff):
    client.force_login(staff)
    queries = []
    for level in (logging.INFO, logging.ERROR):
        caplog.set_level(level, logger=LOGGER)
        with CountQueries() as counted:
            client.get("/")  # signed in, but the page doesn't read the user
        queries.append(len(counted))
    assert queries[0] == queries[1]
    assert lines()[0].user_id is None


def test_failed_request_is_logged_as_500(lines, client, monkeypatch):
    def fail(*_args, **_kwargs):
        raise RuntimeError("broken")

    monkeypatch.setattr("messaging.webhooks.views.find_company", fail)
    client.raise_request_exception = False
    answer = client.post("/webhooks/openphone/acme", headers={"X-Request-ID": "mine"})
    assert (answer.status_code, answer["X-Request-ID"]) == (500, "mine")
    assert lines()[-1].status == 500


@pytest.mark.parametrize(
    ("route", "short"),
    [
        ("", "/"), ("^api/", "api/"), ("api/v1/contacts/(?P<pk>[0-9]{1,18})$", "api/v1/contacts/<pk>"),
        ("webhooks/<slug:provider>/<slug:slug>", "webhooks/<provider>/<slug>"), ("admin/(?P<url>.*)$", "admin/<url>"),
    ],
)  # fmt: skip
def test_route_is_shown_without_regular_expressions(route, short):
    assert shorten_route(route) == short


def test_every_method_of_the_api_is_named(client):
    document = client.get("/api/schema", headers={"Accept": "application/vnd.oai.openapi+json"}).json()
    assert {method.upper() for path in document["paths"].values() for method in path} - {"PARAMETERS"} <= METHODS


def test_poll_is_logged_if_it_is_refused_or_slow(lines, csr, settings):
    api = signed_in(csr)
    assert api.get("/api/v1/changes").status_code == 200
    assert lines() == []
    assert api.get("/api/v1/changes", {"after": "nonsense"}).status_code == 400
    settings.SLOW_REQUEST_MS = 0.001
    api.get("/api/v1/changes")
    assert [(record.status, record.levelname) for record in lines()] == [(400, "INFO"), (200, "WARNING")]
