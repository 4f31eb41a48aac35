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
from ops.index_health.ownership import is_framework, kept_because, models_by_table, named_declarations
from ops.safe_migrations.parser import split_condition

KEPT = {models.PROTECT, models.RESTRICT, models.DO_NOTHING}


def find(database: Database) -> Iterator[Finding]:
    for table in database.tables:
        indexes = [index for index in database.of_table(table) if index.valid]
        for index in indexes:
            if not index.is_constraint:
                yield from _compare(database, index, [other for other in indexes if other is not index])
    yield from _foreign_keys(database)


def _compare(database: Database, index: CatalogIndex, others: list[CatalogIndex]) -> Iterator[Finding]:
    """Yield at most one finding: with the narrowest of the other indexes that can replace this one."""
    for kind in (FindingKind.DUPLICATE, FindingKind.PREFIX, FindingKind.COVERED):
        for other in sorted(others, key=lambda other: (len(other.keys), other.bytes, other.name)):
            if _relation(index, other) == kind and (kind != FindingKind.DUPLICATE or _is_dropped_first(index, other)):
                yield _redundant(database, kind, index, other)
                return


def _relation(index: CatalogIndex, other: CatalogIndex) -> FindingKind | None:
    """Return how `other` can replace `index`, or None."""
    if index.method != other.method:
        return None
    if index.keys == other.keys and index.includes == other.includes and index.condition == other.condition:
        return FindingKind.DUPLICATE
    if index.method != "btree" or not _starts_with(other.keys, index.keys):
        return None
    if not split_condition(other.condition) <= split_condition(index.condition):  # the other may lack rows
        return None
    if not set(index.includes) <= {*other.columns, *other.includes}:
        return None
    return FindingKind.PREFIX if index.condition == other.condition else FindingKind.COVERED


def _starts_with(long: tuple[Key, ...], short: tuple[Key, ...]) -> bool:
    """Return whether the first keys are equal, or all reversed: a B-tree is read both ways."""
    reverse = tuple(replace(key, descending=not key.descending, nulls_first=not key.nulls_first) for key in short)
    return long[: len(short)] in (short, reverse)


def _is_dropped_first(index: CatalogIndex, other: CatalogIndex) -> bool:
    """Return whether to drop `index` of two equal ones: not a constraint, else undeclared, else the later name."""

    def worth(one: CatalogIndex) -> tuple[bool, bool]:
        return one.is_constraint, one.name in named_declarations()

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
    frameworks = is_framework(index.table)
    if reason := kept_because(index.name):
        message += f" Kept on purpose: {reason}"
    elif frameworks:
        message += " Django or a library makes it."
    return Finding(
        kind=kind,
        table=index.table,
        index=index.name,
        message=message,
        remedy="" if frameworks else remediation.drop_or_remove_operation(database, index),
        reclaimable_bytes=index.bytes,
        known=bool(reason) or frameworks,
    )


def _foreign_keys(database: Database) -> Iterator[Finding]:
    """Yield foreign keys without an index. If a declared index would serve the key, drift reports it as missing."""
    for key in unserved(database):
        if any(serves(index, key) for index in (database.declared or {}).values()):
            continue
        [column, *_] = referring_columns(key)
        field = _field(key.table, column)
        kept = field is not None and not field.db_index and field.remote_field.on_delete in KEPT
        message = f"No index starts with {column}: deleting a row of {key.target} reads all of {key.table}."
        if kept:
            message += " The model declares none on purpose: rows that are referenced can't be deleted."
        yield Finding(
            kind=FindingKind.FOREIGN_KEY,
            table=key.table,
            index="",
            message=message,
            remedy=_index_remedy(key.table, column, field),
            known=kept or is_framework(key.table),
        )


def _field(table: str, column: str) -> Any:
    """Return the model's foreign key over this column, or None."""
    model = models_by_table().get(table)
    fields = model._meta.local_fields if model else []
    return next((field for field in fields if isinstance(field, models.ForeignKey) and field.column == column), None)


def _index_remedy(table: str, column: str, field: Any) -> str:
    name = f"ix_{table}_{column}"
    if field is not None:
        return f'Index(fields=["{field.name}"], name="{name}") in {field.model.__name__}.Meta.indexes'
    name, table, column = (remediation.quote(part) for part in (name, table, column))
    return f"CREATE INDEX CONCURRENTLY {name} ON {table} ({column})"
