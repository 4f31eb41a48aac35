"""Comparison of the keys in the environment with those that the database's rows were made with.

With another PRIVACY_KEY, no stored opt-out would match its number, and messages would leave to people who said STOP.
"""

from typing import Any

from django.conf import settings
from django.db import connections

from crm.encryption import fingerprint
from crm.models import KeyFingerprint

KEYS = ("PRIVACY_KEY", "SECRETS_KEYS")


def record_keys(using: str = "default", **signal: Any) -> None:  # noqa: ARG001  # the signal's arguments
    """Store the fingerprint of each key that has none yet. Runs after each `migrate`."""
    if KeyFingerprint._meta.db_table not in connections[using].introspection.table_names():
        return  # `migrate crm zero`
    for name in KEYS:
        KeyFingerprint.objects.using(using).get_or_create(name=name, defaults={"fingerprint": _fingerprints(name)[0]})


def record_newest_secrets_key() -> None:
    """Store that every secret is encrypted with the newest of SECRETS_KEYS, so that the other keys may go."""
    KeyFingerprint.objects.update_or_create(
        name="SECRETS_KEYS", defaults={"fingerprint": _fingerprints("SECRETS_KEYS")[0]}
    )


def find_unknown_keys() -> list[str]:
    """Return the names of the variables whose keys don't fit the database."""
    stored = KeyFingerprint.objects.filter(name__in=KEYS).order_by("name").values_list("name", "fingerprint")
    return [name for name, kept in stored if kept not in _fingerprints(name)]


def _fingerprints(name: str) -> list[str]:
    """Return the fingerprint of each key of a variable, newest first."""
    keys = settings.SECRETS_KEYS if name == "SECRETS_KEYS" else [settings.PRIVACY_KEY]
    return [fingerprint(key) for key in keys]
