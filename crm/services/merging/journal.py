"""Journal of a merge: what it does to each row, so that it can be undone."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import BigIntegerField, Case, Model, QuerySet, Value, When

from crm.models import Contact, User

UNSEEN = {"id", "updated_at", "is_main_elsewhere"}  # columns that say nothing about what a row was


class Journal:
    """Writes rows for a merge of two contacts, and keeps their values from before.

    Attributes:
        sides: by custom field, whose value was chosen to stay: `kept` or `gone`.
        moved: by table, ids of the rows that were the gone contact's.
        changed: other columns with their old and new values, and the ids of the rows.
        deleted: by table, rows that were deleted.
        added: by table, rows that were added.
        replaced: by table, for each deleted row the one that stands for it.
    """

    def __init__(
        self, kept: Contact, gone: Contact, user: User | None = None, sides: Mapping[int, str] | None = None
    ) -> None:
        self.kept, self.gone = kept, gone
        self.sides = sides or {}
        self.user_id = user.pk if user else None
        self.main_numbers = {kept.phone, gone.phone}  # from before
        self.moved: dict[str, list[int]] = {}
        self.changed: list[dict[str, Any]] = []
        self.deleted: dict[str, list[dict[str, Any]]] = {}
        self.added: dict[str, list[dict[str, Any]]] = {}
        self.replaced: dict[str, dict[int, int]] = {}

    def of(self, contact: Contact, model: type[Model], field: str = "contact") -> QuerySet:
        """Return the rows of one of the two contacts."""
        return rows_of(model).filter(**{field: contact.pk})

    def move(self, model: type[Model], field: str = "contact") -> None:
        """Give the gone contact's rows to the kept one."""
        ids = _move_all(model, field, self.gone.pk, self.kept.pk)
        if ids:
            self.moved.setdefault(model._meta.db_table, []).extend(ids)

    def change(self, rows: QuerySet, **values: Any) -> None:
        """Set columns of rows."""
        attnames = [attname_of(rows.model, name) for name in values]
        before = list(rows.order_by().values_list("pk", *attnames))
        if not before:
            return
        rows_of(rows.model).filter(pk__in=[pk for pk, *_ in before]).update(**values)
        new = dict(zip(attnames, map(dump, values.values()), strict=True))
        old = {pk: dict(zip(attnames, map(dump, row), strict=True)) for pk, *row in before}
        self._note_changes(rows.model, old, dict.fromkeys(old, new))

    def _note_changes(
        self, model: type[Model], old: Mapping[int, dict[str, Any]], new: Mapping[int, dict[str, Any]]
    ) -> None:
        """Keep the columns that differ, by id, in groups of rows that changed alike."""
        groups: dict[str, tuple[dict[str, list[Any]], list[int]]] = {}
        for pk, row in sorted(old.items()):
            columns = {name: [row[name], new[pk][name]] for name in row if row[name] != new[pk][name]}
            groups.setdefault(json.dumps(columns, sort_keys=True), (columns, []))[1].append(pk)
        for columns, ids in groups.values():
            self.note_change(model, columns, ids)

    def note_change(self, model: type[Model], columns: Mapping[str, Sequence[Any]], ids: list[int]) -> None:
        """Keep that rows have got other values: by column the old and the new one, as `dump` returns them.

        They are undone together, because constraints bind them together.
        """
        if columns:
            self.changed.append({"table": model._meta.db_table, "columns": dict(columns), "ids": ids})

    def note_added(self, model: type[Model], ids: Sequence[int]) -> None:
        """Keep rows that were added to the kept contact's. Their undoing deletes them."""
        rows = dump_rows(rows_of(model).filter(pk__in=ids).order_by("pk"))
        self.added.setdefault(model._meta.db_table, []).extend(rows)

    def replace(self, model: type[Model], pairs: Mapping[int, int]) -> None:
        """Delete rows, and let those that refer to them refer to others.

        Args:
            pairs: the id of each row to delete, with that of the one that stands for it.
        """
        if not pairs:
            return
        for _ in range(2):  # a worker that holds a row which refers to them would wait for them: it ends first
            for relation in references_to(model):
                self._repoint(relation.related_model, relation.field.attname, pairs)
            # Now nothing new can refer to them. What was committed meanwhile is found the second time.
            list(rows_of(model).filter(pk__in=pairs).order_by("pk").select_for_update().values_list("pk"))
        self.replaced.setdefault(model._meta.db_table, {}).update(pairs)
        self.delete(rows_of(model).filter(pk__in=pairs))

    def _repoint(self, model: Any, attname: str, pairs: Mapping[int, int]) -> None:
        found: dict[int, list[int]] = {}
        for pk, target in rows_of(model).filter(**{f"{attname}__in": pairs}).values_list("pk", attname):
            found.setdefault(target, []).append(pk)
        if found:
            ids = [pk for some in found.values() for pk in some]
            cases = (When(**{attname: old}, then=Value(new)) for old, new in pairs.items())
            targets = Case(*cases, output_field=BigIntegerField())
            rows_of(model).filter(pk__in=ids).update(**{attname: targets})
        for old, some in found.items():
            self.note_change(model, {attname: [old, pairs[old]]}, some)

    def delete(self, rows: QuerySet) -> None:
        """Delete rows that nothing refers to."""
        found = dump_rows(rows.order_by("pk"))
        if found:
            self.deleted.setdefault(rows.model._meta.db_table, []).extend(found)
            rows_of(rows.model).filter(pk__in=[row["id"] for row in found])._raw_delete(rows.db)

    @contextmanager
    def watching(self, *models: type[Model]) -> Iterator[None]:
        """Keep what other code does to the kept contact's rows of these models."""
        before = {model: self._read(model) for model in models}
        yield
        for model, old in before.items():
            new = self._read(model)
            if added := sorted(new.keys() - old.keys()):
                self.note_added(model, added)
            both = {pk: _seen(row) for pk, row in old.items() if pk in new}
            self._note_changes(model, both, {pk: _seen(new[pk]) for pk in both})

    def _read(self, model: type[Model]) -> dict[int, dict[str, Any]]:
        return {row["id"]: row for row in dump_rows(self.of(self.kept, model))}


