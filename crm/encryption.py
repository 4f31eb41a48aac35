"""What is kept unreadable: secrets, which we must be able to read again, and hashes, which nobody must."""

import hmac
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SecretUnreadable(RuntimeError):
    """A stored secret was encrypted with a key that is not among SECRETS_KEYS."""


def encrypt(text: str) -> str:
    """`text` under the newest of SECRETS_KEYS, different each time."""
    return _cipher(settings.SECRETS_KEYS).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """What `encrypt` was given, under any of SECRETS_KEYS. Raises SecretUnreadable, which doesn't repeat the token."""
    try:
        return _cipher(settings.SECRETS_KEYS).decrypt(token.encode()).decode()
    except InvalidToken:
        raise SecretUnreadable(
            "A stored secret can't be read: the key that it was encrypted with is not in SECRETS_KEYS."
        ) from None


def has_newest_key(token: str) -> bool:
    """Whether `token` is encrypted with the newest key already."""
    try:
        _cipher(settings.SECRETS_KEYS[:1]).decrypt(token.encode())
    except InvalidToken:
        return False
    return True


def keyed_hash(purpose: str, text: str) -> str:
    """HMAC-SHA256 with PRIVACY_KEY, in hex: equal for equal texts, and no way back.

    A plain hash would be none: all phone numbers there are can be hashed in an hour. `purpose` keeps hashes of the
    same text for different ends apart.
    """
    return hmac.digest(settings.PRIVACY_KEY.encode(), f"{purpose}:{text}".encode(), "sha256").hex()


def _cipher(keys: Sequence[str]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
