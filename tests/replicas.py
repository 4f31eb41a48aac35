"""A standby of the tests' PostgreSQL server, and its alias."""

import signal
from contextlib import contextmanager

from django.db import connection, connections

from tests.db.scratch import wait_until
from tests.postgres_server import QUICK, SUPERUSER, PostgresServer


class Standby(PostgresServer):
    """A read-only server that follows a running one."""

    def __init__(self, primary):
        super().__init__(QUICK)
        self.primary = primary

    def _initialize(self):
        self._run(
            str(self.binaries / "pg_basebackup"), "-h", self.primary, "-U", SUPERUSER, "-D", str(self.data),
            "--write-recovery-conf", "--checkpoint=fast", "--no-sync",
        )  # fmt: skip

    def _create_role(self):
        """The roles are those of the primary."""

    @contextmanager
    def stopped(self):
        # Without a fresh checkpoint the standby replays at its start all that other tests have written since the last
        # one, which takes minutes on a busy machine.
        self._ask_superuser("CHECKPOINT", host=self.primary)
        written = self._ask_superuser("SELECT pg_current_wal_flush_lsn()", host=self.primary)
        wait_until(lambda: self._ask_superuser(f"SELECT pg_last_wal_replay_lsn() >= '{written}'"))
        self._ask_superuser("CHECKPOINT")
        self.process.send_signal(signal.SIGINT)  # ends the sessions, too
        self.process.wait(timeout=300)
        try:
            yield
        finally:
            self._start()

    @contextmanager
    def paused(self):
        """Replay nothing during the block."""
        self._ask_superuser("SELECT pg_wal_replay_pause()")
        try:
            while self._ask_superuser("SELECT pg_get_wal_replay_pause_state()") != "paused":
                pass
            yield
        finally:
            self._ask_superuser("SELECT pg_wal_replay_resume()")

    def _ask_superuser(self, question, host=None):
        session = connection.Database.connect(host=host or str(self.folder), user=SUPERUSER, dbname="postgres")
        session.autocommit = True
        try:
            with session.cursor() as cursor:
                cursor.execute(question)
                return cursor.fetchone()[0] if cursor.description else None
        finally:
            session.close()


@contextmanager
def a_replica(settings, *, host):
    """`replica1`: the same database, on another host."""
    replica = connection.copy("replica1")
    replica.settings_dict["HOST"] = host
    connections["replica1"] = replica
    settings.REPLICAS = ["replica1"]
    settings.DATABASE_ROUTERS = ["crm.db.replicas.ReplicaRouter"]
    try:
        yield replica
    finally:
        replica.close()
        del connections["replica1"]
        settings.REPLICAS = []
