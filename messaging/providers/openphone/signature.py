"""How OpenPhone proves that a delivery is its own. Both of its generations sign the raw body with HMAC-SHA256.

    legacy      openphone-signature: hmac;1;<timestamp>;<base64>      over `timestamp.body`
    current     webhook-id, webhook-timestamp, webhook-signature:     over `id.timestamp.body`, as the Standard Webhooks
                v1,<base64> v1,<base64> …                              specification says

The key of both is the base64-decoded secret; those of the current generation begin with `whsec_`.
"""

import base64
import binascii
import re
import secrets as randomness
from collections.abc import Iterable, Iterator, Mapping

from messaging.providers.payloads import find_header
from messaging.providers.signatures import BadSignature, InvalidSecret, demand_match, digest

SECRET = "the signing secret of the webhook"  # noqa: S105  # its name
PREFIX = "whsec_"
MAX_CLOCK_DIFFERENCE_S = 300


def check_secret(secret: str) -> None:
    """Returns if the text may be a secret of either generation. Raises InvalidSecret."""
    key_of(secret)


def generate_secret() -> str:
    """A new one in the form of the current generation; it opens the door to both."""
    return PREFIX + base64.b64encode(randomness.token_bytes(32)).decode()


def key_of(secret: str) -> bytes:
    """The key within a secret. Raises InvalidSecret."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidSecret("A secret is base64, after `whsec_` if it begins so.") from error
    if not key:
        raise InvalidSecret("The secret is empty.")
    return key


def sign_legacy(*, secret: str, body: bytes, timestamp: str) -> dict[str, str]:
    """The headers of a legacy delivery. The timestamp is the provider's: milliseconds."""
    return {"openphone-signature": f"hmac;1;{timestamp};{_legacy(key_of(secret), timestamp, body)}"}


def sign_current(*, secret: str, body: bytes, delivery_id: str, timestamp: str) -> dict[str, str]:
    """The headers of a delivery of the current generation. The timestamp is in seconds."""
    signature = _current(key_of(secret), delivery_id, timestamp, body)
    return {"webhook-id": delivery_id, "webhook-timestamp": timestamp, "webhook-signature": f"v1,{signature}"}


def verify_signature(
    *,
    headers: Mapping[str, str],
    body: bytes,
    secrets: Iterable[str],
    url: str,  # noqa: ARG001  # the interface of all
    now: float,
) -> None:
    """Returns if the body is signed with one of the secrets, whichever generation that one is of.

    A legacy delivery may be of any age: its retries keep their first timestamp, and a repeated one is found by its id.

    Raises:
        BadSignature: it is not, or it is of the current generation and more than five minutes away from `now`.
    """
    keys = list(_keys(secrets))
    if given := find_header(headers, "webhook-signature"):
        delivery_id, timestamp = find_header(headers, "webhook-id"), find_header(headers, "webhook-timestamp")
        if not re.fullmatch("[0-9]{1,12}", timestamp) or abs(int(timestamp) - now) > MAX_CLOCK_DIFFERENCE_S:
            raise BadSignature("webhook-timestamp is missing or too far from our clock.")
        pairs = [
            (_current(key, delivery_id, timestamp, body), entry.removeprefix("v1,"))
            for key in keys
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
    demand_match(pairs)


def _keys(secrets: Iterable[str]) -> Iterator[bytes]:
    for secret in secrets:
        try:
            yield key_of(secret)
        except InvalidSecret:  # one that was mistyped must not shut the door for the others
            continue


def _legacy(key: bytes, timestamp: str, body: bytes) -> str:
    return digest(key, f"{timestamp}.".encode() + body, "sha256")


def _current(key: bytes, delivery_id: str, timestamp: str, body: bytes) -> str:
    return digest(key, f"{delivery_id}.{timestamp}.".encode() + body, "sha256")
