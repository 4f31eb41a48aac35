"""A primary that is lost, and the promotion of its standby."""

from collections import Counter

from drill.clusters import BASE_BACKUP, OWNER, Cluster, Standby
from drill.observations import Skipped, require, wait_until
from drill.scene import Scene
from drill.texts import count_processed, make_event
from drill.webhooks import PersistentSender, post_event
from tests.postgres_server import APP_ROLE

TABLES = ("contacts", "message_threads", "webhook_events")
BODY = "Sent during the failover"


def start_standby(scene: Scene) -> str:
    """Start a streaming standby of the first cluster, by pg_basebackup."""
    if not (scene.primary.binaries / BASE_BACKUP).exists():
        raise Skipped(f"{BASE_BACKUP} isn't installed")
    scene.standby = scene.start_cluster(Standby(scene.primary))
    [[is_standby]] = scene.standby.fetch("SELECT pg_is_in_recovery()")
    require(is_standby, "the new server isn't a standby")
    seconds = wait_until(lambda: count_rows(scene.standby) == count_rows(scene.primary), "the standby has all rows")
    return f"the standby has {describe(count_rows(scene.standby))} after {seconds:.1f} s"


def lose_primary(scene: Scene) -> str:
    """Stop the primary at once (immediate) and delete its data, while web server, worker and a provider go on."""
    event = make_event(scene, BODY)
    scene.primary.stop()
    ready, listed = scene.live.http.get("/readyz"), scene.live.call_api("GET", "contacts")
    scene.persistent = PersistentSender(scene.live, event)
    scene.persistent.start()
    wait_until(lambda: 503 in scene.persistent.answers, "the webhook event is answered with 503")
    worker = scene.live.processes["worker"].poll()
    retry_after = listed.headers.get("Retry-After", "")
    saw = (
        f"/readyz {ready.status_code} ({ready.json()['status']}); GET contacts {listed.status_code} {listed.text}"
        f" Retry-After: {retry_after}; webhook event 503; the worker {'waits' if worker is None else 'ended'}"
    )
    require((ready.status_code, listed.status_code, retry_after.isdigit(), worker) == (503, 503, True, None), saw)
    return saw


def promote(scene: Scene) -> str:
    """Promote the standby, and restart web server and worker with its DATABASE_URL."""
    before = count_rows(scene.standby)
    scene.standby.fetch("SELECT pg_promote()")
    scene.primary = scene.standby  # the other one is lost
    scene.live.move(url=scene.primary.url_of(APP_ROLE), direct_url=scene.primary.url_of(OWNER))
    scene.live.start_web()
    scene.live.start_worker()
    seconds = scene.live.wait_until_ready()
    after = count_rows(scene.primary)
    require(all(after[table] >= before[table] for table in TABLES), f"{describe(before)} before, {describe(after)} now")
    return f"/readyz 200 after {seconds:.1f} s; all {describe(before)} are there"


def receive_once(scene: Scene) -> str:
    """Wait for the provider that repeats the webhook event of the outage, then send it once more."""
    sender = scene.persistent
    wait_until(lambda: count_processed(scene.primary, [sender.event]) == 1, "the webhook event is processed")
    sender.join(timeout=60)
    again = post_event(scene.live, sender.event)
    rows = scene.primary.count("webhook_events WHERE event_id = %s", sender.event["id"])
    messages = scene.primary.count("message_threads WHERE body = %s", BODY)
    answers = ", ".join(f"{status} ({times} times)" for status, times in Counter(sender.answers).items())
    saw = f"answers {answers}, once more {again.status_code}; {rows} webhook event and {messages} message stored"
    require((again.status_code, rows, messages) == (200, 1, 1), saw)
    return saw


def count_rows(cluster: Cluster) -> dict[str, int]:
    return {table: cluster.count(table) for table in TABLES}


def describe(rows: dict[str, int]) -> str:
    return ", ".join(f"{count} {table}" for table, count in rows.items())


STEPS = (start_standby, lose_primary, promote, receive_once)
