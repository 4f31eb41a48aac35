"""PostgreSQL functions of the statement that begins each request, and of the poll for changes.

PL/pgSQL keeps their plans as long as a connection lives, also behind a pooler. PostgreSQL would otherwise make these
plans for each request, which takes longer than running them. The functions have the rights of their caller, so that the
policies hold.
"""

from collections.abc import Sequence

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from crm.db.postgres_operations import GetModel, PostgresOperation
from crm.db.rate_counters import count_up_sql

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

# One row at least for each company, also where nothing has changed. crm.changes.pages tells where a page ends.
CHANGES_AFTER_QUERY = """
SELECT asked.company_id, state.xid, state.history, state.now, change.xid, change.id, change.resource, change.object_id,
       change.contact_id, change.rep_id, change.change, change.at
FROM (
    SELECT txid_snapshot_xmin(txid_current_snapshot()) AS xid, clock_timestamp() AS now,
           system_identifier || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) || '.'
           || (SELECT oid FROM pg_database WHERE datname = current_database()) AS history
    FROM pg_control_system()
) AS state
CROSS JOIN unnest({companies}, {xids}, {ids}) AS asked (company_id, xid, id)
LEFT JOIN LATERAL (
    SELECT * FROM changes
    WHERE company_id = asked.company_id AND (xid, id) > (asked.xid, asked.id) AND xid < state.xid
    ORDER BY xid, id LIMIT {most}
) AS change ON true
ORDER BY asked.company_id, change.xid, change.id
"""
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
# No row: the session has ended. The request isn't counted then, since another answer counts it.
POLL_CHANGES = f"""
CREATE OR REPLACE FUNCTION poll_changes(
    counter text, present_minute bigint, of_session text, present timestamptz, of_user bigint,
    of_company bigint, after_xid bigint, after_id bigint, most bigint
) RETURNS TABLE (
    request_count bigint, company_id bigint, end_xid bigint, history text, read_at timestamptz, xid bigint, id bigint,
    resource varchar, object_id bigint, contact_id bigint, rep_id bigint, change varchar, at timestamptz
)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    used bigint := 0;
BEGIN
    IF NOT EXISTS (
        SELECT FROM token_blacklist_outstandingtoken AS session
        WHERE session.jti = of_session AND session.user_id = of_user AND session.expires_at > present
    ) THEN
        RETURN;
    END IF;
    IF counter IS NOT NULL THEN
        {count_up_sql("counter", "present_minute")} INTO used;
    END IF;
    RETURN QUERY SELECT used, page.*
        FROM changes_after(ARRAY[of_company], ARRAY[after_xid], ARRAY[after_id], most) AS page;
END $$
"""  # noqa: S608  # constants


class CreateRequestFunctions(PostgresOperation):
    """Create the functions. Frozen into migrations; running it twice is harmless."""

    def statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        return [USER_OF_TOKEN, CHANGES_AFTER, POLL_CHANGES]

    def reverse_statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        return [f"DROP FUNCTION IF EXISTS {name}" for name in ("user_of_token", "poll_changes", "changes_after")]

    def describe(self) -> str:
        return "Create the functions of requests"
