"""OpenPhone's signatures: HMAC-SHA256 over the raw body, in two generations.

    legacy      openphone-signature: hmac;1;<timestamp>;<base64>      over `timestamp.body`
    current     webhook-id, webhook-timestamp, webhook-signature:     over `id.timestamp.body` (Standard Webhooks
                v1,<base64> v1,<base64> …                              specification)

The key is the base64-decoded secret in both. Secrets of the current generation begin with `whsec_`.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from secrets import token_bytes

from messaging.providers.errors import BadSignature, InvalidPayload, InvalidSecret
from messaging.providers.openphone.envelope import is_current
from messaging.providers.payloads import find_header, read_json, storable_id
from messaging.providers.signatures import digest, require_match

SECRET_NAME = "the webhook's signing secret"  # noqa: S105  # its name
HEADERS: tuple[str, ...] = ("webhook-signature", "openphone-signature")
PREFIX = "whsec_"
MAX_CLOCK_DIFFERENCE_S = 300


def check_secret(secret: str) -> None:
    """Raise InvalidSecret unless the text may be a secret of either generation."""
    key_of(secret)


def generate_secret() -> str:
    """Return a new secret in the form of the current generation, which works for both."""
    return PREFIX + base64.b64encode(token_bytes(32)).decode()


def describe_secret(secret: str) -> str:
    """Return the generation of a secret."""
    return "current (whsec_)" if secret.startswith(PREFIX) else "legacy (plain base64)"


def key_of(secret: str) -> bytes:
    """Return the decoded key of a secret. Raises InvalidSecret."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidSecret("The secret must be base64, with or without the prefix `whsec_`.") from error
    if not key:
        raise InvalidSecret("The secret must not be empty.")
    return key


def sign(*, secret: str, body: bytes, url: str, now: float) -> dict[str, str]:  # noqa: ARG001  # SignatureScheme
    """Return the headers of a webhook event, signed as the generation of the body requires."""
    try:
        content, _ = read_json(body)
    except InvalidPayload:
        content = {}
    json = {"content-type": "application/json"}
    if not is_current(content):
        return json | sign_legacy(secret=secret, body=body, timestamp=str(int(now * 1000)))
    # The provider assigns an id to each request; a hash gives the same id for the same body.
    event_id = storable_id(content.get("id")) or f"msg_{hashlib.sha256(body).hexdigest()}"
    return json | sign_current(secret=secret, body=body, event_id=event_id, timestamp=str(int(now)))


def sign_legacy(*, secret: str, body: bytes, timestamp: str) -> dict[str, str]:
    """Return the headers of a legacy webhook event. The timestamp is in milliseconds."""
    return {"openphone-signature": f"hmac;1;{timestamp};{_legacy(key_of(secret), timestamp, body)}"}


def sign_current(*, secret: str, body: bytes, event_id: str, timestamp: str) -> dict[str, str]:
    """Return the headers of a current webhook event. The timestamp is in seconds."""
    signature = _current(key_of(secret), event_id, timestamp, body)
    return {"webhook-id": event_id, "webhook-timestamp": timestamp, "webhook-signature": f"v1,{signature}"}


def verify_signature(
    *,
    headers: Mapping[str, str],
    body: bytes,
    secrets: Iterable[str],
    url: str,  # noqa: ARG001  # SignatureScheme
    now: float,
) -> None:
    """Check that one of the secrets, of either generation, signed the body.

    Legacy webhook events may be of any age: retries keep their first timestamp, and duplicates are found by their id.

    Raises:
        BadSignature: no secret matches, or a current event is more than five minutes away from `now`.
    """
    keys = list(_keys(secrets))
    if given := find_header(headers, "webhook-signature"):
        event_id, timestamp = find_header(headers, "webhook-id"), find_header(headers, "webhook-timestamp")
        if not re.fullmatch("[0-9]{1,12}", timestamp) or abs(int(timestamp) - now) > MAX_CLOCK_DIFFERENCE_S:
            raise BadSignature("webhook-timestamp is missing or too far from the server's clock.")
        pairs = [
            (expected, entry.removeprefix("v1,"))
            for expected in [_current(key, event_id, timestamp, body) for key in keys]
            for entry in given.split()
            if entry.startswith("v1,")
        ]
    else:
        pairs = [
            (_legacy(key, parts[2], body), parts[3])
            for key in keys
            for entry in find_header(headers, "openphone-signature").split(",")
            if len(parts := entry.strip().split(";")) == 4 and parts[:2] == ["hmac", "1"]
        ]
    require_match(pairs)


def _keys(secrets: Iterable[str]) -> Iterator[bytes]:
    for secret in secrets:
        try:
            yield key_of(secret)
        except InvalidSecret:  # a mistyped secret must not disable the others
            continue


def _legacy(key: bytes, timestamp: str, body: bytes) -> str:
    return digest(key, f"{timestamp}.".encode() + body, "sha256")


def _current(key: bytes, event_id: str, timestamp: str, body: bytes) -> str:
    return digest(key, f"{event_id}.{timestamp}.".encode() + body, "sha256")