def _seen(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in UNSEEN}


def references_to(model: type[Model]) -> list[Any]:
    """Return the foreign keys that refer to a model, those without a name for the way back, too."""
    relations = model._meta.get_fields(include_hidden=True)
    return [each for each in relations if each.auto_created and not each.concrete and not each.many_to_many]


def rows_of(model: type[Model]) -> Any:
    """Return all rows, without named queries: those of numbers and names do more than is asked of them here."""
    return QuerySet(model)


@cache
def model_of(table: str) -> Any:
    return next(model for model in apps.get_models() if model._meta.db_table == table)


@cache
def stored_columns(model: Any) -> tuple[str, ...]:
    """Return the attributes of a row's columns, without those that the database derives from others."""
    return tuple(field.attname for field in model._meta.concrete_fields if not field.generated)


def attname_of(model: type[Model], name: str) -> str:
    return str(model._meta.get_field(name).attname)  # type: ignore[union-attr]  # a column's field


def dump(value: Any) -> Any:
    """Return a column's value for JSON, without loss."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def dump_rows(rows: Any) -> list[dict[str, Any]]:
    """Return rows for JSON, by attribute."""
    return [{name: dump(value) for name, value in row.items()} for row in rows.values(*stored_columns(rows.model))]


def load(model: type[Model], attname: str, value: Any) -> Any:
    """Return the column's value that `dump` has returned."""
    return None if value is None else model._meta.get_field(attname).to_python(value)  # type: ignore[union-attr]


def _move_all(model: type[Model], field: str, old: int, new: int) -> list[int]:
    """Let the rows that refer to one contact refer to another. Returns their ids."""
    table, column = model._meta.db_table, model._meta.get_field(field).column  # type: ignore[union-attr]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {column} = %s WHERE {column} = %s RETURNING id",  # noqa: S608  # names of models
            [new, old],
        )
        return sorted(pk for (pk,) in cursor.fetchall())
