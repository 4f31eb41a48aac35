"""Vacuum statistics: dead rows, stale planner statistics, and updates that write every index."""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings

from ops.index_health import remediation
from ops.index_health.catalog import CatalogTable, Database
from ops.index_health.findings import Finding, FindingKind


def find(database: Database) -> Iterator[Finding]:
    for table in database.tables.values():
        if table.live_rows is None or table.extension:
            continue  # PostgreSQL keeps no statistics of this table, or the product's role doesn't own it
        yield from _find_dead_rows(table, remediation.quote(table.name))
        yield from _find_stale_statistics(table, remediation.quote(table.name))
        yield from _find_low_hot_ratio(table, remediation.quote(table.name), len(database.of_table(table.name)))


def _find_dead_rows(table: CatalogTable, name: str) -> Iterator[Finding]:
    live, dead = table.live_rows or 0, table.dead_rows or 0
    if dead >= settings.UPKEEP_MIN_ROWS and (share := _percent(dead, live + dead)) >= settings.DEAD_ROWS_PERCENT:
        yield Finding(
            FindingKind.DEAD_ROWS,
            table.name,
            "",
            f"{dead:,} of {live + dead:,} rows are dead ({share:.0f} %) and still fill every index; last VACUUM:"
            f" {_format(table.last_vacuum)}. If VACUUM doesn't remove them, look for a long transaction.",
            remedy=f"VACUUM (ANALYZE) {name}",
        )


def _find_stale_statistics(table: CatalogTable, name: str) -> Iterator[Finding]:
    live, changed = table.live_rows or 0, table.changed_since_analyze or 0
    if changed < settings.UPKEEP_MIN_ROWS:
        return
    if table.last_analyze is None:
        message = f"The planner has no statistics of {live:,} rows: the table was never analyzed."
    elif _percent(changed, live) >= settings.STALE_ROWS_PERCENT:
        message = (
            f"The planner's statistics are out of date: {changed:,} changes to {live:,} rows since the last ANALYZE"
            f" ({_format(table.last_analyze)})."
        )
    else:
        return
    yield Finding(FindingKind.STALE_STATISTICS, table.name, "", message, remedy=f"ANALYZE {name}")


def _find_low_hot_ratio(table: CatalogTable, name: str, indexes: int) -> Iterator[Finding]:
    updates, hot = table.updated or 0, table.hot_updated or 0
    if updates >= settings.HOT_MIN_UPDATES and (share := _percent(hot, updates)) < settings.HOT_UPDATES_PERCENT:
        yield Finding(
            FindingKind.LOW_HOT_RATIO,
            table.name,
            "",
            f"Only {share:.0f} % of {updates:,} updates were HOT: each of the others wrote all {indexes} indexes."
            " If an indexed column changes often, check whether its index is worth it. If pages are full, a fillfactor"
            " leaves room in new pages, and in old ones after a rewrite of the table.",
            remedy=f"ALTER TABLE {name} SET (fillfactor = 90)",
        )


def _percent(part: int, whole: int) -> float:
    return 100 * part / max(whole, 1)


def _format(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "never"
