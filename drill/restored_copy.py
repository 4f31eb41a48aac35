"""A backup, restored into the second cluster, whose copy sends nothing."""

import os
import re
import subprocess

from drill.clusters import BACKUP, OWNER
from drill.observations import Skipped, require, wait_until
from drill.product import ROOT
from drill.scene import Scene
from drill.texts import count_processed, count_sent, make_event, queue_texts
from drill.webhooks import post_event
from tests.postgres_server import APP_ROLE, DATABASE

WAITING = [f"Waiting during the backup {number}" for number in range(1, 4)]
FILE = "crm.dump"


def back_up(scene: Scene) -> str:
    """Queue three messages while no worker runs, then run `manage.py backup` as the backup role."""
    if not all((scene.primary.binaries / name).exists() for name in ("pg_dump", "pg_restore")):
        raise Skipped("pg_dump and pg_restore aren't installed")
    queue_texts(scene, WAITING)
    url, binaries = scene.primary.url_of(BACKUP), str(scene.primary.binaries)
    done = scene.live.manage("backup", str(scene.folder / FILE), DIRECT_DATABASE_URL=url, PG_BIN=binaries)
    return done.splitlines()[0]


def restore(scene: Scene) -> str:
    """Run deploy/restore.sh into the second cluster, as the owner, then `grant_app_role crm --apply`."""
    access = {"PGHOST": str(scene.second.folder), "PGUSER": OWNER, "PG_BIN": str(scene.second.binaries)}
    done = subprocess.run(
        [ROOT / "deploy" / "restore.sh", scene.folder / FILE, DATABASE, "2"],
        env=os.environ | access, capture_output=True, text=True,
    )  # fmt: skip
    require(done.returncode == 0, done.stderr[-500:])
    urls = {"url": scene.second.url_of(APP_ROLE), "direct_url": scene.second.url_of(OWNER)}
    scene.restored = scene.install("restored", **urls)
    scene.restored.manage_as_owner("grant_app_role", APP_ROLE, "--apply")
    sql = "SELECT count(*), (SELECT count(*) FROM pg_policies) FROM pg_indexes WHERE schemaname = 'public'"
    indexes, policies = scene.second.fetch(sql)[0]
    return f"{indexes} indexes and {policies} policies"


def compare(scene: Scene) -> str:
    """Run `backup --compare` on the restored copy, as the backup role."""
    manifest, url = scene.folder / f"{FILE}.manifest", scene.second.url_of(BACKUP)
    return scene.restored.manage("backup", "--compare", str(manifest), DIRECT_DATABASE_URL=url)


def hold_texts(scene: Scene) -> str:
    """Run `hold_texts` on the restored copy."""
    held = scene.restored.manage("hold_texts")
    counted = re.match(r"Held messages: (\d+)", held)
    require(counted is not None and int(counted[1]) >= len(WAITING), held)
    return held


def check(scene: Scene) -> str:
    """Run `check --deploy --database default`, `index_report --fail-on drift` and `rotate_secrets` on the copy."""
    scene.restored.manage("check", "--deploy", "--database", "default")
    scene.restored.manage_as_owner("index_report", "--fail-on", "drift")
    rotated = scene.restored.manage("rotate_secrets")
    return f"the self-check passes; no drift; every secret can be read ({rotated.rstrip('.')})"


def start_copy(scene: Scene) -> str:
    """Start the web server on the copy, and a worker that could send; post a webhook event to the copy."""
    scene.restored.start_web()
    seconds = scene.restored.wait_until_ready()
    scene.restored.start_worker()
    event = make_event(scene, "Received by the restored copy")
    status = post_event(scene.restored, event).status_code
    wait_until(lambda: count_processed(scene.second, [event]) == 1, f"the event, answered with {status}, is processed")
    scene.restored.stop()
    held = scene.second.count("message_threads WHERE status = 'held' AND body = ANY(%s)", WAITING)
    saw = (
        f"/readyz 200 after {seconds:.1f} s; webhook event {status} and processed;"
        f" {len(scene.provider.sent)} messages sent, {held} of 3 held"
    )
    require((count_sent(scene, WAITING), held) == ([0, 0, 0], 3), saw)
    return saw


STEPS = (back_up, restore, compare, hold_texts, check, start_copy)
