"""PostgreSQL functions of the statement that begins each request, and of the poll for changes.

PL/pgSQL keeps their plans as long as a connection lives, also behind a pooler. PostgreSQL would otherwise make these
plans for each request, which takes longer than running them. The functions have the rights of their caller, so that the
policies hold.
"""

from collections.abc import Sequence

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from crm.db.policies import ALL_SETTING, COMPANY_SETTING
from crm.db.postgres_operations import GetModel, PostgresOperation
from crm.db.rate_counters import count_up_sql
from crm.db.tenancy import TENANT_PLANNER_SETTINGS

# Without `counter`, the request isn't counted.
USER_OF_TOKEN = f"""
CREATE OR REPLACE FUNCTION user_of_token(
    counter text, present_minute bigint, of_session text, present timestamptz, of_user bigint
) RETURNS TABLE (user_row users, company_row companies, signed_in boolean, request_count bigint)
LANGUAGE plpgsql AS $$
BEGIN
    IF counter IS NOT NULL THEN
        {count_up_sql("counter", "present_minute")} INTO request_count;
    END IF;
    RETURN QUERY
        SELECT users, companies, EXISTS (
            SELECT FROM token_blacklist_outstandingtoken AS session
            WHERE session.jti = of_session AND session.user_id = users.id AND session.expires_at > present
        ), request_count
        FROM users LEFT JOIN companies ON companies.id = users.company_id WHERE users.id = of_user;
END $$
"""  # noqa: S608  # constants

