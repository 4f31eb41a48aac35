"""Bringing stored secrets under the newest key."""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Model, TextField
from django.db.models.functions import Cast

from crm.db.tenancy import all_tenants
from crm.encryption import decrypt, has_newest_key
from crm.fields import EncryptedTextField

BATCH = 200


def count_secrets() -> int:
    """How many rows hold an encrypted text, over all companies."""
    with all_tenants():
        return sum(model._base_manager.count() for model, _ in _encrypted_fields())


def rotate_secrets(*, progress: Callable[[int], object]) -> int:
    """Encrypt with the newest of SECRETS_KEYS whatever is not yet; return how many texts that were.

    A batch is a transaction, so that one that is broken off goes on where it stopped. `progress` is told how many more
    rows were looked at.

    Raises:
        SecretUnreadable: the key of a stored secret is missing. What came before it is done.
    """
    return sum(_rotate(model, field, progress) for model, field in _encrypted_fields())


def _rotate(model: type[Model], field: str, progress: Callable[[int], object]) -> int:
    rotated, last_id = 0, 0
    while True:
        with all_tenants(), transaction.atomic():
            rows = _stored(model, field).filter(pk__gt=last_id).order_by("pk").values_list("pk", "stored")[:BATCH]
            batch = list(rows)
            for row_id, stored in batch:
                if stored is not None and not has_newest_key(stored):
                    # Only what was read: a secret that somebody changes meanwhile is under the newest key anyway.
                    same = _stored(model, field).filter(pk=row_id, stored=stored)
                    rotated += same.update(**{field: decrypt(stored)})
        if not batch:
            return rotated
        last_id = batch[-1][0]
        progress(len(batch))


def _stored(model: type[Model], field: str) -> Any:
    """Rows with the text as the database has it."""
    return model._base_manager.annotate(stored=Cast(field, TextField()))


def _encrypted_fields() -> list[tuple[type[Model], str]]:
    return [
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, EncryptedTextField)
    ]
