"""Masking of personal data in logs."""

import io
import json
import logging
import logging.config
import re

import pytest
from django.conf import settings as django_settings
from django.db import DatabaseError, connection, transaction
from django.test import RequestFactory

from config.logs import JSONFormatter, RequestIDFilter, mask
from crm.db.tenancy import all_tenants
from crm.models import Contact, ContactFlag
from tests.conftest import signed_in
from tests.factories import CompanyFactory, ContactFactory, WebhookEventFactory, WebhookSecretFactory
from tests.messaging.payloads import CALLER, message_v4, post_event
from tests.messaging.worker_rounds import process_next_event

SPELLINGS = [
    "+12125550100", "+1 212 555 0100", "+1 (212) 555-0100", "(212) 555-0100", "212-555-0100", "212.555.0100",
    "212 555 0100", "2125550100", "12125550100", "1-212-555-0100", "%2B12125550100", "+44 20 7946 0100",
]  # fmt: skip


NAME, WORD = "Zelda", "Zorro"  # constants, since a traceback shows source lines


@pytest.fixture
def log():
    """The product's log output at level DEBUG."""
    config = django_settings.LOGGING
    formatter = config["formatters"]["line"]
    stream = io.StringIO()
    logging.config.dictConfig(
        config
        | {
            "formatters": {"line": formatter},
            "handlers": {"stderr": config["handlers"]["stderr"] | {"stream": stream}},
            "root": config["root"] | {"level": "DEBUG"},
            "loggers": config["loggers"] | {"factory": {"level": "INFO"}},  # factory_boy's logger
        }
    )
    yield stream
    logging.config.dictConfig(config)


@pytest.mark.parametrize("number", SPELLINGS)
@pytest.mark.parametrize("sentence", ["{}", "Call {} back.", "number={}", "('{}',)", '{{"from": "{}"}}', "<{}>"])
def test_phone_number_is_masked_except_its_last_digits(number, sentence):
    masked = mask(sentence.format(number))
    assert "***00" in masked
    assert "555" not in masked
    assert "7946" not in masked


@pytest.mark.parametrize("address", ["casey@example.com", "c.customer+crm@mail.example.co.uk"])
def test_email_address_is_masked(address):
    assert mask(f"To {address}: bounced") == "To ***@***: bounced"


def test_query_values_are_masked():
    assert mask('"GET /api/v1/contacts?search=Customer&limit=5 HTTP/1.1" 200') == (
        '"GET /api/v1/contacts?search=***&limit=*** HTTP/1.1" 200'
    )


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Authorization: Bearer abcdefgh12345678", "Authorization: ***"),
        ("sent Bearer abcdefgh12345678.xyz to it", "sent Bearer *** to it"),
        ("{'password': 'hunter2', 'page': 2}", "{'password': '***', 'page': 2}"),
        ('{"api_key":"hunter2"}', '{"api_key":"***"}'),
        ("client_secret=hunter2, page=2", "client_secret=***, page=2"),
        ("signed with whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "signed with whsec_***"),
        ("Internal Server Error: /calendar/17-aBcD_efgh.ics", "Internal Server Error: /calendar/***"),
        ("GET /set-password/MQ-abc-def/?next=%2F 500", "GET /set-password/***?next=*** 500"),
        ("token eyJhbGciOi.eyJ1c2VyX2.c2lnbmF0dXJl expired", "token *** expired"),
    ],
)
def test_secret_is_masked(text, masked):
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "Forbidden (CSRF token missing.): /admin/login/",
        "PRIVACY_KEY isn't the one that the database knows.",
        "    token = _active.set(company)",
        "2026-11-22 01:34:04,123 INFO",
        "Webhook event 1234567 (message.received) failed: DataError",
        "GET /api/v1/contacts/987654321 404",
        "took 12.5 ms, 1,234,567 rows",
        "127.0.0.1:50312",
        "0001_initial 0002_performance_indexes",
        "timestamp 1789000000 and 1789000000123",
    ],
)
def test_other_text_stays_readable(text):
    assert mask(text) == text


def test_log_arguments_are_masked(log):
    logging.getLogger("crm.anything").info("Sending to %s of %s", "+12125550100", {"email": "casey@example.com"})
    line = log.getvalue()
    assert "Sending to ***00 of {'email': '***@***'}" in line


@pytest.mark.django_db
def test_database_error_contains_no_personal_data(log):
    """PostgreSQL's messages quote rows and statements with values."""
    contact = ContactFactory(first_name="Zelda", phone="+12125550100")
    failures = [
        lambda: Contact(company=contact.company, phone=contact.phone, first_name=NAME).save(),
        lambda: Contact(company=contact.company, phone="", first_name=NAME, last_name=f"{WORD}\n\n{WORD}").save(),
        lambda: ContactFlag(company=contact.company, contact=contact, flag_type=NAME, reason=WORD).save(),
    ]
    for fail in failures:
        try:
            with transaction.atomic():
                fail()
        except DatabaseError:
            logging.getLogger("crm.anything").exception("It failed.")
    assert log.getvalue().count("It failed.") == len(failures)
    assert not re.search("Zelda|Zorro|2125550100", log.getvalue())
    assert "test_logs.py" in log.getvalue()  # the frames are there


