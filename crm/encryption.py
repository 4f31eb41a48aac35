"""Encryption of secrets, and keyed hashes."""

import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SecretUnreadable(RuntimeError):
    """A stored secret was encrypted with a key that is not among SECRETS_KEYS."""


KEY_ID_LENGTH = 8
"""A stored secret begins with the ID of its key, so that SQL can count those of a missing key."""


def encrypt(text: str) -> str:
    """Return `text`, encrypted with the newest of SECRETS_KEYS; different each time."""
    newest = settings.SECRETS_KEYS[0]
    return f"{fingerprint(newest)[:KEY_ID_LENGTH]}:{Fernet(newest).encrypt(text.encode()).decode()}"


def decrypt(stored: str) -> str:
    """Return the text of a stored secret, encrypted with any of SECRETS_KEYS. Raises SecretUnreadable without its key.

    A secret without the ID of its key is tried with each.
    """
    key_id, _, token = stored.rpartition(":")
    keys = [Fernet(key) for key in settings.SECRETS_KEYS if fingerprint(key).startswith(key_id)]
    try:
        if keys:
            return MultiFernet(keys).decrypt(token.encode()).decode()
    except InvalidToken:
        pass
    raise SecretUnreadable("A stored secret can't be decrypted; add the key that encrypted it to SECRETS_KEYS.")


def key_ids() -> list[str]:
    """Return the ID of each of SECRETS_KEYS, newest first."""
    return [fingerprint(key)[:KEY_ID_LENGTH] for key in settings.SECRETS_KEYS]


def has_newest_key(stored: str) -> bool:
    """Return whether a stored secret is encrypted with the newest key."""
    return stored.startswith(f"{key_ids()[0]}:")


def fingerprint(key: str) -> str:
    """Return a keyed hash that tells a key from others and does not disclose it, in hex."""
    return hmac.digest(key.encode(), b"fingerprint", "sha256").hex()


def keyed_hash(purpose: str, text: str) -> str:
    """Return the HMAC-SHA256 of `text` with PRIVACY_KEY, in hex. Equal for equal texts, and not reversible.

    A plain hash would be reversible: all existing phone numbers can be hashed in an hour. `purpose` makes hashes of the
    same text differ between uses.
    """
    return hmac.digest(settings.PRIVACY_KEY.encode(), f"{purpose}:{text}".encode(), "sha256").hex()
