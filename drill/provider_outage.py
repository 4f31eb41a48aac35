"""A provider that hangs, drops connections and is unreachable, and then answers again."""

from drill.observations import require, wait_until
from drill.scene import Scene
from drill.texts import count_processed, count_sent, make_event, queue_texts
from drill.webhooks import post_event
from tests.provider_server import ProviderServer, drop, hang

DOWN = 'crm_provider_down{provider="openphone"}'
UNANSWERED = [f"Accepted without an answer {number}" for number in range(1, 4)]
WAITING = [f"Written while the provider was unreachable {number}" for number in range(1, 3)]


def work_on(scene: Scene) -> str:
    """Queue a message, which the provider accepts without an answer (hang); receive a webhook event meanwhile."""
    scene.provider.fail_sends(hang(accepts=True), drop(accepts=True), drop(accepts=True))
    queue_texts(scene, UNANSWERED[:1])
    wait_until(lambda: count_sent(scene, UNANSWERED[:1]) == [1], "the provider has the message")
    event = make_event(scene, "Sent while the provider hangs")
    status = post_event(scene.live, event).status_code
    seconds = wait_until(lambda: count_processed(scene.primary, [event]) == 1, "the event is processed")
    [[text]] = scene.primary.fetch("SELECT status FROM message_threads WHERE body = %s", UNANSWERED[0])
    saw = f"webhook event {status} and processed after {seconds:.1f} s, while the message was {text}"
    require((status, text) == (200, "sending"), saw)
    return saw


def report_outage(scene: Scene) -> str:
    """Queue two messages whose connections the provider drops, then make it unreachable and queue two more."""
    queue_texts(scene, UNANSWERED[1:])
    wait_until(lambda: scene.live.read_metric(DOWN) == 1, f"{DOWN} is 1")
    scene.provider.__exit__()
    queue_texts(scene, WAITING)
    notices = scene.live.call_api("GET", "notices").json()
    texts = [notice["message"] for notice in notices["notices"] if notice["kind"] == "provider_down"]
    require(len(texts) == 1, f"notices: {notices}")
    return f"crm_provider_down 1; notice: {texts[0]}"


def recover(scene: Scene) -> str:
    """Start the provider again at the same address, with the messages that it had accepted."""
    before = scene.provider
    scene.provider = ProviderServer(requests_per_second=1000, port=int(before.url.rpartition(":")[2]))
    scene.provider.openphone, scene.provider.sent = before.openphone, before.sent
    scene.stack.enter_context(scene.provider)
    bodies = UNANSWERED + WAITING
    sent = "message_threads WHERE body = ANY(%s) AND status = 'sent'"
    seconds = wait_until(lambda: scene.primary.count(sent, bodies) == len(bodies), "all messages have the status sent")
    down, times = scene.live.read_metric(DOWN), count_sent(scene, bodies)
    saw = f"5 messages sent after {seconds:.1f} s; the provider has them {times} times; crm_provider_down {down:.0f}"
    require((down, set(times)) == (0, {1}), saw)
    return saw


STEPS = (work_on, report_outage, recover)
