"""Indexes that another one could answer for, and foreign keys that none answers for."""

from collections.abc import Iterator
from typing import Any

from django.db import models

from ops.index_health import remediation
from ops.index_health.catalog import CatalogIndex, Database, Key
from ops.index_health.findings import Finding, FindingKind
from ops.index_health.foreign_keys import pointing_columns, serves, unserved
from ops.index_health.formatting import in_bytes
from ops.index_health.ownership import is_framework, kept_because, models_by_table, named_declarations

KEPT = {models.PROTECT, models.RESTRICT, models.DO_NOTHING}


def find(database: Database) -> Iterator[Finding]:
    for table in database.tables:
        indexes = [index for index in database.of_table(table) if index.valid]
        for index in indexes:
            if not index.guards:
                yield from _of_one(database, index, [other for other in indexes if other is not index])
    yield from _foreign_keys(database)


def _of_one(database: Database, index: CatalogIndex, others: list[CatalogIndex]) -> Iterator[Finding]:
    """At most one finding: the first index, the narrowest first, that could answer for it."""
    for kind in (FindingKind.DUPLICATE, FindingKind.PREFIX, FindingKind.COVERED):
        for other in sorted(others, key=lambda other: (len(other.keys), other.bytes, other.name)):
            if _relation(index, other) == kind and (kind != FindingKind.DUPLICATE or _goes_first(index, other)):
                yield _redundant(database, kind, index, other)
                return


def _relation(index: CatalogIndex, other: CatalogIndex) -> FindingKind | None:
    """How `other` could stand in for `index`."""
    if index.method != other.method:
        return None
    wider = _wider(index.condition, other.condition)
    if index.keys == other.keys and index.includes == other.includes and index.condition == other.condition:
        return FindingKind.DUPLICATE
    if index.method != "btree" or not wider or not _begins_with(other.keys, index.keys):
        return None
    if not set(index.includes) <= {*other.columns, *other.includes}:
        return None
    return FindingKind.PREFIX if index.condition == other.condition else FindingKind.COVERED


def _begins_with(long: tuple[Key, ...], short: tuple[Key, ...]) -> bool:
    """In the same order, or the whole of it turned round: a B-tree is read both ways."""
    beginning = long[: len(short)]
    turned = tuple(
        Key(key.expression, key.opclass, key.collation, not key.descending, not key.nulls_first) for key in short
    )
    return beginning in (short, turned)


def _wider(narrow: str, wide: str) -> bool:
    """Every row of the first condition fulfils the second, as far as their texts tell: each part of it is among the
    first one's."""
    return set(_parts(wide)) <= set(_parts(narrow))


def _parts(condition: str) -> list[str]:
    """What stands between the ANDs, at the outermost level."""
    condition = _bare(condition)
    parts, depth, quoted, start, place = [], 0, False, 0, 0
    while place < len(condition):
        letter = condition[place]
        quoted ^= letter == "'"
        depth += 0 if quoted else (letter == "(") - (letter == ")")
        if not quoted and depth == 0 and condition[place : place + 5].upper() == " AND ":
            parts.append(condition[start:place])
            start = place = place + 5
            continue
        place += 1
    parts = [part for part in (*parts, condition[start:]) if part]
    return [_bare(part) for part in parts]


def _bare(condition: str) -> str:
    """Without parentheses around the whole of it."""
    condition = condition.strip()
    while condition.startswith("(") and _closes_at_end(condition):
        condition = condition[1:-1].strip()
    return condition


def _closes_at_end(condition: str) -> bool:
    depth = 0
    for place, letter in enumerate(condition):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return place == len(condition) - 1
    return False


def _goes_first(index: CatalogIndex, other: CatalogIndex) -> bool:
    """Of two equals: the one that guards nothing, is declared nowhere, or has the later name."""

    def worth(one: CatalogIndex) -> tuple[bool, bool]:
        return one.guards, one.name in named_declarations()

    return worth(index) < worth(other) or (worth(index) == worth(other) and index.name > other.name)


def _redundant(database: Database, kind: FindingKind, index: CatalogIndex, other: CatalogIndex) -> Finding:
    message = {
        FindingKind.DUPLICATE: f"{other.name} is the same index.",
        FindingKind.PREFIX: f"{other.name} begins with the same keys and answers the same questions.",
        FindingKind.COVERED: f"{other.name} has all its rows, by the same keys.",
    }[kind]
    reason = kept_because(index.name)
    saving = f" Without it: {in_bytes(index.bytes)} less, and one write less for each row."
    frameworks = is_framework(index.table)
    kept = f" Kept: {reason}" if reason else " Django or a library makes it." if frameworks else ""
    return Finding(
        kind=kind,
        table=index.table,
        index=index.name,
        message=message + saving + kept,
        remedy="" if frameworks else remediation.drop_or_remove_operation(database, index),
        reclaimable_bytes=index.bytes,
        known=bool(kept),
    )


def _foreign_keys(database: Database) -> Iterator[Finding]:
    """Those that a declared index would serve are told as missing."""
    for key in unserved(database, database.indexes.values()):
        if any(serves(index, key) for index in (database.declared or {}).values()):
            continue
        [column, *_] = pointing_columns(key)
        field = _field(key.table, column)
        kept = field is not None and not field.db_index and field.remote_field.on_delete in KEPT
        message = f"No index begins with {column}: {key.table} is read whole when a row of {key.target} is deleted."
        if kept:
            message += " Its model declares none: rows that are pointed at are kept."
        yield Finding(
            kind=FindingKind.FOREIGN_KEY,
            table=key.table,
            index="",
            message=message,
            remedy=_index_of(key.table, column, field),
            known=kept or is_framework(key.table),
        )


def _field(table: str, column: str) -> Any:
    """The model's foreign key over this column, or None."""
    model = models_by_table().get(table)
    fields = model._meta.local_fields if model else []
    return next((field for field in fields if isinstance(field, models.ForeignKey) and field.column == column), None)


def _index_of(table: str, column: str, field: Any) -> str:
    name = f"ix_{table}_{column}"
    if field is not None:
        return f'Index(fields=["{field.name}"], name="{name}") in {field.model.__name__}.Meta.indexes'
    name, table, column = (remediation.quote(part) for part in (name, table, column))
    return f"CREATE INDEX CONCURRENTLY {name} ON {table} ({column})"
