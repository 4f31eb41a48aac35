"""`manage.py grant_app_role`, and the product as the role that it prepares."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils.timezone import now

from crm.db.audit_context import audit_disabled, moving_to
from crm.db.policies import ALL_SETTING
from crm.db.tenancy import all_tenants
from crm.models import Activity, AuditEntry, Contact
from crm.services.self_check import MAINTAIN_SINCE, check_start, find_warnings
from messaging.models import Message, WebhookEvent
from ops.app_role import ANALYZED
from tests import factories
from tests.conftest import postgres_only
from tests.messaging.payloads import message_v4, post_event
from tests.ops.roles import connected, new_role, superuser
from tests.postgres_server import SUPERUSER

pytestmark = [pytest.mark.django_db(transaction=True), postgres_only, pytest.mark.slow]

REFUSED = [
    "ALTER TABLE contacts DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE contacts NO FORCE ROW LEVEL SECURITY",
    "ALTER POLICY contacts_tenant ON contacts USING (true)",
    "CREATE POLICY everything ON contacts USING (true)",
    "DROP POLICY contacts_tenant ON contacts",
    "SET row_security = off; SELECT * FROM contacts",
    "ALTER ROLE CURRENT_USER BYPASSRLS",
    "SET ROLE crm",
    "SET SESSION AUTHORIZATION crm",
    "SET session_replication_role = replica",
    "ALTER ROLE CURRENT_USER SET session_replication_role = replica",
    "ALTER DATABASE {database} SET session_replication_role = replica",
    "ALTER TABLE contacts DISABLE TRIGGER ALL",
    "ALTER TABLE contacts DISABLE TRIGGER record_update",
    "DROP TRIGGER record_update ON contacts",
    "CREATE TRIGGER mine BEFORE UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE mine AS ON UPDATE TO contacts DO INSTEAD NOTHING",
    "CREATE OR REPLACE FUNCTION record_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "ALTER FUNCTION record_change() SET search_path = pg_temp",
    "DROP FUNCTION record_change() CASCADE",
    "CREATE TEMPORARY TABLE audit_entries (id bigint)",
    "CREATE SCHEMA mine",
    "CREATE TABLE mine (id bigint)",
    "CREATE FUNCTION mine() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'",
    "UPDATE audit_entries SET actor = 'somebody else'",
    "DELETE FROM audit_entries",
    "TRUNCATE audit_entries",
    "TRUNCATE contacts CASCADE",
    "DROP TABLE contacts CASCADE",
    "ALTER TABLE contacts ADD COLUMN mine text",
    "ALTER TABLE contacts DROP CONSTRAINT contacts_pkey CASCADE",
    "DROP INDEX {index}",
    "ALTER TABLE contacts OWNER TO CURRENT_USER",
    "INSERT INTO django_migrations (app, name, applied) VALUES ('crm', '9999_mine', now())",
    "ALTER DEFAULT PRIVILEGES FOR ROLE crm GRANT ALL ON TABLES TO CURRENT_USER",
    "COPY contacts TO PROGRAM 'true'",
]


@pytest.fixture
def app_role(transactional_db):
    with new_role("app") as role:
        call_command("grant_app_role", role, "--apply")
        yield role


@pytest.fixture
def as_app(app_role, acme):
    """Connect as the application role, with acme's rows made by the owner."""
    factories.WebhookSecretFactory(company=acme)
    factories.UserFactory(company=acme, username="maria", role="manager")
    factories.ContactFactory(company=acme, first_name="Ann")
    with connected(USER=app_role):
        yield app_role


