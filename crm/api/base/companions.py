"""Companions: fields of a row whose values come from other rows, such as a contact's name beside its id.

All rows of a response are completed together, so a companion costs as many statements for one row as for a page.
Companions are read-only, but for a row's own ones, such as the tags of a contact. Others are no part of the row that
`If-Match` guards: see `crm.api.base.etags`.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.fields import SkipField

from crm.models import User

Rows = list[dict[str, Any]]  # of one response, keyed by the response's field names


class Companion(serializers.Field):
    """Base class of companions.

    Attributes:
        key: name of the field of the response by whose value the rows are found.
        missing: the value where nothing is found.
        is_own: whether it is a part of the row that a client can write, and that `If-Match` guards.
        follows_key: whether each row with a key has a value, which is then null only where the key may be.
    """

    missing: ClassVar[Any] = None
    is_own: ClassVar[bool] = False
    follows_key: ClassVar[bool] = False

    def __init__(self, key: str, **kwargs: Any) -> None:
        access: dict[str, Any] = (
            {"required": False} if self.is_own else {"read_only": True, "allow_null": self.missing is None}
        )
        super().__init__(**access, **kwargs)
        self.key = key

    def bind(self, field_name: str, parent: Any) -> None:
        super().bind(field_name, parent)
        if not self.follows_key:
            return
        model = getattr(getattr(parent, "Meta", None), "model", None)
        columns = {column.name: column for column in model._meta.concrete_fields} if model else {}
        if declared := getattr(parent, "_declared_fields", {}).get(self.key):
            self.allow_null = declared.allow_null
        elif self.key in columns:
            self.allow_null = columns[self.key].null

    def get_attribute(self, instance: Any) -> Any:
        raise SkipField  # `add_companions` adds it

    def key_of(self, row: dict[str, Any]) -> Any:
        """Return what `load` needs to know of a row; None if it has nothing to find."""
        return row[self.key]

    def load(self, keys: set[Any], user: User) -> dict[Any, Any]:
        """Return what this user may see, by key, with one or two statements."""
        raise NotImplementedError

    def value_without(self, key: Any) -> Any:
        """Return the value where nothing is found. The other row may have gone since this one was read."""
        return self.missing

    def value_of(self, loaded: Any) -> Any:
        """Return the field's value, from what `load` has found for its key."""
        return loaded


@cache
def companions_of(serializer_class: type[Any]) -> tuple[Companion, ...]:
    return tuple(field for field in serializer_class().fields.values() if isinstance(field, Companion))


def add_companions(rows: Rows, companions: Iterable[Companion], user: User) -> None:
    """Add the companions to the rows, in place."""
    add_each([(row, companion) for companion in companions for row in rows], user)


def add_each(pairs: Iterable[tuple[dict[str, Any], Companion]], user: User) -> None:
    """Add each companion to its row, in place. Companions of one class, or that inherit `load`, share a statement."""
    wanted: dict[Any, list[tuple[dict[str, Any], Companion, Any]]] = {}
    for row, companion in pairs:
        wanted.setdefault(type(companion).load, []).append((row, companion, companion.key_of(row)))
    for group in wanted.values():
        keys = {key for _, _, key in group if key is not None}
        found = group[0][1].load(keys, user) if keys else {}
        for row, companion, key in group:
            value = companion.value_of(found[key]) if key in found else companion.value_without(key)
            row[str(companion.field_name)] = value
