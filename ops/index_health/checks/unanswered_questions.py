"""Unanswered questions: indexes that the planner doesn't use for their question."""

from collections.abc import Iterator

from ops.index_health import remediation
from ops.index_health.catalog import CatalogIndex, Database
from ops.index_health.findings import Finding, FindingKind, SkippedCheck
from ops.index_health.planner import MIN_ROWS_FOR_PLAN
from ops.index_health.questions import find_indexes, read_questions


def find(database: Database) -> Iterator[Finding | SkippedCheck]:
    """Ask the planner the question of each index that exists as declared. Drift reports the others."""
    small: list[str] = []
    for question in read_questions(database):
        declared = question.declared
        existing = database.indexes.get(declared.name)
        if not existing or not existing.valid or existing.definition != declared.definition:
            continue
        used = find_indexes(question)
        if declared.name in used:
            continue
        if database.tables[declared.table].rows < MIN_ROWS_FOR_PLAN:
            small.append(declared.name)
            continue
        yield Finding(
            FindingKind.UNANSWERED,
            declared.table,
            declared.name,
            f"“{question.text}” is answered {'through ' + ', '.join(used) if used else 'by reading the whole table'}.",
            remedy=f"ANALYZE {remediation.quote(declared.table)}",
            known=any(_is_as_good(database, name, declared) for name in used),
        )
    if small:
        yield SkippedCheck(
            f"The questions of {len(small)} indexes were not judged: their tables have fewer than {MIN_ROWS_FOR_PLAN:,}"
            f" rows, too few to need an index. {', '.join(small)}"
        )


def _is_as_good(database: Database, name: str, index: CatalogIndex) -> bool:
    """Return whether another declared index starts with the same keys. The redundancy check reports that."""
    other = (database.declared or {}).get(name)
    return other is not None and other.columns[: len(index.columns)] == index.columns
