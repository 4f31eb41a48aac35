"""A throw-away PgBouncer on a Unix socket in a temporary folder, with the settings of deploy/pgbouncer.ini."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SETTINGS = Path(__file__).resolve().parents[1] / "deploy" / "pgbouncer.ini"
PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
PORT = 5432


@contextmanager
def pgbouncer(*, server: Path, role: str, pool_size: int) -> Iterator[Path]:
    """Share so many connections to the server on this socket. Yields the folder of PgBouncer's own socket.

    The role may also ask its console, the database `pgbouncer`.
    """
    assert PROGRAM is not None, "pgbouncer isn't installed"
    # Not in TMPDIR, which may be long: a socket's path may have 107 bytes at most.
    folder = Path(tempfile.mkdtemp(prefix="crm-pool-", dir="/tmp"))
    folder.chmod(0o777)  # root starts it as `nobody`
    (folder / "users.txt").write_text(f'"{role}" ""\n')
    (folder / "pgbouncer.ini").write_text(
        # Of two lines for one setting, the last one counts.
        SETTINGS.read_text().replace("crm = host=127.0.0.1 port=5432 dbname=crm", f"* = host={server} user={role}")
        + f"listen_addr =\nunix_socket_dir = {folder}\nlisten_port = {PORT}\npidfile =\nlogfile =\n"
        f"auth_type = trust\nauth_file = {folder}/users.txt\nadmin_users = {role}\ndefault_pool_size = {pool_size}\n"
    )
    identity = ["-u", "nobody"] if os.geteuid() == 0 else []
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [PROGRAM, *identity, str(folder / "pgbouncer.ini")], stdout=log, stderr=log, start_new_session=True
        )
    try:
        deadline = time.monotonic() + 300
        while not (folder / f".s.PGSQL.{PORT}").exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PgBouncer did not start:\n{(folder / 'log').read_text()}")
            time.sleep(0.05)
        yield folder
    finally:
        process.terminate()
        process.wait(timeout=300)
        shutil.rmtree(folder)
