"""Indexes whose question the planner answers otherwise."""

from collections.abc import Iterator

from ops.index_health import remediation
from ops.index_health.catalog import Database, StandingIndex
from ops.index_health.findings import Finding, Kind, Unasked
from ops.index_health.planner import TELLING_ROWS
from ops.index_health.questions import find_indexes, read_questions


def find(database: Database) -> Iterator[Finding | Unasked]:
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
        if database.vendor == "postgresql" and database.tables[declared.table].rows < TELLING_ROWS:
            small.append(declared.name)
            continue
        yield Finding(
            Kind.UNANSWERED,
            declared.table,
            declared.name,
            f"“{question.words}” is answered {'through ' + ', '.join(used) if used else 'by reading the whole table'}.",
            heals=f"ANALYZE {remediation.quote(declared.table)}",
            expected=any(_is_as_good(database, name, declared) for name in used),
        )
    if small:
        yield Unasked(
            f"{len(small)} indexes answer nothing yet, for their tables have fewer than {TELLING_ROWS:,} rows and are"
            f" too small to tell: {', '.join(small)}."
        )


def _is_as_good(database: Database, name: str, index: StandingIndex) -> bool:
    """Another declared index that begins with the same keys: that one of the two is redundant is told elsewhere."""
    other = (database.declared or {}).get(name)
    return other is not None and other.columns[: len(index.columns)] == index.columns
