"""Reads from a replica: a real primary, and a standby that streams from it."""

import os
import signal
import time
from collections import deque
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, OperationalError, connection, connections, router
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from crm.api.tokens import SessionToken
from crm.db import replicas
from crm.db.tenancy import all_tenants, reading_alias, tenant, tenant_autocommit
from crm.db.watchdog import Watchdog
from crm.models import Contact
from tests.conftest import postgres_only
from tests.db.scratch import wait_until
from tests.factories import ContactFactory
from tests.postgres_server import find_binaries
from tests.replicas import Standby, a_replica

pytestmark = [postgres_only, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

LIST, ONE = "/api/v1/contacts", "/api/v1/contacts/{contact}"
READ_ON_REPLICA = [
    LIST,
    "/api/v1/contacts?count=1",
    "/api/v1/contacts/{contact}/timeline",
    "/api/v1/leads",
    "/api/v1/calls",
    "/api/v1/missed-calls",
    "/api/v1/dashboard/metrics",
    "/api/v1/dashboard/booking-rate",
    "/api/v1/dashboard/top-objections",
]
READ_ON_PRIMARY = [ONE, "/api/v1/company", "/api/v1/me"]
ANN = {"first_name": "Ann", "phone": "+12125550100"}


@pytest.fixture(scope="module")
def standby(django_db_setup):
    if connection.vendor != "postgresql":
        pytest.skip("PostgreSQL only")
    if not (find_binaries() / "pg_basebackup").exists():
        pytest.skip("These PostgreSQL binaries lack pg_basebackup; set PG_BIN to a server's bin folder.")
    with Standby(connection.settings_dict["HOST"]) as server:
        yield server


@pytest.fixture(autouse=True)
def no_times(transactional_db, monkeypatch):
    """A status is asked for each request, and a failure lasts for the test. Nobody has written anything."""
    monkeypatch.setattr(replicas, "_statuses", {})
    monkeypatch.setattr(replicas, "_seen", deque([(time.monotonic(), 0)]))  # other tests write to the same server
    monkeypatch.setattr(replicas, "FRESH_S", 0)
    monkeypatch.setattr(replicas, "LEFT_ALONE_S", 3600)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM write_positions")  # no model, so the flush after a test leaves them


@pytest.fixture
def replica(standby, settings):
    """The alias's connection."""
    with a_replica(settings, host=str(standby.folder)) as replica:
        yield replica


def sign_in(user):
    """A client with a session of its own, as each of the user's devices has."""
    return APIClient(headers={"authorization": f"Bearer {SessionToken.for_user(user).access_token}"})


@pytest.fixture
def contact(acme):
    return ContactFactory(company=acme)


def fetch_value(statement, on=connection):
    with on.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def catch_up(replica):
    """Wait until the replica has replayed all that is written now."""
    written = fetch_value("SELECT pg_current_wal_insert_lsn()")
    fetch_value("SELECT pg_current_xact_id()")  # a commit, which wakes the writer of the log
    wait_until(lambda: fetch_value(f"SELECT pg_last_wal_replay_lsn() >= '{written}'", on=replica))


def get(client, path=LIST):
    """Return the rows, the number of statements on the primary, and whether the replica was asked for rows."""
    with CaptureQueriesContext(connection) as primary, CaptureQueriesContext(connections["replica1"]) as replica:
        response = client.get(path)
    assert response.status_code == 200, response.content
    body = response.json()
    on_replica = any("pg_is_in_recovery" not in query["sql"] for query in replica.captured_queries)
    return body.get("results"), len(primary), on_replica


@pytest.mark.parametrize("path", READ_ON_REPLICA)
def test_marked_view_asks_the_primary_only_for_the_user(path, replica, contact, manager):
    client = sign_in(manager)
    catch_up(replica)
    _, primary, on_replica = get(client, path.format(contact=contact.pk))
    assert (primary, on_replica) == (1, True)


@pytest.mark.parametrize("path", READ_ON_PRIMARY)
def test_other_views_read_the_primary(path, replica, contact, manager):
    client = sign_in(manager)
    catch_up(replica)
    assert not get(client, path.format(contact=contact.pk))[2]


def test_user_sees_the_own_write_at_once_on_each_device(standby, replica, manager, csr):
    phone, desk, colleague = sign_in(manager), sign_in(manager), sign_in(csr)
    catch_up(replica)
    with standby.paused():
        assert phone.post(LIST, ANN).status_code == 201
        for client in (phone, desk):
            rows, _, on_replica = get(client)
            assert ([row["first_name"] for row in rows], on_replica) == (["Ann"], False)
        rows, _, on_replica = get(colleague)  # has written nothing, so the replica is new enough
        assert (rows, on_replica) == ([], True)
    catch_up(replica)
    for client in (phone, desk, colleague):
        rows, _, on_replica = get(client)
        assert ([row["first_name"] for row in rows], on_replica) == (["Ann"], True)


def test_deletion_and_change_are_writes_as_well(standby, replica, contact, manager):
    client = sign_in(manager)
    catch_up(replica)
    with standby.paused():
        client.patch(ONE.format(contact=contact.pk), {"first_name": "Bea"})
        assert [row["first_name"] for row in get(client)[0]] == ["Bea"]
    catch_up(replica)
    with standby.paused():
        client.delete(ONE.format(contact=contact.pk))
        assert get(client)[0] == []


def test_position_follows_the_commit(replica, manager):
    sign_in(manager).post(LIST, ANN)
    position = fetch_value(f"SELECT position FROM write_positions WHERE user_id = {manager.pk}")
    catch_up(replica)
    assert fetch_value(f"SELECT '0/0'::pg_lsn + {position} <= pg_last_wal_replay_lsn()", on=replica)
    assert fetch_value("SELECT count(*) FROM write_positions") == 1


def test_later_write_replaces_the_position(replica, manager):
    replicas.record_write(manager.pk)
    before = fetch_value("SELECT position FROM write_positions")
    ContactFactory(company=manager.company)
    replicas.record_write(manager.pk)
    assert fetch_value("SELECT position FROM write_positions") > before


def test_policies_hold_on_the_replica(replica, acme, globex, manager, outsider):
    for company, count in ((acme, 1), (globex, 2)):
        ContactFactory.create_batch(count, company=company)
    clients = sign_in(manager), sign_in(outsider)
    catch_up(replica)
    for company, count, client in zip((acme, globex), (1, 2), clients, strict=True):
        with tenant_autocommit(company.pk, replica="replica1"):
            assert fetch_value("SELECT count(*) FROM contacts", on=replica) == count
            assert fetch_value("SELECT count(*) FROM contacts") == count  # on the primary as well
        rows, _, on_replica = get(client)
        assert (len(rows), on_replica) == (count, True)


def test_statement_limits_hold_on_the_replica(replica, acme, manager, settings):
    settings.WEB_STATEMENT_TIMEOUT_MS = 4321
    client = sign_in(manager)
    catch_up(replica)
    with CaptureQueriesContext(replica) as captured:
        client.get(LIST)
    assert "'statement_timeout', '4321'" in captured.captured_queries[-1]["sql"]


def test_other_tenant_inside_reads_the_primary(replica, acme, globex):
    with tenant_autocommit(acme.pk, replica="replica1"):
        for inner in (all_tenants(), tenant(globex.pk), tenant_autocommit(globex.pk)):
            with inner:
                assert reading_alias() == "default"
        assert reading_alias() == router.db_for_read(Contact) == "replica1"
        assert router.db_for_write(Contact) == "default"
    assert router.db_for_read(Contact) == "default"


def test_stopped_standby_is_replaced_by_the_primary_and_left_alone(standby, replica, contact, manager, monkeypatch):
    client = sign_in(manager)
    catch_up(replica)
    assert get(client)[2]  # the connection is open
    with standby.stopped():
        rows, _, on_replica = get(client)
        assert ([row["id"] for row in rows], on_replica) == ([contact.pk], False)
    with CaptureQueriesContext(replica) as captured:
        assert len(get(client)[0]) == 1
    assert len(captured) == 0  # not even its status
    monkeypatch.setattr(replicas, "_statuses", {})  # the time has passed
    wait_until(lambda: fetch_value("SELECT count(*) FROM pg_stat_wal_receiver", on=replica) == 1)
    assert get(client)[2]


def fail_in_contacts(code):
    """Let the replica itself answer queries of contacts with an error."""

    def fail(execute, sql, params, many, context):
        if "contacts" in sql:
            sql, params = f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$", None
        return execute(sql, params, many, context)

    return fail


@pytest.mark.parametrize("code", ["40001", "57P01", "42703"])  # recovery conflict, shutdown, column to come
def test_request_that_the_replica_fails_is_repeated_on_the_primary(code, replica, contact, manager):
    client = sign_in(manager)
    catch_up(replica)
    with replica.execute_wrapper(fail_in_contacts(code)):
        rows, _, on_replica = get(client)
    assert ([row["id"] for row in rows], on_replica) == ([contact.pk], True)
    assert not get(client)[2]


def test_slow_query_is_not_repeated(replica, contact, manager):
    client = sign_in(manager)
    catch_up(replica)
    with replica.execute_wrapper(fail_in_contacts("57014")):
        assert client.get(LIST).status_code == 503
    assert get(client)[2]


def test_frozen_replica_ends_at_the_deadline(replica):
    with pytest.raises((OperationalError, DatabaseError)), Watchdog(deadline_s=0.05).watch():
        fetch_value("SET client_connection_check_interval = 10; SELECT pg_sleep(3600)", on=replica)
    connection.close()  # of the primary, which is past its deadline as well


def test_server_that_is_not_a_standby_is_not_used(settings, manager, contact):
    client = sign_in(manager)
    with a_replica(settings, host=connection.settings_dict["HOST"]):  # as after a promotion
        rows, _, on_replica = get(client)
    assert (len(rows), on_replica) == (1, False)


def test_standby_far_behind_is_not_used(standby, replica, manager, csr, monkeypatch):
    client = sign_in(csr)
    catch_up(replica)
    monkeypatch.setattr(replicas, "MAX_LAG_S", 0)
    wait_until(lambda: get(client)[2])  # idle is not behind, but other tests write to the same server
    with standby.paused():
        sign_in(manager).post(LIST, ANN)
        behind = "SELECT pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()"
        wait_until(lambda: fetch_value(behind, on=replica))
        rows, _, on_replica = get(client)
        assert (len(rows), on_replica) == (1, False)


def test_standby_whose_network_was_cut_without_an_error_is_not_used(replica, manager, csr, monkeypatch):
    client = sign_in(csr)
    catch_up(replica)
    monkeypatch.setattr(replicas, "MAX_LAG_S", 0)
    wait_until(lambda: get(client)[2])
    with frozen_sender(replica):
        sign_in(manager).post(LIST, ANN)
        assert fetch_value("SELECT count(*) FROM pg_stat_wal_receiver", on=replica) == 1  # it takes itself for current
        wait_until(lambda: not get(client)[2])  # a commit of the tests' server reaches the disk a moment later
        assert [row["first_name"] for row in get(client)[0]] == ["Ann"]
    wait_until(lambda: get(client)[2])


def test_standby_that_is_promoted_meanwhile_is_not_read_any_more(settings, manager):
    client = sign_in(manager)
    with (
        Standby(connection.settings_dict["HOST"]) as server,
        a_replica(settings, host=str(server.folder)) as promoted,
    ):
        catch_up(promoted)
        assert get(client)[2]
        server._ask_superuser("SELECT pg_promote()")
        client.post(LIST, ANN)
        for _ in range(2):
            rows, _, on_replica = get(client)
            assert ([row["first_name"] for row in rows], on_replica) == (["Ann"], False)


@contextmanager
def frozen_sender(replica):
    """Stop the primary's process that sends to the standby, so that nothing arrives and no connection breaks."""
    pid = fetch_value("SELECT pid FROM pg_stat_replication LIMIT 1")
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize(
    ("ages", "expected"), [([12, 9, 4], 9), ([12, 11], 11), ([9, 4], 9), ([30], 30)], ids=lambda value: str(value)
)
def test_replica_must_reach_the_oldest_position_of_the_last_ten_seconds(ages, expected, monkeypatch):
    """Positions are the negative ages here. Without a recent one, the last known must be reached."""
    moment = time.monotonic()
    monkeypatch.setattr(replicas, "_seen", deque((moment - age, -age) for age in ages))
    replicas.observe_primary(None)
    assert replicas._seen[0][1] == -expected


def test_fresh_status_is_not_asked_again(replica, manager, monkeypatch):
    monkeypatch.setattr(replicas, "FRESH_S", 3600)
    client = sign_in(manager)
    catch_up(replica)
    with CaptureQueriesContext(replica) as captured:
        client.get(LIST)
        client.get(LIST)
    assert ["pg_is_in_recovery" in query["sql"] for query in captured.captured_queries].count(True) == 1


def test_without_replicas_no_statement_is_added(manager, contact, django_assert_num_queries):
    client = sign_in(manager)
    with django_assert_num_queries(2) as captured:  # the user and the list
        client.get("/api/v1/leads")
    with CaptureQueriesContext(connection) as writing:
        client.post(LIST, ANN)
    statements = [query["sql"] for query in [*captured.captured_queries, *writing.captured_queries]]
    assert not [sql for sql in statements if "write_positions" in sql or "wal" in sql]


def test_write_in_the_admin_has_a_position(replica, client, staff):
    client.force_login(staff)
    client.post("/admin/crm/company/add/", {})
    assert fetch_value("SELECT user_id FROM write_positions") == staff.pk


def test_webhook_of_nobody_has_no_position(replica, client, acme):
    client.post("/webhooks/openphone/acme", "{}", content_type="application/json")
    assert fetch_value("SELECT count(*) FROM write_positions") == 0
