"""PgBouncer in transaction mode in front of the first cluster."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from drill.observations import Skipped, require, wait_until
from drill.scene import Scene
from drill.texts import count_processed, make_event
from drill.webhooks import post_event
from tests.postgres_server import APP_ROLE, DATABASE

EVENTS = 10
POOL_SIZE = 2  # fewer than the connections of the web server and the worker


def work_through_pooler(scene: Scene) -> str:
    """Start PgBouncer with two server connections, and a web server and a worker that use it alone."""
    product = scene.pooled = scene.install("pooled", url=start_pooler(scene))
    product.start_web()
    product.start_worker()
    product.wait_until_ready()
    product.sign_in()
    listed = product.call_api("GET", "contacts").status_code
    events = [make_event(scene, "Through the pooler") for _ in range(EVENTS)]
    answers = [post_event(product, event).status_code for event in events]
    require((listed, set(answers)) == (200, {200}), f"GET contacts {listed}, webhook events {answers}")
    wait_until(lambda: count_processed(scene.primary, events) == EVENTS, "all webhook events are processed")
    product.stop()
    return f"GET contacts {listed}; {EVENTS} webhook events accepted and processed"


def refuse_migrate(scene: Scene) -> str:
    """Run `migrate` through the pooler without DIRECT_DATABASE_URL."""
    refusal = scene.pooled.manage("migrate", status=1).splitlines()[-1]
    require("DIRECT_DATABASE_URL" in refusal, refusal)
    return refusal


def start_pooler(scene: Scene) -> str:
    """Start PgBouncer. Returns its URL; raises Skipped where it isn't installed."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise Skipped("pgbouncer isn't installed")
    # Not in TMPDIR, which may be long: a socket's path may have 107 bytes at most.
    folder = Path(scene.stack.enter_context(tempfile.TemporaryDirectory(prefix="crm-pool-", dir="/tmp")))
    folder.chmod(0o777)
    (folder / "users.txt").write_text(f'"{APP_ROLE}" ""\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={scene.primary.folder} user={APP_ROLE}\n"
        f"[pgbouncer]\nlisten_addr =\nunix_socket_dir = {folder}\nlisten_port = 5432\nauth_type = trust\n"
        f"auth_file = {folder}/users.txt\npool_mode = transaction\ndefault_pool_size = {POOL_SIZE}\n"
    )
    identity = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [program, "-q", *identity, str(folder / "pgbouncer.ini")]
    with (scene.folder / "pooler.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    scene.stack.callback(process.wait)
    scene.stack.callback(process.terminate)
    wait_until(lambda: (folder / ".s.PGSQL.5432").exists(), "PgBouncer has a socket")
    return f"postgres://{APP_ROLE}@/{folder}/{DATABASE}"


STEPS = (work_through_pooler, refuse_migrate)
