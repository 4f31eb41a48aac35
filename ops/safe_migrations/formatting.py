"""Text output of plans and violations for a terminal."""

import textwrap
from collections.abc import Container, Iterator, Mapping
from typing import NamedTuple

from django.template.defaultfilters import filesizeformat

from ops.safe_migrations.lock_levels import Effect, Lock, Work
from ops.safe_migrations.plan import MigrationPlan, Violation

WORK = {
    Work.MOMENT: "for a moment",
    Work.SCAN: "while it reads every row",
    Work.BUILD: "while it builds an index",
    Work.REWRITE: "while it rewrites the table",
    Work.ROWS: "while it changes rows",
}
# On the careful side of docs/benchmarks.md, where all indexes of a million calls take 10 s: a live server is busier.
SCANNED_BYTES_PER_S = 300e6
INDEXED_ROWS_PER_S = 1e6
WRITTEN_ROWS_PER_S = 100e3


class Size(NamedTuple):
    """A table's estimated rows, and its bytes without indexes."""

    rows: int
    bytes: int


def show_plan(plans: list[MigrationPlan], sizes: Mapping[str, Size]) -> Iterator[str]:
    """Yield lines. Without sizes (on SQLite, which has no table locks) only the steps."""
    total = 0.0
    for plan in plans:
        direction = "undo " if plan.backwards else ""
        transaction = "in one transaction" if plan.atomic else "step by step"
        yield f"{direction}{plan.label}, {transaction}"
        for step in plan.steps:
            yield f"  {textwrap.shorten(step.description, 110, placeholder='…')}"
            for effect in step.effects:
                if effect.table in sizes and effect.lock is not Lock.ACCESS_SHARE:
                    size = sizes[effect.table]
                    seconds = estimate_seconds(effect, size)
                    total += seconds
                    yield f"    {show_effect(effect, size, seconds)}"
    if sizes:
        yield f"About {show_seconds(total)} of work, from the tables' sizes; waiting for old transactions comes on top."


def show_effect(effect: Effect, size: Size, seconds: float) -> str:
    table = f"{effect.table} ({size.rows:,} rows, {filesizeformat(size.bytes)})".replace("\xa0", " ")
    about = f", about {show_seconds(seconds)}" if seconds >= 0.1 else ""
    return f"{table}: {effect.lock} {WORK[effect.work]}{about}; {effect.lock.blocked_sessions}"


def show_violation(violation: Violation, *, allowed: Container[str] = ()) -> str:
    refused = violation.recommendation.refused and violation.plan.label not in allowed
    verdict = "REFUSED" if refused else "Warning"
    where = f" on {violation.table}" if violation.table else ""
    return (
        f"{verdict}: {violation.plan.label}, {violation.step.description!r}{where}.\n"
        f"  {violation.recommendation.reason}\n"
        f"  Instead: {violation.recommendation.instead}"
    )


def show_seconds(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"


def estimate_seconds(effect: Effect, size: Size) -> float:
    """Return the seconds of work, without the wait for older transactions."""
    scan = size.bytes / SCANNED_BYTES_PER_S
    match effect.work:
        case Work.SCAN:
            return scan
        case Work.BUILD:  # a concurrent build reads the table twice
            return 2 * scan + size.rows / INDEXED_ROWS_PER_S
        case Work.REWRITE | Work.ROWS:
            return scan + size.rows / WRITTEN_ROWS_PER_S
        case _:
            return 0.0
