"""Privileges of the application role: rows, but no tables, triggers or policies.

One role owns the tables and migrates. The web server and the workers connect as another one, so that a fault in them
can't turn off row-level security or the audit.
"""

from collections.abc import Sequence

from django.db import connection

from crm.db.audit import TABLE as AUDIT_TABLE
from crm.models import Contact
from crm.services.imports.undo import OWN
from crm.services.self_check import MAINTAIN_SINCE

READ_ONLY = ["django_migrations"]  # /readyz reads it
APPEND_ONLY = [AUDIT_TABLE]
# An import analyzes them while they grow: else the checks of its own rows get slower with each.
ANALYZED = [model._meta.db_table for model in (Contact, *OWN)]

# Predefined roles that write every table, run programs, or read and write the server's files.
POWERFUL_ROLES = ["pg_write_all_data", "pg_execute_server_program", "pg_read_server_files", "pg_write_server_files"]

# The owner of the database may create schemas, in which a table could get the audit's entries.
OWNED = """
SELECT 'the database ' || datname FROM pg_database
WHERE datname = current_database() AND pg_has_role(%(role)s, datdba, 'MEMBER')
UNION ALL
SELECT 'the schema ' || nspname FROM pg_namespace
WHERE nspname = current_schema AND pg_has_role(%(role)s, nspowner, 'MEMBER')
UNION ALL
SELECT 'the function ' || oid::regprocedure FROM pg_proc
WHERE pronamespace = current_schema::regnamespace AND pg_has_role(%(role)s, proowner, 'MEMBER')
LIMIT 1
"""
MIGHTY = """
SELECT rolname FROM pg_roles
WHERE rolname <> %(role)s AND pg_has_role(%(role)s, oid, 'MEMBER')
  AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolname = ANY (%(powerful)s))
ORDER BY rolname LIMIT 1
"""


class UnsuitableRole(Exception):
    """The role doesn't exist, or has other ways to the privileges that the application must not have."""


def grant_statements(role: str) -> list[str]:
    """Return the statements that give `role` its privileges, for the current role, which owns the tables, to run.

    Running them twice is harmless. Temporary tables are refused to everybody but the owner: one named like the audit's
    table would get its entries. Raises UnsuitableRole.
    """
    database, schema, owner = _read_names()
    version: int = connection.pg_version  # type: ignore[attr-defined]  # of PostgreSQL alone
    _check_role(role, owner=owner)
    quote = connection.ops.quote_name
    to, within, by = quote(role), quote(schema), quote(owner)
    return [
        f"REVOKE CREATE, TEMPORARY ON DATABASE {quote(database)} FROM PUBLIC, {to}",
        f"GRANT CONNECT ON DATABASE {quote(database)} TO {to}",
        f"REVOKE CREATE ON SCHEMA {within} FROM PUBLIC, {to}",
        f"GRANT USAGE ON SCHEMA {within} TO {to}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {within} FROM {to}",
        f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER ON ALL TABLES IN SCHEMA {within} FROM PUBLIC",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {within} TO {to}",
        *(f"REVOKE INSERT, UPDATE, DELETE ON {quote(table)} FROM {to}" for table in READ_ONLY),
        *(f"REVOKE UPDATE, DELETE ON {quote(table)} FROM {to}" for table in APPEND_ONLY),
        *(f"GRANT MAINTAIN ON {quote(table)} TO {to}" for table in (ANALYZED if version >= MAINTAIN_SINCE else ())),
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {within} TO {to}",
        # Tables of later migrations.
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {by} IN SCHEMA {within}"
        f" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {to}",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {by} IN SCHEMA {within} GRANT USAGE ON SEQUENCES TO {to}",
    ]


def _read_names() -> Sequence[str]:
    """Return the names of the database, the schema and the current role."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database(), current_schema(), current_user")
        names: Sequence[str] = cursor.fetchone()
        return names


def _check_role(role: str, *, owner: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper OR rolbypassrls, rolcreaterole, pg_has_role(oid, %s, 'MEMBER') FROM pg_roles"
            " WHERE rolname = %s",
            [owner, role],
        )
        found = cursor.fetchone()
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema AND tableowner <> current_user LIMIT 1"
        )
        foreign_table = cursor.fetchone()
    if foreign_table:
        raise UnsuitableRole(f"The role {owner} doesn't own {foreign_table[0]}. Connect as the role that migrates.")
    if found is None:
        raise UnsuitableRole(f"The role {role} doesn't exist. Create it first: CREATE ROLE {role} LOGIN PASSWORD '…';")
    bypasses, creates_roles, is_member = found
    if bypasses or creates_roles:
        raise UnsuitableRole(f"The role {role} must be NOSUPERUSER NOBYPASSRLS NOCREATEROLE; alter it first.")
    if is_member:
        raise UnsuitableRole(f"The role {role} must be neither {owner}, which owns the tables, nor a member of it.")
    with connection.cursor() as cursor:
        cursor.execute(MIGHTY, {"role": role, "powerful": POWERFUL_ROLES})
        mighty = cursor.fetchone()
        cursor.execute(OWNED, {"role": role})
        owned = cursor.fetchone()
    if mighty:
        raise UnsuitableRole(f"The role {role} is a member of {mighty[0]}: REVOKE {mighty[0]} FROM {role}; first.")
    if owned:
        raise UnsuitableRole(f"The role {role} owns {owned[0]}; give it to {owner} first.")
