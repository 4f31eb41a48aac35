"""PostgreSQL clusters with the roles of docs/deploying.md, and a streaming standby."""

from contextlib import closing
from typing import Any

import psycopg2

from tests.postgres_server import APP_ROLE, COMMON, DATABASE, SUPERUSER, PostgresServer

OWNER, BACKUP = "crm_owner", "backup"
BASE_BACKUP = "pg_basebackup"
ROLES = [
    f"CREATE ROLE {OWNER} LOGIN",
    f"CREATE ROLE {BACKUP} LOGIN BYPASSRLS IN ROLE pg_read_all_data",
    f"ALTER ROLE {APP_ROLE} NOCREATEDB",
    f"ALTER DATABASE {DATABASE} OWNER TO {OWNER}",
]


class Cluster(PostgresServer):
    """A server that loses nothing in a crash. Its empty database belongs to the owner."""

    def __init__(self) -> None:
        super().__init__(COMMON | {"track_commit_timestamp": "on"})  # a STOP counts from its commit on

    def url_of(self, role: str) -> str:
        return f"postgres://{role}@/{self.folder}/{DATABASE}"

    def fetch(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a statement of the superuser, who sees all companies."""
        with closing(psycopg2.connect(host=str(self.folder), user=SUPERUSER, dbname=DATABASE)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return cursor.fetchall() if cursor.description else []

    def count(self, table_and_condition: str, *parameters: Any) -> int:
        return int(self.fetch(f"SELECT count(*) FROM {table_and_condition}", *parameters)[0][0])

    def _create_role(self) -> None:
        super()._create_role()
        for statement in ROLES:
            self.fetch(statement)


class Standby(Cluster):
    """A streaming standby, by pg_basebackup."""

    def __init__(self, primary: Cluster) -> None:
        super().__init__()
        self.primary = primary

    def _initialize(self) -> None:
        self._run(
            str(self.binaries / BASE_BACKUP), "-h", str(self.primary.folder), "-U", SUPERUSER,
            "-D", str(self.data), "--write-recovery-conf", "--checkpoint=fast",
        )  # fmt: skip

    def _create_role(self) -> None:
        """Do nothing: the roles are the primary's."""
