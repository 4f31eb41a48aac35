"""Stored secrets over all companies: their re-encryption with the newest key, and those of a missing key."""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Model
from django.db.models.functions import Left

from crm.db.tenancy import all_tenants
from crm.encryption import KEY_ID_LENGTH, decrypt, has_newest_key, key_ids
from crm.fields import EncryptedTextField, as_stored

BATCH = 200


def count_secrets() -> int:
    """Return the number of rows with encrypted text, over all companies."""
    with all_tenants():
        return sum(model._base_manager.count() for model, _ in _encrypted_fields())


def rotate_secrets(*, progress: Callable[[int], object]) -> int:
    """Encrypt every secret with the newest of SECRETS_KEYS. Return the number of re-encrypted secrets.

    Each batch is a transaction, so that an interrupted rotation can be continued. `progress` is called with the number
    of rows of each batch.

    Raises:
        SecretUnreadable: the key of a stored secret is missing. Earlier batches are done.
    """
    return sum(_rotate(model, field, progress) for model, field in _encrypted_fields())


def count_unreadable() -> dict[str, int]:
    """Return the number of secrets whose key is not among SECRETS_KEYS, by table; only tables that have some.

    Each table has few rows for each company, and its stored secrets aren't decrypted.
    """
    with all_tenants():
        counts = {
            model._meta.db_table: model._base_manager.annotate(key_id=Left(as_stored(field), KEY_ID_LENGTH))
            .exclude(key_id__in=key_ids())
            .filter(**{f"{field}__isnull": False})
            .count()
            for model, field in _encrypted_fields()
        }
    return {table: count for table, count in counts.items() if count}


def _rotate(model: type[Model], field: str, progress: Callable[[int], object]) -> int:
    rotated, last_id = 0, 0
    while True:
        with all_tenants(), transaction.atomic():
            rows = _stored(model, field).filter(pk__gt=last_id).order_by("pk").values_list("pk", "stored")[:BATCH]
            batch = list(rows)
            for row_id, stored in batch:
                if stored is not None and not has_newest_key(stored):
                    # Only an unchanged secret: a new one is encrypted with the newest key anyway.
                    unchanged = _stored(model, field).filter(pk=row_id, stored=stored)
                    rotated += unchanged.update(**{field: decrypt(stored)})
        if not batch:
            return rotated
        last_id = batch[-1][0]
        progress(len(batch))


def _stored(model: type[Model], field: str) -> Any:
    """Return the rows with the encrypted text as `stored`."""
    return model._base_manager.annotate(stored=as_stored(field))


def _encrypted_fields() -> list[tuple[type[Model], str]]:
    return [
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, EncryptedTextField)
    ]
