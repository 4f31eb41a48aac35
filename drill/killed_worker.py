"""Workers that are killed in the middle of their work: nothing is lost, and nothing happens twice."""

from drill.observations import require, wait_until
from drill.restored_copy import WAITING
from drill.scene import Scene
from drill.texts import count_processed, count_sent, make_event, queue_texts
from drill.webhooks import post_event
from tests.provider_server import hang

EVENTS, KILL_AT = 200, (20, 80)
LEASE_S = "2"  # instead of 30: the drill waits until it has ended
TEXT = "Killed while the provider had it"
SENT = "message_threads WHERE body = %s AND status = 'sent'"


def kill_during_events(scene: Scene) -> str:
    """Post 200 webhook events, and kill two workers (kill -9) in the middle of processing them."""
    events = [make_event(scene, f"Event {number}") for number in range(EVENTS)]
    answers = {post_event(scene.live, event).status_code for event in events}
    require(answers == {200}, f"webhook events were answered {answers}")
    killed_at = []
    for at in KILL_AT:
        worker = scene.live.start_worker("--only", "deliveries", WORKER_LEASE_S=LEASE_S)
        wait_until(lambda at=at: count_processed(scene.primary, events) >= at, f"{at} events are processed")  # type: ignore[misc]
        worker.kill()
        worker.wait()
        killed_at.append(count_processed(scene.primary, events))
    require(killed_at[-1] < EVENTS, "all events were processed before the kill")
    scene.live.start_worker(WORKER_LEASE_S=LEASE_S)
    seconds = wait_until(lambda: count_processed(scene.primary, events) == EVENTS, "all events are processed")
    messages, ids = scene.primary.fetch(
        "SELECT count(*), count(DISTINCT body) FROM message_threads WHERE body ~ '^Event \\d+$'"
    )[0]
    saw = (
        f"killed after {' and '.join(map(str, killed_at))}; {messages} messages, {ids} different, {seconds:.1f} s later"
    )
    require((messages, ids) == (EVENTS, EVENTS), saw)
    return saw


def kill_during_text(scene: Scene) -> str:
    """Kill the worker while the provider has accepted a message and not answered yet."""
    wait_until(lambda: count_sent(scene, WAITING) == [1, 1, 1], "the messages of the backup are sent")
    scene.provider.fail_sends(hang(accepts=True))
    queue_texts(scene, [TEXT])
    wait_until(lambda: count_sent(scene, [TEXT]) == [1], "the provider has the message")
    worker = scene.live.processes["worker"]
    worker.kill()
    worker.wait()
    [[before]] = scene.primary.fetch("SELECT status FROM message_threads WHERE body = %s", TEXT)
    scene.live.start_worker()
    seconds = wait_until(lambda: scene.primary.count(SENT, TEXT) == 1, "the message has the status sent")
    saw = f"{before} when killed, sent {seconds:.1f} s later; the provider has it {count_sent(scene, [TEXT])[0]} time"
    require((before, count_sent(scene, [TEXT])) == ("sending", [1]), saw)
    return saw


STEPS = (kill_during_events, kill_during_text)
