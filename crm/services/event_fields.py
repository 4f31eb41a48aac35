"""Fields of rows that several webhook events fill in, in any order."""

from datetime import datetime
from typing import Any

from django.db.models import Model


def fill_blank_fields(row: Model, **values: Any) -> list[str]:
    """Set empty fields that have a value in `values`, without saving. Return their names.

    Providers repeat events with parts missing, so a value is never replaced by an empty one.
    """
    blank = [name for name, value in values.items() if value and not getattr(row, name)]
    for name in blank:
        setattr(row, name, values[name])
    return blank


def keep_earliest(row: Any, created_at: datetime) -> list[str]:
    """Set an earlier time of creation, without saving. Return the names of the changed fields."""
    if created_at >= row.created_at:
        return []
    row.created_at = created_at
    return ["created_at"]
