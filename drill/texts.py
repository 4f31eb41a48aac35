"""Outgoing messages by the API, and webhook events."""

from itertools import count

from drill.clusters import Cluster
from drill.observations import require
from drill.product import COMPANY
from drill.scene import Scene
from drill.webhooks import Event

SENDERS = [f"+19075550{number}" for number in range(100, 200)]  # reserved for fiction, and not the demo's
_numbers = count(1)


def main_line(scene: Scene) -> tuple[int, str, str]:
    """Return the ID, the number and the provider's ID of the company's first phone line."""
    sql = (
        "SELECT l.id, l.number, l.provider_id FROM phone_lines l JOIN companies c ON c.id = l.company_id"
        " WHERE c.slug = %s ORDER BY l.id LIMIT 1"
    )
    found: tuple[int, str, str] = scene.primary.fetch(sql, COMPANY)[0]
    return found


def queue_texts(scene: Scene, bodies: list[str]) -> None:
    """Queue each message to a contact of its own: one waits for an earlier one with an unknown outcome.

    Contacts that the send policy blocks are left out.
    """
    line, waiting = main_line(scene)[0], [*bodies]
    page = scene.live.call_api("GET", "contacts")
    for contact in page.json()["results"]:
        if not waiting:
            return
        if contact["id"] in scene.texted:
            continue
        scene.texted.add(contact["id"])
        fields = {"body": waiting[0], "phone_line": line}
        answer = scene.live.call_api("POST", f"message-threads/{contact['id']}", json=fields)
        require(answer.status_code in (202, 409), f"a message was answered {answer.status_code}: {answer.text[:200]}")
        if answer.status_code == 202:
            waiting.pop(0)
    require(not waiting, f"{len(waiting)} messages found no contact")


def count_sent(scene: Scene, bodies: list[str]) -> list[int]:
    """Return how often the provider has sent each message."""
    sent = [message.body for message in scene.provider.sent]
    return [sent.count(body) for body in bodies]


def make_event(scene: Scene, text: str) -> Event:
    """Return the webhook event of a message from outside."""
    number = next(_numbers)
    _, ours, provider_id = main_line(scene)
    message = {
        "id": f"ACdrill{number}", "object": "message", "from": SENDERS[number % len(SENDERS)], "to": [ours],
        "direction": "incoming", "text": text, "status": "delivered", "createdAt": "2026-03-02T16:00:00.000Z",
        "phoneNumberId": provider_id, "contactIds": [],
    }  # fmt: skip
    return {
        "id": f"EVdrill{number}", "object": "event", "apiVersion": "v4", "createdAt": message["createdAt"],
        "type": "message.received", "data": {"object": message},
    }  # fmt: skip


def count_processed(cluster: Cluster, events: list[Event]) -> int:
    """Return how many of these webhook events are processed."""
    ids = [event["id"] for event in events]
    return cluster.count("webhook_events WHERE event_id = ANY(%s) AND status = 'processed'", ids)
