"""Encryption of secrets, and keyed hashes."""

import hmac
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SecretUnreadable(RuntimeError):
    """A stored secret was encrypted with a key that is not among SECRETS_KEYS."""


def encrypt(text: str) -> str:
    """Return `text`, encrypted with the newest of SECRETS_KEYS; different each time."""
    return _cipher(settings.SECRETS_KEYS).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Return the text of a token, encrypted with any of SECRETS_KEYS. Raises SecretUnreadable without the token."""
    try:
        return _cipher(settings.SECRETS_KEYS).decrypt(token.encode()).decode()
    except InvalidToken:
        raise SecretUnreadable(
            "A stored secret can't be decrypted; add the key that encrypted it to SECRETS_KEYS."
        ) from None


def has_newest_key(token: str) -> bool:
    """Return whether `token` is encrypted with the newest key."""
    try:
        _cipher(settings.SECRETS_KEYS[:1]).decrypt(token.encode())
    except InvalidToken:
        return False
    return True


def keyed_hash(purpose: str, text: str) -> str:
    """Return the HMAC-SHA256 of `text` with PRIVACY_KEY, in hex. Equal for equal texts, and not reversible.

    A plain hash would be reversible: all existing phone numbers can be hashed in an hour. `purpose` makes hashes of the
    same text differ between uses.
    """
    return hmac.digest(settings.PRIVACY_KEY.encode(), f"{purpose}:{text}".encode(), "sha256").hex()


def _cipher(keys: Sequence[str]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
