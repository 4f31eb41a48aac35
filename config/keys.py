"""Encryption and hashing keys."""

import base64
import binascii
import hashlib

from config.env import Env

MIN_LENGTH = 32


def read_secrets_keys(env: Env, *, production: bool, secret_key: str) -> list[str]:
    """Return SECRETS_KEYS, newest first; in development the default is derived from SECRET_KEY.

    Rejects an invalid key, and production without one. The problem doesn't contain the key.
    """
    keys: list[str] = env.list("SECRETS_KEYS") if production else env.list("SECRETS_KEYS", default=[])
    if not keys and production:
        env.reject("SECRETS_KEYS", "SECRETS_KEYS must hold at least one key if ENVIRONMENT=production.")
    for position, key in enumerate(keys, start=1):
        if not _is_key(key):
            env.reject(
                "SECRETS_KEYS", f"SECRETS_KEYS: key {position} must be 32 bytes in URL-safe base64; see .env.example."
            )
    derived = base64.urlsafe_b64encode(hashlib.sha256(f"secrets:{secret_key}".encode()).digest()).decode()
    return keys or [derived]


def read_privacy_key(env: Env, *, production: bool, secret_key: str) -> str:
    """Return PRIVACY_KEY; in development the default is derived from SECRET_KEY. Rejects a short key."""
    key = env.str("PRIVACY_KEY") if production else env.str("PRIVACY_KEY", default="")
    if (key or production) and len(key) < MIN_LENGTH:
        env.reject("PRIVACY_KEY", f"PRIVACY_KEY must have at least {MIN_LENGTH} characters.")
    return key or hashlib.sha256(f"privacy:{secret_key}".encode()).hexdigest()


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, altchars=b"-_", validate=True)) == 32
    except (binascii.Error, ValueError):
        return False
