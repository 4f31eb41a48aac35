"""What the providers' ways to prove a delivery have in common: an HMAC in base64, made with a secret that both know."""

import base64
import hmac
from collections.abc import Iterable


class InvalidSecret(ValueError):
    """The text can't be a secret of this provider."""


class BadSignature(Exception):
    """A delivery is not signed, or not with a secret that we know."""


def digest(key: bytes, signed: bytes, algorithm: str) -> str:
    """The signature of some bytes, in base64. The algorithm is the provider's: sha256, or sha1 with the older ones."""
    return base64.b64encode(hmac.digest(key, signed, algorithm)).decode()


def demand_match(pairs: Iterable[tuple[str, str]]) -> None:
    """Returns if in one of the pairs the expected and the given signature are the same. Raises BadSignature.

    All of them are compared, each in constant time: how long it takes tells nothing of how near a guess was.
    """
    matches = [hmac.compare_digest(expected.encode(), given.encode()) for expected, given in pairs]
    if not any(matches):
        raise BadSignature("The signature is missing or wrong.")


def check_token(secret: str) -> None:
    """For providers whose secret is a plain word. Raises InvalidSecret."""
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise InvalidSecret("A secret is one word of letters, digits and signs.")
