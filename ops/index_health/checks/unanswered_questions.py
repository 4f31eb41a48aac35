"""Indexes whose question the planner answers otherwise."""

from collections.abc import Iterator

from ops.index_health import remediation
from ops.index_health.catalog import CatalogIndex, Database
from ops.index_health.findings import Finding, FindingKind, SkippedCheck
from ops.index_health.planner import MIN_ROWS_FOR_PLAN
from ops.index_health.questions import find_indexes, read_questions


def find(database: Database) -> Iterator[Finding | SkippedCheck]:
    """Ask the planner the question of each index that stands as declared: of the others, drift tells."""
    small: list[str] = []
    for question in read_questions(database):
        declared = question.declared
        standing = database.indexes.get(declared.name)
        if not standing or not standing.valid or standing.definition != declared.definition:
            continue
        used = find_indexes(question)
        if declared.name in used:
            continue
        if database.vendor == "postgresql" and database.tables[declared.table].rows < MIN_ROWS_FOR_PLAN:
            small.append(declared.name)
            continue
        yield Finding(
            FindingKind.UNANSWERED,
            declared.table,
            declared.name,
            f"“{question.words}” is answered {'through ' + ', '.join(used) if used else 'by reading the whole table'}.",
            remedy=f"ANALYZE {remediation.quote(declared.table)}",
            known=any(_is_as_good(database, name, declared) for name in used),
        )
    if small:
        yield SkippedCheck(
            f"{len(small)} indexes answer nothing yet, for their tables have fewer than {MIN_ROWS_FOR_PLAN:,} rows and are"
            f" too small to tell: {', '.join(small)}."
        )


def _is_as_good(database: Database, name: str, index: CatalogIndex) -> bool:
    """Another declared index that begins with the same keys: that one of the two is redundant is told elsewhere."""
    other = (database.declared or {}).get(name)
    return other is not None and other.columns[: len(index.columns)] == index.columns