@pytest.mark.django_db
def test_debug_level_logs_no_statement(log, settings):
    settings.DEBUG = True
    connection.force_debug_cursor = True
    try:
        contact = ContactFactory(first_name="Zelda")
        with all_tenants():
            Contact.objects.filter(first_name="Zelda", phone=contact.phone).count()
    finally:
        connection.force_debug_cursor = False
    assert "Zelda" not in log.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query", ["search=%2B12125550100", "search=zelda@example.com", "search=Zelda&limit=0", "Zelda=1", "cursor=Zelda"]
)
def test_rejected_request_logs_no_personal_data(log, manager, query):
    signed_in(manager).get(f"/api/v1/contacts?{query}")
    signed_in(manager).post(f"/api/v1/contacts?{query}", {"first_name": "Zorro", "phone": "abc"})
    signed_in(manager).get(f"/api/v1/nothing?{query}")
    logging.getLogger("django.server").info('"GET /api/v1/contacts?%s HTTP/1.1" 200 17', query)
    assert "django.server" in log.getvalue()
    assert not re.search(r"2125550100|zelda@|search=Zelda|cursor=Zelda|Zorro", log.getvalue())


@pytest.mark.django_db
def test_failed_request_logs_no_personal_data(log, client):
    """Django logs a view's exception with its traceback."""
    from django.core.handlers.exception import response_for_exception

    request = RequestFactory().post("/api/v1/contacts?search=%2B12125550100", {"first_name": "Zorro"})
    try:
        raise ValueError(f"no such number: {SPELLINGS[0]}\n{WORD} wrote this")
    except ValueError as error:
        response_for_exception(request, error)
    assert "Internal Server Error" in log.getvalue()
    assert not re.search("2125550100|Zorro", log.getvalue())


@pytest.mark.django_db
def test_failed_webhook_event_logs_no_personal_data(log, client):
    company = CompanyFactory(slug="acme")
    WebhookSecretFactory(company=company)
    post_event(client, message_v4(text="My dog is called Zorro"), secret="d3Jvbmc=")
    post_event(client, message_v4(text="My dog is called Zorro", id="ACtwice"))
    post_event(client, json.dumps({"type": "message.received", "text": "Zorro", "from": CALLER}).encode())
    WebhookEventFactory(company=company, body=b'{"type": "message.received", "data": {"object": {"text": "Zorro')
    while process_next_event():
        pass
    assert "failed" in log.getvalue()
    assert not re.search(f"Zorro|{CALLER[1:]}", log.getvalue())


@pytest.fixture
def json_log():
    """The output of a logger in JSON: a function that returns the lines as objects."""
    logger, stream = logging.getLogger("tests.json_log"), io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JSONFormatter())
    handler.addFilter(RequestIDFilter())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.removeHandler(handler)


JSON_LOG = logging.getLogger("tests.json_log")
PRIVATE = "Casey\n2125550100 casey@example.com token=hunter2"  # the number follows a letter once \n is escaped


def fail_privately():
    raise ValueError("2125550100 casey@example.com token=hunter2")


def log_failure():
    try:
        fail_privately()
    except ValueError:
        JSON_LOG.exception("It failed.", stack_info=True)


@pytest.mark.parametrize(
    "write",
    [
        lambda: JSON_LOG.info(PRIVATE),
        lambda: JSON_LOG.info("To %s", PRIVATE),
        lambda: JSON_LOG.info("To %(to)s", {"to": {"password": "hunter2", "phone": 12125550100}}),
        lambda: JSON_LOG.info("Sent", extra={"to": PRIVATE}),
        lambda: JSON_LOG.info("Sent", extra={"to": {PRIVATE: [PRIVATE], "password": "hunter2"}}),
        lambda: JSON_LOG.info("Sent", extra={"phone": 12125550100, "api_key": "hunter2"}),
        log_failure,
    ],
    ids=["message", "argument", "mapping", "extra", "nested", "number", "traceback"],
)
def test_json_line_contains_no_personal_data_and_no_secret(json_log, write):
    write()
    [line] = json_log()
    assert (line["logger"], line["request_id"]) == ("tests.json_log", "-")
    assert "***" in str(line)
    logged = str({name: value for name, value in line.items() if name != "stack"})  # the stack is source code
    assert not re.search(r"5550100|casey@|hunter2", logged.replace("fail_privately()\n", ""))


def test_json_line_has_the_extra_values_and_the_traceback(json_log):
    JSON_LOG.warning(
        "%s rows", 3, extra={"table": "calls", "rows": 3, "request": RequestFactory().get("/a?name=Zelda")}
    )
    log_failure()
    first, second = json_log()
    time = first.pop("time")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", time)
    assert first == {
        "level": "WARNING", "logger": "tests.json_log", "message": "3 rows", "request_id": "-",
        "table": "calls", "rows": 3,
    }  # fmt: skip
    assert "ValueError: ***00" in second["exception"]
    assert "in fail_privately" in second["exception"]
