"""Index checks, one module each. Every module has `find(database)`, which yields findings and skipped checks."""

from collections.abc import Callable, Iterator

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

Checks = tuple[Callable[[Database], Iterator[Finding | SkippedCheck]], ...]

SCHEMA: Checks = (drift.find, redundancy.find)
"""Checks of definitions, the only ones for SQLite."""
STATISTICS: Checks = (unused.find, vacuum_stats.find, size.find)
MEASURING: Checks = (bloat.find,)
"""Checks that read whole indexes, which takes longer than a web request should."""
EXPLAINING: Checks = (unanswered_questions.find, slow_queries.find)
"""Checks that ask the planner."""
