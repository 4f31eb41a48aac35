"""Index checks, one module each. Every module has `find(database)`, which yields findings and skipped checks."""

from collections.abc import Callable, Iterable, Iterator

from ops.index_health.catalog import Database
from ops.index_health.checks import (
    bloat,
    drift,
    redundancy,
    size,
    slow_queries,
    unanswered_questions,
    unused,
    vacuum_stats,
)
from ops.index_health.findings import Finding, SkippedCheck

Check = Callable[[Database], Iterator[Finding | SkippedCheck]]

SCHEMA: tuple[Check, ...] = (drift.find, redundancy.find)
"""Checks of definitions, the only ones for SQLite."""
STATISTICS: tuple[Check, ...] = (unused.find, vacuum_stats.find, size.find)
MEASURING: tuple[Check, ...] = (bloat.find,)
"""Checks that read whole indexes, which takes longer than a web request should."""
EXPLAINING: tuple[Check, ...] = (unanswered_questions.find, slow_queries.find)
"""Checks that ask the planner."""


def run(chosen: Iterable[Check], database: Database) -> tuple[list[Finding], list[SkippedCheck]]:
    results = [result for find in chosen for result in find(database)]
    return (
        [result for result in results if isinstance(result, Finding)],
        [result for result in results if isinstance(result, SkippedCheck)],
    )
