"""Chapter 4: sizes of the indexes, freshly built and grown."""

from typing import NamedTuple

from django.db import models

from analytics.models import CallAnalysis
from benchmarks.charts import draw_bars
from benchmarks.database import columns_of, execute, fetch
from benchmarks.documented_promises import DOCUMENTED, INDEXES
from benchmarks.report import Chapter, Goal, number, show_step
from calls.models import Appointment, Call
from crm.db.audit_context import audit_disabled
from crm.db.tenancy import all_tenants

GROWING: dict[str, type[models.Model]] = {model._meta.db_table: model for model in (Call, Appointment, CallAnalysis)}
MIB = 1024**2

ABOUT = """Sizes of the documented indexes: *fresh* after `REINDEX`, *loaded* in the order of time, as in production,
and *grown*. Growing inserts a tenth more rows into calls, appointments and analyses with the indexes in place. The new
rows are copies of random rows, deleted afterwards. The documents estimate bytes per row. A hash
index grows in doublings, so the size of that of contacts says little per row."""


def _kind_of(index: models.Index) -> str:
    if index.name in DOCUMENTED:
        return "documented"
    field = Call._meta.get_field(index.fields[0])
    return "foreign key" if field.many_to_one and field.name != "company" else "further"


KINDS = {index.name: _kind_of(index) for index in Call._meta.indexes}


class Size(NamedTuple):
    """Bytes of an index, and rows of its table."""

    size: int
    rows: int

    @property
    def mib(self) -> str:
        return number(self.size / MIB)

    @property
    def row_bytes(self) -> float:
        return self.size / max(self.rows, 1)


Sizes = dict[str, Size]


def read_sizes() -> Sizes:
    """Measure the indexes of calls and the documented ones, by name."""
    found = fetch(
        "SELECT indexrelname, relname, pg_relation_size(indexrelid) FROM pg_stat_user_indexes"
        " WHERE indexrelname = ANY(%s)",
        [[*DOCUMENTED, *KINDS]],
    )
    with all_tenants():
        rows = {table: fetch(f"SELECT count(*) FROM {table}")[0][0] for table in {table for _, table, _ in found}}
    return {name: Size(size, rows[table]) for name, table, size in found}


def measure_sizes(loaded: Sizes | None) -> Chapter:
    """Rebuild the indexes of the growing tables, and let them grow by a tenth; `loaded` are the sizes after a load."""
    show_step("REINDEX")
    execute(*(f"REINDEX TABLE {table}" for table in GROWING))
    fresh = read_sizes()
    show_step("a tenth more rows")
    with all_tenants(), audit_disabled():
        last = {table: fetch(f"SELECT max(id) FROM {table}")[0][0] for table in GROWING}
        for table, model in GROWING.items():
            columns = columns_of(model)
            values = ", ".join("NULL" if column == "activity_id" else column for column in columns)
            execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} WHERE random() < 0.1")
    grown = read_sizes()
    show_step("deleting them again")
    with all_tenants(), audit_disabled():
        execute(*(f"DELETE FROM {table} WHERE id > {last[table]}" for table in reversed(GROWING)))
    execute(*(f"VACUUM {table}" for table in GROWING))
    return _describe(loaded or {}, fresh, grown)


def _describe(loaded: Sizes, fresh: Sizes, grown: Sizes) -> Chapter:
    chapter = Chapter("4. Sizes of the indexes", [ABOUT])
    chapter.add_table(
        ["index", "rows", "fresh, MiB", "fresh, B/row", "loaded, B/row", "grown, B/row", "estimated, B/row",
         "fresh, against it"],
        [_row(index, fresh[index], loaded.get(index), grown[index]) for index in DOCUMENTED],
    )  # fmt: skip
    bars = []
    for index, promise in INDEXES.items():
        measured = [sizes[index].row_bytes if sizes else None for sizes in (fresh, loaded, grown)]
        bars.append((index.removeprefix("ix_"), [*measured, promise.cost[1]]))
    series = ["fresh", "as the load left it", "after a tenth more rows", "the documents' highest estimate"]
    chapter.add_chart(
        "sizes", "Bytes per row of the indexes", draw_bars, unit="bytes per row", series=series, rows=bars
    )
    chapter.add_table(
        ["index", "kind", "fresh, MiB", "after a tenth more, MiB"],
        [[f"`{index}`", kind, fresh[index].mib, grown[index].mib] for index, kind in KINDS.items()],
        title="The indexes of calls, without primary key and unique constraints",
    )
    documented, further = (
        sum(fresh[index].size for index, kind in KINDS.items() if kind == wanted)
        for wanted in ("documented", "further")
    )
    text = "bytes of the indexes of calls, foreign keys' aside, against the documented"
    chapter.goals = [Goal(text, 1.25, (documented + further) / documented)]
    return chapter


def _row(index: str, fresh: Size, loaded: Size | None, grown: Size) -> list[str]:
    estimate, verdict = "–", "–"
    if index in INDEXES:
        low, high = INDEXES[index].cost
        estimate = f"{low}–{high}"
        inside = low <= fresh.row_bytes <= high
        verdict = "as estimated" if inside else f"{number(fresh.row_bytes / high)} × the highest"
    row_bytes = [number(size.row_bytes) if size else "–" for size in (fresh, loaded, grown)]
    return [f"`{index}`", f"{fresh.rows:,}", fresh.mib, *row_bytes, estimate, verdict]
