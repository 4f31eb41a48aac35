"""HMAC signatures in base64, as all providers use them."""

import base64
import hmac
from collections.abc import Iterable, Mapping

from messaging.providers.errors import BadSignature, InvalidSecret
from messaging.providers.payloads import find_header

MAX_HEADER = 1000  # characters; twenty signatures of a secret rotation, each of which costs a pass over the body


def digest(key: bytes, signed: bytes, algorithm: str) -> str:
    """Return the signature of some bytes in base64. `algorithm` is sha256 or sha1."""
    return base64.b64encode(hmac.digest(key, signed, algorithm)).decode()


def check_header(headers: Mapping[str, str], names: Iterable[str]) -> None:
    """Raise BadSignature unless one of these headers is given and none of them is too long. Needs no body."""
    given = {name: find_header(headers, name) for name in names}
    if not any(given.values()):
        raise BadSignature("The signature is missing or wrong.")
    for name, value in given.items():
        if len(value) > MAX_HEADER:
            raise BadSignature(f"{name} must be at most {MAX_HEADER:,} characters.")


def require_match(pairs: Iterable[tuple[str, str]]) -> None:
    """Raise BadSignature unless the expected and the given signature are equal in one of the pairs.

    All pairs are compared, each in constant time: the duration must not tell how close a guess was.
    """
    matches = [hmac.compare_digest(expected.encode(), given.encode()) for expected, given in pairs]
    if not any(matches):
        raise BadSignature("The signature is missing or wrong.")


def check_token(secret: str) -> None:
    """Raise InvalidSecret unless the secret is a single word, for providers that sign with a plain token."""
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise InvalidSecret("The secret must be one word of ASCII letters, digits and symbols.")
