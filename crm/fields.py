"""Model fields of our own, frozen into migrations."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from crm.encryption import decrypt, encrypt


class SearchKeyField(models.CharField):
    """Text that is compared byte by byte, so that a prefix is a range: `key >= 'gar' AND key < 'gar\U0010ffff'`.

    Linguistic collations skip punctuation and would put "o'b" elsewhere. LIKE is no way out: under row-level security
    PostgreSQL may not use an index for it, because its operator is not leakproof; `>=` and `<` on text are.
    """

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        parameters = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"  # SQLite compares bytes anyway, and knows no collation of this name
        return parameters


class EncryptedTextField(models.TextField):
    """Text that the database never sees: encrypted by whichever door it is written, readable on the instance alone.

    Nothing can be looked up by it, since the same text is another one each time it is encrypted.
    """

    def from_db_value(self, value: str | None, expression: Any, connection: BaseDatabaseWrapper) -> str | None:
        return None if value is None else decrypt(value)

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        return None if text is None else encrypt(text)

    def get_lookup(self, lookup_name: str) -> Any:
        """Only `isnull`. Django raises FieldError for all others."""
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None
