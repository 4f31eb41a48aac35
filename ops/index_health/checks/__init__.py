"""The checks, a module each, by noun. Each has `find(database)`, which yields findings and what it could not ask."""

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

Check = Callable[[Database], Iterator[Finding | SkippedCheck]]

CHECKS: tuple[Check, ...] = (drift.find, redundancy.find, unused.find, vacuum_stats.find, size.find)
MEASURING: tuple[Check, ...] = (bloat.find,)
"""Those that read indexes to the end, for which no request can wait."""
EXPLAINING: tuple[Check, ...] = (unanswered_questions.find, slow_queries.find)
"""Those that ask the planner: only with `--explain`."""