HISTORY = """
SELECT system_identifier || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) || '.'
       || (SELECT oid FROM pg_database WHERE datname = current_database())
FROM pg_control_system()
"""
HISTORY_SETTING = "crm.history"  # of a session
# One row at least for each company, also where nothing has changed. crm.changes.pages tells where a page ends.
CHANGES_AFTER_QUERY = f"""
SELECT asked.company_id, state.xid, state.history, state.now, change.xid, change.id, change.resource, change.object_id,
       change.contact_id, change.rep_id, change.change, change.at
FROM (
    SELECT txid_snapshot_xmin(txid_current_snapshot()) AS xid, clock_timestamp() AS now, ({HISTORY}) AS history
) AS state
CROSS JOIN unnest({{companies}}, {{xids}}, {{ids}}) AS asked (company_id, xid, id)
LEFT JOIN LATERAL (
    SELECT * FROM changes
    WHERE company_id = asked.company_id AND (xid, id) > (asked.xid, asked.id) AND xid < state.xid
    ORDER BY xid, id LIMIT {{most}}
) AS change ON true
ORDER BY asked.company_id, change.xid, change.id
"""  # noqa: S608  # constants
CHANGES_AFTER = f"""
CREATE OR REPLACE FUNCTION changes_after(companies bigint[], xids bigint[], ids bigint[], most bigint)
RETURNS TABLE (
    company_id bigint, end_xid bigint, history text, read_at timestamptz, xid bigint, id bigint, resource varchar,
    object_id bigint, contact_id bigint, rep_id bigint, change varchar, at timestamptz
)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY {CHANGES_AFTER_QUERY.format(companies="companies", xids="xids", ids="ids", most="most")};
END $$
"""
# Of a rep, whether the contact is in reach, as `crm.query_slots.contact_ids_of_rep` says: most changes are of contacts
# that aren't, and then no other statement must ask. NULL, of a contact with many calls: another statement asks. A
# condition on the rep in WHERE would let PostgreSQL read all calls of the rep instead of the few of the contact.
CONTACT_IN_REACH = """
CASE WHEN {role} = 'rep' THEN (
    SELECT (
        SELECT CASE WHEN count(*) <= 50 THEN coalesce(bool_or(assigned_rep_id = {user}), false) END
        FROM (SELECT assigned_rep_id FROM calls WHERE contact_card_id = its.contact_id LIMIT 51) AS some_calls
    ) OR (
        SELECT CASE WHEN count(*) <= 50 THEN coalesce(bool_or(assigned_rep_id = {user}), false) END
        FROM (SELECT assigned_rep_id FROM appointments WHERE contact_id = its.contact_id LIMIT 51) AS some_appointments
    )
    FROM (SELECT CASE resource WHEN 'contacts' THEN object_id ELSE changes.contact_id END AS contact_id) AS its
    WHERE its.contact_id IS NOT NULL
) END
"""  # constants
POLLED_CHANGES_QUERY = f"""
SELECT {{state}}, xid, id, resource, object_id, contact_id, rep_id, change, at, {CONTACT_IN_REACH}
FROM changes
WHERE company_id = {{company}} AND (xid, id) > ({{xid}}, {{id}}) AND xid < {{end}}
ORDER BY xid, id LIMIT {{most}}
"""  # noqa: S608  # constants
_POLLED_CHANGES = POLLED_CHANGES_QUERY.format(
    state="request_count, company_id, end_xid, history, read_at",
    company="of_company", xid="after_xid", id="after_id", end="end_xid", most="most", role="of_role", user="of_user",
)  # fmt: skip
_SETTINGS = {
    COMPANY_SETTING: "of_company::text",
    ALL_SETTING: "''",
    **{name: f"'{value}'" for name, value in TENANT_PLANNER_SETTINGS.items()},
    "lock_timeout": "lock_wait",
}
_ACTIVATE_TENANT = ", ".join(f"set_config('{name}', {value}, true)" for name, value in _SETTINGS.items())
# No row: the session has ended, or doesn't fit the user. The request isn't counted then: another answer counts it.
# A change of the user ends the sessions, but a sign-in at the same moment may begin one afterwards.
# The tenant is activated here, since a statement of its own would cost more. A session of the database keeps the
# history: that of a server which accepts writes changes only when it starts. What is older than the end had ended
# before the changes are read: none of it is missed.
POLL_CHANGES = f"""
CREATE OR REPLACE FUNCTION poll_changes(
    counter text, present_minute bigint, of_session text, present timestamptz, of_user bigint, of_company bigint,
    of_role text, password_hash text, after_xid bigint, after_id bigint, most bigint, lock_wait text
) RETURNS TABLE (
    request_count bigint, company_id bigint, end_xid bigint, history text, read_at timestamptz, xid bigint, id bigint,
    resource varchar, object_id bigint, contact_id bigint, rep_id bigint, change varchar, at timestamptz,
    contact_in_reach boolean
)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM {_ACTIVATE_TENANT};
    IF NOT EXISTS (
        SELECT FROM token_blacklist_outstandingtoken AS session JOIN users ON users.id = session.user_id
        WHERE session.jti = of_session AND session.user_id = of_user AND session.expires_at > present
            AND users.company_id = of_company AND users.role = of_role AND users.is_active
            AND upper(md5(users.password)) = password_hash
    ) THEN
        RETURN;
    END IF;
    request_count := 0;
    IF counter IS NOT NULL THEN
        {count_up_sql("counter", "present_minute")} INTO request_count;
    END IF;
    history := current_setting('{HISTORY_SETTING}', true);
    IF coalesce(history, '') = '' THEN
        history := ({HISTORY});
        PERFORM set_config('{HISTORY_SETTING}', history, false);
    END IF;
    company_id := of_company;
    read_at := clock_timestamp();
    end_xid := txid_snapshot_xmin(txid_current_snapshot());
    RETURN QUERY {_POLLED_CHANGES};
    IF NOT FOUND THEN
        RETURN NEXT;
    END IF;
END $$
"""  # constants


class CreateRequestFunctions(PostgresOperation):
    """Create the functions. Frozen into migrations; running it twice is harmless."""

    def statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        return [USER_OF_TOKEN, CHANGES_AFTER, POLL_CHANGES]

    def reverse_statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        return [f"DROP FUNCTION IF EXISTS {name}" for name in ("user_of_token", "poll_changes", "changes_after")]

    def describe(self) -> str:
        return "Create the functions of requests"
