"""Responses while the database fails."""

import threading

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.test import Client

from crm.db.watchdog import Watchdog
from crm.error_codes import ErrorCode
from crm.outages import outage_code
from tests.conftest import postgres_only
from tests.db.scratch import another_session
from tests.errors import code_of

pytestmark = pytest.mark.django_db(transaction=True)

PASSES = {
    "08006", "40001", "40P01", "53100", "53200", "53300", "57P01", "57P02", "57P03", "58030", "25006",
}  # fmt: skip
TIMEOUTS = {"57014", "55P03"}
FAULTS = {"22003", "22P02", "23505", "42601", "42P01", "P0001", "XX000", "42501"}


def raise_code(code):
    with connection.cursor() as cursor:
        cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$")


@postgres_only
@pytest.mark.parametrize("code", sorted(PASSES | TIMEOUTS | FAULTS))
def test_code_of_postgresql_is_an_outage_or_a_fault(code):
    with pytest.raises(DatabaseError) as caught:
        raise_code(code)
    expected = ErrorCode.UNAVAILABLE if code in PASSES else ErrorCode.TIMEOUT if code in TIMEOUTS else None
    assert outage_code(caught.value) == expected


def test_missing_table_is_a_fault():
    with pytest.raises(DatabaseError) as caught, connection.cursor() as cursor:
        cursor.execute("SELECT * FROM no_such_table")
    assert outage_code(caught.value) is None


def test_other_errors_are_faults():
    assert outage_code(ValueError()) is None
    assert outage_code(None) is None


@pytest.fixture
def end_session(transactional_db):
    """A function that ends the session of the test's connection from another one, as a restart of the server does."""

    def end():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            [pid] = cursor.fetchone()
        with another_session() as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    yield end
    connection.close()


@postgres_only
def test_lost_connection_is_a_json_503_on_the_api(csr_api, end_session):
    end_session()
    response = csr_api.get("/api/v1/contacts")
    assert (response.status_code, code_of(response)) == (503, "unavailable")
    assert int(response["Retry-After"]) > 0


@postgres_only
def test_lost_connection_is_a_json_503_on_webhooks(client, acme, end_session):
    end_session()
    response = client.post("/webhooks/openphone/acme", "{}", content_type="application/json")
    assert (response.status_code, code_of(response)) == (503, "unavailable")


@postgres_only
def test_lost_connection_is_a_page_of_an_error_in_the_admin(client, staff, end_session):
    client.force_login(staff)
    end_session()
    response = client.get("/admin/")
    assert response.status_code == 503
    assert ErrorCode.UNAVAILABLE.detail in response.content.decode()
    assert 'href="/admin/"' in response.content.decode()
    assert response["Content-Type"].startswith("text/html")
    assert int(response["Retry-After"]) > 0


@postgres_only
def test_write_on_a_read_only_server_is_a_503(csr_api):
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    try:
        response = csr_api.post("/api/v1/contacts", {"first_name": "Ann", "phone": "+12125550100"})
        reading = csr_api.get("/api/v1/contacts")
    finally:
        connection.close()
    assert (response.status_code, reading.status_code) == (503, 200)


@postgres_only
def test_statement_without_an_answer_ends_at_the_deadline():
    lost = pytest.raises((OperationalError, InterfaceError))
    with lost as caught, Watchdog(deadline_s=0.05).watch(), connection.cursor() as cursor:
        cursor.execute("SET client_connection_check_interval = 10")  # the server ends the statement, too
        cursor.execute("SELECT pg_sleep(20)")
    assert outage_code(caught.value) == ErrorCode.UNAVAILABLE
    connection.close()


def test_process_has_one_watchdog(acme):
    before = threading.active_count()
    for _ in range(3):
        Client().get("/api/v1/me")  # each client loads the middleware anew
    assert threading.active_count() <= before + 1
