"""What autovacuum keeps up with on a healthy server: dead rows, statistics, and updates that touch no index."""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings

from ops.index_health import remediation
from ops.index_health.catalog import CatalogTable, Database
from ops.index_health.findings import Finding, FindingKind


def find(database: Database) -> Iterator[Finding]:
    """Tables of which the server counts nothing (SQLite's) have no findings."""
    for table in database.tables.values():
        if table.live_rows is None:
            continue
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
            f"{dead:,} of its {live + dead:,} rows are dead ({share:.0f} %), and so are their entries in every index;"
            f" last vacuumed: {_day(table.last_vacuum)}. If it stays so, a long transaction keeps VACUUM from them.",
            remedy=f"VACUUM (ANALYZE) {name}",
        )


def _find_stale_statistics(table: CatalogTable, name: str) -> Iterator[Finding]:
    live, changed = table.live_rows or 0, table.changed_since_analyze or 0
    if changed < settings.UPKEEP_MIN_ROWS:
        return
    if table.last_analyze is None:
        message = f"The planner knows nothing of its {live:,} rows: it was never analyzed."
    elif _percent(changed, live) >= settings.STALE_ROWS_PERCENT:
        message = (
            f"The planner's statistics are out of date: {changed:,} changes to its {live:,} rows since the last ANALYZE"
            f" ({_day(table.last_analyze)})."
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
            f"Only {share:.0f} % of its {updates:,} updates were HOT: each of the others wrote all {indexes} indexes."
            " Either what changes is a column that an index needs (then ask whether that index pays), or pages are"
            " full: then leave room in them, which new pages have at once, and old ones after a rewrite.",
            remedy=f"ALTER TABLE {name} SET (fillfactor = 90)",
        )


def _percent(part: int, whole: int) -> float:
    return 100 * part / max(whole, 1)


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "never"
