"""Redundancy: indexes that another index can replace, and foreign keys without an index."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.db import models
from django.template.defaultfilters import filesizeformat

from ops.index_health import remediation
from ops.index_health.catalog import CatalogIndex, Database, Key
from ops.index_health.findings import Finding, FindingKind
from ops.index_health.foreign_keys import referring_columns, serves, unserved
from ops.index_health.ownership import (
    is_made_by_field,
    kept_because,
    models_by_table,
    named_declarations,
    other_maker,
)
from ops.index_health.pairing import kept_indexes, pair_indexes

REDUNDANT = (FindingKind.DUPLICATE, FindingKind.PREFIX, FindingKind.COVERED)  # the clearest first
KEPT = {models.PROTECT, models.RESTRICT, models.DO_NOTHING}


def find(database: Database) -> Iterator[Finding]:
    kept, pairs = kept_indexes(database), pair_indexes(database)
    renamed = {
        existing.name for name, existing in pairs.items() if name != existing.name and name in named_declarations()
    }
    replaced = {existing.name for existing in pairs.values()} - (kept or set())
    for table in database.tables:
        # A changed index is replaced by another one: what it can do now doesn't count.
        indexes = [index for index in database.of_table(table) if index.valid and index.name not in replaced]
        for index in indexes:
            if not index.parent and index.name not in renamed:
                yield from _find_replacement(database, index, [one for one in indexes if one is not index], kept)
    yield from _foreign_keys(database)


def _find_replacement(
    database: Database, index: CatalogIndex, others: list[CatalogIndex], kept: set[str] | None
) -> Iterator[Finding]:
    """Yield at most one finding: with the narrowest index that can replace this one and isn't redundant itself."""
    better = [other for other in others if _is_dropped_first(database, index, other, kept)]
    lasting = [
        other
        for other in better
        if not any(_is_dropped_first(database, other, one, kept) for one in others if one is not other)
    ]
    by_kind = {kind: rank for rank, kind in enumerate(REDUNDANT)}
    found = [
        (by_kind[kind], len(other.keys), other.bytes, other.name, kind, other)
        for other in lasting
        if (kind := _relation(index, other))
    ]
    if found:
        *_, kind, other = min(found, key=lambda one: one[:4])
        yield _redundant(database, kind, index, other)


def _relation(index: CatalogIndex, other: CatalogIndex) -> FindingKind | None:
    """Return how `other` can replace `index`, or None."""
    if index.method != other.method or (index.is_constraint and not other.is_constraint):
        return None
    if index.keys == other.keys and index.includes == other.includes and index.terms == other.terms:
        equal = not index.is_constraint or index.form == other.form  # NULLS NOT DISTINCT
        return FindingKind.DUPLICATE if equal else None
    if index.is_constraint or index.method != "btree" or not _starts_with(other.keys, index.keys):
        return None
    if not other.terms <= index.terms:  # the other may lack rows
        return None
    if not set(index.includes) <= {*other.columns, *other.includes}:
        return None
    return FindingKind.PREFIX if index.terms == other.terms else FindingKind.COVERED


def _starts_with(long: tuple[Key, ...], short: tuple[Key, ...]) -> bool:
    """Return whether the first keys are equal, or all reversed: a B-tree is read both ways."""
    reverse = tuple(replace(key, descending=not key.descending, nulls_first=not key.nulls_first) for key in short)
    return long[: len(short)] in (short, reverse)


def _is_dropped_first(database: Database, index: CatalogIndex, other: CatalogIndex, kept: set[str] | None) -> bool:
    """Return whether `other` can replace `index` and is worth more, so that never both of a pair are dropped.

    No undeclared index replaces a declared one, because drift wants it dropped. Of two that can replace each other, the
    one goes that nobody declares, refers to, or needs as a constraint; else the later name.
    """

    def worth(one: CatalogIndex) -> tuple[bool, ...]:
        declared = one.name in (named_declarations() if kept is None else kept)
        return (
            declared,
            bool(one.referring),
            one.primary,
            bool(one.constraint),
            one.unique,
            is_made_by_field(database, one.name),
        )

    if not _relation(index, other) or worth(index)[0] > worth(other)[0]:
        return False
    if not _relation(other, index):
        return True
    return worth(index) < worth(other) or (worth(index) == worth(other) and index.name > other.name)


def _redundant(database: Database, kind: FindingKind, index: CatalogIndex, other: CatalogIndex) -> Finding:
    message = {
        FindingKind.DUPLICATE: f"{other.name} is the same index.",
        FindingKind.PREFIX: f"{other.name} starts with the same keys and answers the same queries.",
        FindingKind.COVERED: f"{other.name} has all its rows by the same keys.",
    }[kind]
    message += " Without it each write is cheaper" + (
        f" and {filesizeformat(index.bytes)} are free." if index.bytes else "."
    )
    maker = other_maker(database, index.table)
    if not maker and is_made_by_field(database, index.name):
        maker = "A field"
    reason = kept_because(index.name)
    if reason:
        message += f" Kept on purpose: {reason}"
    elif maker:
        message += f" {maker} makes it."
    known = bool(reason or maker)
    return Finding(
        kind=kind,
        table=index.table,
        index=index.name,
        message=message,
        remedy="" if known else remediation.drop_or_remove_operation(database, index),
        reclaimable_bytes=0 if index.referring else index.bytes,
        known=known,
        replacement=other.name,
    )


def _foreign_keys(database: Database) -> Iterator[Finding]:
    """Yield foreign keys without an index. If a declared index would serve the key, drift reports it as missing."""
    for key in unserved(database):
        if any(serves(index, key) for index in (database.declared or {}).values()):
            continue
        [column, *_] = referring_columns(key)
        field = _field(key.table, column)
        kept = field is not None and not field.db_index and field.remote_field.on_delete in KEPT
        message = (
            f"No B-tree or hash index starts with {column}: deleting a row of {key.target} reads all of {key.table}."
        )
        if kept:
            message += " The model declares none on purpose: rows that are referenced can't be deleted."
        yield Finding(
            kind=FindingKind.FOREIGN_KEY,
            table=key.table,
            index="",
            message=message,
            remedy=_index_remedy(database, key.table, column, field),
            known=kept or bool(other_maker(database, key.table)),
        )


def _field(table: str, column: str) -> Any:
    """Return the model's foreign key over this column, or None."""
    model = models_by_table().get(table)
    fields = model._meta.local_fields if model else []
    return next((field for field in fields if isinstance(field, models.ForeignKey) and field.column == column), None)


def _index_remedy(database: Database, table: str, column: str, field: Any) -> str:
    name = remediation.free_name(database, f"ix_{table}_{column}")
    if field is not None:
        return f'Index(fields=["{field.name}"], name="{name}") in {field.model.__name__}.Meta.indexes'
    definition = f"USING btree ({remediation.quote(column)})"
    return remediation.build(database, table, name, definition)
