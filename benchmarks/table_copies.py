"""Copies of the calls table with some of its indexes, for measuring writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.database import execute, fetch
from benchmarks.documented_promises import DOCUMENTED
from calls.models import Call

DECLARED = [index.name for index in Call._meta.indexes]

# CREATE TABLE … (LIKE) copies columns and checks; the rest is copied by these definitions.
DEFINITIONS = """
SELECT 'ALTER TABLE {copy} ADD ' || pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = 'calls'::regclass AND contype IN ('p', 'u', 'f')
UNION ALL
SELECT regexp_replace(pg_get_indexdef(indexrelid), ' \\S+ ON \\S+ ', ' ON {copy} ') FROM pg_index
WHERE indrelid = 'calls'::regclass AND indexrelid::regclass::text = ANY(%s)
UNION ALL
SELECT 'CREATE POLICY ' || polname || ' ON {copy} USING (' || pg_get_expr(polqual, polrelid) || ')'
    || coalesce(' WITH CHECK (' || pg_get_expr(polwithcheck, polrelid) || ')', '')
FROM pg_policy WHERE polrelid = 'calls'::regclass
UNION ALL
SELECT replace(pg_get_triggerdef(oid, true), ' ON calls ', ' ON {copy} ') FROM pg_trigger
WHERE tgrelid = 'calls'::regclass AND NOT tgisinternal AND %s
"""


@dataclass(frozen=True, eq=False)
class Copy:
    """A table like calls, with its keys, checks, foreign keys and policies, and these indexes."""

    name: str
    table: str
    indexes: list[str]
    triggers: bool = False


COPIES = [
    Copy("no index", "bench_calls_bare", []),
    Copy("documented", "bench_calls_documented", [name for name in DECLARED if name in DOCUMENTED]),
    Copy("all", "bench_calls_all", DECLARED),
    Copy("all, and triggers", "bench_calls_product", DECLARED, triggers=True),
]


@contextmanager
def copies_of_calls() -> Iterator[list[Copy]]:
    """Create the copies, empty, and drop them afterwards."""
    drop = [f"DROP TABLE IF EXISTS {copy.table}" for copy in COPIES]
    try:
        execute(*drop)
        for copy in COPIES:
            definitions = fetch(DEFINITIONS.format(copy=copy.table), [copy.indexes, copy.triggers])
            execute(
                f"CREATE TABLE {copy.table} (LIKE calls INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS)",
                *(definition for (definition,) in definitions),
                f"ALTER TABLE {copy.table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
            )
        yield COPIES
    finally:
        execute(*drop)
