"""Model fields of our own, frozen into migrations."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


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