def execute(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else None


def test_app_role_can_switch_off_neither_policies_nor_the_audit(as_app):
    [(index,)] = execute("SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'contacts'::regclass LIMIT 1")
    names = {"index": index, "database": connection.ops.quote_name(connection.settings_dict["NAME"])}
    results = {}
    for sql in REFUSED:
        try:
            with transaction.atomic():
                execute(sql.format(**names))
                transaction.set_rollback(True)
            results[sql] = "allowed"
        except DatabaseError as error:
            results[sql] = error.__cause__.pgcode
        connection.close()
    assert {sql: code for sql, code in results.items() if code != "42501"} == {}  # insufficient_privilege


def test_app_role_cannot_pass_its_privileges_on(as_app):
    with new_role("other") as other:
        execute(f"GRANT SELECT ON contacts TO {other}")  # only a warning
        assert execute("SELECT has_table_privilege(%s, 'contacts', 'SELECT')", other) == [(False,)]


def test_switch_of_the_audit_changes_nothing_for_the_app_role(as_app):
    with all_tenants(), audit_disabled():
        Contact.objects.update(first_name="Changed")
    with all_tenants():
        entry = AuditEntry.objects.filter(table_name="contacts", action="update").get()
    assert entry.changes["first_name"] == ["Ann", "Changed"]


def test_app_role_deletes_a_note_without_an_entry_only_with_the_entry_of_an_archive_file(as_app, acme):
    note, other = (factories.ActivityFactory(contact__company=acme) for _ in range(2))
    with transaction.atomic(), all_tenants():
        chunk = factories.ArchivedChunkFactory(company=acme)
        file_id = chunk.pk
        with moving_to(file_id):
            Activity.objects.filter(pk=other.pk).delete()
            chunk.delete()
    with transaction.atomic(), all_tenants(), moving_to(file_id):
        Activity.objects.filter(pk=note.pk).delete()
    with all_tenants():
        recorded = set(AuditEntry.objects.filter(company=acme).values_list("table_name", "action", "row_id"))
    assert {each for each in recorded if each[0] in ("archived_chunks", "activities")} == {
        ("archived_chunks", "insert", file_id),
        ("archived_chunks", "delete", file_id),
        ("activities", "delete", note.pk),
    }


def test_app_role_without_a_company_finds_no_row(as_app):
    execute("SELECT set_config(%s, '', false)", ALL_SETTING)
    assert execute("SELECT count(*) FROM contacts") == [(0,)]


def test_app_role_reads_and_writes_a_table_that_is_created_later(app_role):
    execute("CREATE TABLE later (id bigserial PRIMARY KEY, word text)")
    try:
        with connected(USER=app_role):
            execute("INSERT INTO later (word) VALUES ('new'); UPDATE later SET word = 'newer'")
            assert execute("SELECT word FROM later") == [("newer",)]
            with pytest.raises(DatabaseError, match="permission denied"):
                execute("TRUNCATE later")
    finally:
        execute("DROP TABLE later")


def test_api_works_as_the_app_role(as_app, client):
    assert client.get("/readyz").json() == {"status": "ready"}
    credentials = {"username": "maria", "password": factories.PASSWORD}
    tokens = client.post("/api/v1/auth/token", credentials, content_type="application/json").json()
    api = {"headers": {"Authorization": f"Bearer {tokens['access']}", "Idempotency-Key": "once"}}
    posted = client.post("/api/v1/contacts", {"phone": "+12125550134"}, content_type="application/json", **api)
    assert posted.status_code == 201
    url = f"/api/v1/contacts/{posted.json()['id']}"
    assert client.patch(url, {"first_name": "Bea"}, content_type="application/json", **api).status_code == 200
    for path in ("contacts", "calls", "appointments", "missed-calls", "dashboard/metrics", "dashboard/top-objections"):
        assert client.get(f"/api/v1/{path}", **api).status_code == 200
    assert client.delete(url, **api).status_code == 204
    refresh = {"refresh": tokens["refresh"]}
    assert client.post("/api/v1/auth/token/refresh", refresh, content_type="application/json").status_code == 200


def test_role_may_analyze_what_imports_fill_and_one_that_may_not_is_warned_of(app_role):
    if connection.pg_version < MAINTAIN_SINCE:
        pytest.skip("only the owner can analyze a table of this PostgreSQL")
    may = {
        table: execute("SELECT has_table_privilege(%s, %s, 'MAINTAIN')", app_role, table) == [(True,)]
        for table in (*ANALYZED, "audit_entries", "users")
    }
    assert {table for table, allowed in may.items() if allowed} == {*ANALYZED}
    with connected(USER=app_role):
        assert find_warnings() == []
    execute(f"REVOKE MAINTAIN ON contacts FROM {app_role}")
    with connected(USER=app_role):
        [warning] = find_warnings()
        assert check_start() == []
    assert f"Run manage.py grant_app_role {app_role} --apply" in warning


def test_role_without_privileges_is_named_by_the_self_check(transactional_db, client):
    with new_role("bare") as role, connected(USER=role):
        response = client.get("/readyz")
        assert (response.status_code, response.json()["status"]) == (503, "no privileges")
        [problem] = check_start()
        assert f"grant_app_role {role} --apply" in problem.text


def test_webhooks_and_worker_work_as_the_app_role(as_app, client, acme, caplog):
    assert post_event(client, message_v4()).status_code == 200
    call_command("work", "--until-empty")
    with all_tenants():
        assert list(WebhookEvent.objects.values_list("status", "error")) == [("processed", "")]
        assert Message.objects.count() == 1
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


def test_admin_works_as_the_app_role(as_app, client, staff):
    client.force_login(staff)
    with all_tenants():
        contact = Contact.objects.get()
    for page in ("contact", "auditentry", "user", "company"):
        assert client.get(reverse(f"admin:crm_{page}_changelist")).status_code == 200
    deleted = client.post(reverse("admin:crm_contact_delete", args=[contact.pk]), {"post": "yes"})
    assert deleted.status_code == 302
    with all_tenants():
        assert not Contact.objects.exists()


def test_archive_and_other_commands_work_as_the_app_role(as_app, acme, tmp_path, capsys):
    old = now() - timedelta(days=800)
    factories.WebhookEventFactory(company=acme, created_at=old, processed=True, status="processed")
    factories.ActivityFactory(contact__company=acme, created_at=old)
    call_command("archive", "--older-than", "730d", "--to", str(tmp_path))
    assert "webhook_events                 1 archived" in capsys.readouterr().out
    with all_tenants():
        assert not Activity.objects.exists()
        assert not AuditEntry.objects.filter(table_name="activities").exists()
        assert AuditEntry.objects.filter(table_name="archived_chunks").count() == 2
    for command in (["rebuild_rollups"], ["rebuild_rollups", "--check"], ["rotate_secrets"], ["index_report"]):
        call_command(*command)


def test_grants_are_only_printed_without_apply(transactional_db, capsys):
    with new_role("printed") as role:
        call_command("grant_app_role", role)
        printed = capsys.readouterr().out
        assert f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "public" TO "{role}";' in printed
        assert execute("SELECT has_table_privilege(%s, 'contacts', 'SELECT')", role) == [(False,)]
        execute(printed)  # as psql would
        assert execute("SELECT has_table_privilege(%s, 'contacts', 'SELECT')", role) == [(True,)]


def test_second_run_takes_away_what_was_granted_by_hand(app_role):
    execute(f"GRANT TRUNCATE, TRIGGER ON contacts TO {app_role}; GRANT UPDATE ON audit_entries TO {app_role}")
    call_command("grant_app_role", app_role, "--apply")
    for table, privilege in (("contacts", "TRUNCATE"), ("contacts", "TRIGGER"), ("audit_entries", "UPDATE")):
        assert execute("SELECT has_table_privilege(%s, %s, %s)", app_role, table, privilege) == [(False,)]


@pytest.mark.parametrize("attribute", ["SUPERUSER", "BYPASSRLS", "CREATEROLE"])
def test_role_that_could_get_more_privileges_is_refused(transactional_db, attribute):
    with new_role("mighty", attribute) as role, pytest.raises(CommandError, match="must be NOSUPERUSER"):
        call_command("grant_app_role", role, "--apply")


def test_member_of_the_owner_is_refused(transactional_db):
    with new_role("member") as role:
        with superuser() as cursor:
            cursor.execute(f"GRANT crm TO {role}")
        with pytest.raises(CommandError, match="nor a member of it"):
            call_command("grant_app_role", role, "--apply")


@pytest.mark.parametrize("group", ["postgres", "pg_write_all_data", "pg_execute_server_program"])
def test_member_of_a_role_with_more_privileges_is_refused(transactional_db, group):
    with new_role("member") as role:
        with superuser() as cursor:
            group = SUPERUSER if group == "postgres" else group
            cursor.execute(f"GRANT {group} TO {role}")
        with pytest.raises(CommandError, match=f"is a member of {group}"):
            call_command("grant_app_role", role, "--apply")


def test_member_of_a_member_is_refused(transactional_db):
    with new_role("group", "BYPASSRLS") as group, new_role("between") as between, new_role("member") as role:
        with superuser() as cursor:
            cursor.execute(f"GRANT {group} TO {between}; GRANT {between} TO {role}")
        with pytest.raises(CommandError, match=f"is a member of {group}"):
            call_command("grant_app_role", role)


@pytest.mark.parametrize(
    ("kind", "name", "find_owner"),
    [
        ("DATABASE", "{database}", "SELECT datdba::regrole FROM pg_database WHERE datname = current_database()"),
        ("SCHEMA", "public", "SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'public'"),
        ("FUNCTION", "record_change()", "SELECT proowner::regrole FROM pg_proc WHERE proname = 'record_change'"),
    ],
)
def test_owner_of_the_database_the_schema_or_a_function_is_refused(transactional_db, kind, name, find_owner):
    name = name.format(database=connection.ops.quote_name(connection.settings_dict["NAME"]))
    [(owner,)] = execute(find_owner)
    with new_role("keeper") as role, superuser() as cursor:
        cursor.execute(f"ALTER {kind} {name} OWNER TO {role}")
        try:
            with pytest.raises(CommandError, match=f"The role {role} owns the {kind.lower()}"):
                call_command("grant_app_role", role)
        finally:
            cursor.execute(f"ALTER {kind} {name} OWNER TO {owner}")


def test_privileges_of_everybody_do_not_reach_the_audit(app_role):
    execute("GRANT UPDATE, TRUNCATE ON audit_entries TO PUBLIC")
    call_command("grant_app_role", app_role, "--apply")
    for privilege in ("UPDATE", "TRUNCATE"):
        assert execute("SELECT has_table_privilege(%s, 'audit_entries', %s)", app_role, privilege) == [(False,)]


def test_missing_role_is_named(transactional_db):
    with pytest.raises(CommandError, match="nobody_at_all doesn't exist"):
        call_command("grant_app_role", "nobody_at_all")


def test_grants_are_refused_to_a_role_that_does_not_own_the_tables(as_app):
    with pytest.raises(CommandError, match=f"The role {as_app} doesn't own"):
        call_command("grant_app_role", as_app)
