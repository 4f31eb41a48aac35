"""The checks, a module each, by noun. Each has `find(database)`, which yields findings and what it could not ask."""

from collections.abc import Callable, Iterator

from analytics.index_health.checks import bloat, drift, questions, redundancy, size, statements, upkeep, use
from analytics.index_health.findings import Finding, Unasked
from analytics.index_health.standing import Database

Check = Callable[[Database], Iterator[Finding | Unasked]]

CHECKS: tuple[Check, ...] = (drift.find, redundancy.find, use.find, upkeep.find, size.find)
MEASURING: tuple[Check, ...] = (bloat.find,)
"""Those that read indexes to the end, for which no request can wait."""
EXPLAINING: tuple[Check, ...] = (questions.find, statements.find)
"""Those that ask the planner: only with `--explain`."""
