"""Signatures by Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`."""

import base64
import hmac
from collections.abc import Iterable
from secrets import token_bytes

PREFIX = "whsec_"


def generate_secret() -> str:
    return PREFIX + base64.b64encode(token_bytes(32)).decode()


def signed_headers(*, event_id: str, timestamp: int, body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """Return the three headers, with a signature by each secret."""
    signatures = [sign(secret, event_id=event_id, timestamp=timestamp, body=body) for secret in secrets]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def sign(secret: str, *, event_id: str, timestamp: int, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.digest(key, f"{event_id}.{timestamp}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"
