"""Model fields for search keys and secrets. Frozen into migrations."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.functions import Cast

from crm.encryption import decrypt, encrypt


class SearchKeyField(models.CharField):
    """Text that is compared byte by byte, so that a prefix is a range: `key >= 'gar' AND key < 'gar\U0010ffff'`.

    Linguistic collations skip punctuation and would sort "o'b" elsewhere. LIKE doesn't help: its operator isn't
    leakproof, so under row-level security PostgreSQL can't use an index for it. `>=` and `<` on text are leakproof.
    """

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        parameters = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"  # SQLite compares bytes anyway, and has no such collation
        return parameters


class EncryptedTextField(models.TextField):
    """Text that is encrypted before it reaches the database, and decrypted on the instance.

    It can't be searched, since each encryption of the same text differs.
    """

    def from_db_value(self, value: str | None, expression: Any, connection: BaseDatabaseWrapper) -> str | None:
        return None if value is None else decrypt(value)

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        return None if text is None else encrypt(text)

    def get_lookup(self, lookup_name: str) -> Any:
        """Allow only `isnull`; Django raises FieldError for other lookups."""
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None


def as_stored(field: str) -> Cast:
    """Return an expression for a secret's encrypted text. Reading it doesn't fail if its key is missing."""
    return Cast(field, models.TextField())
