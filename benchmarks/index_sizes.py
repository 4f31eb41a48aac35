"""Chapter 4: sizes of the indexes, freshly built and grown."""

from dataclasses import dataclass

from django.db import models, transaction

from analytics.models import CallAnalysis
from benchmarks.charts import draw_bars
from benchmarks.database import columns_of, execute, fetch
from benchmarks.questions import DOCUMENTED, EXPECTED
from benchmarks.report import Chapter, Goal, ShowStep, number
from calls.models import Appointment, Call
from crm.db.audit_context import audit_disabled
from crm.db.tenancy import all_tenants

GROWING: list[type[models.Model]] = [Call, Appointment, CallAnalysis]
MIB = 1024**2

PROMISED, FOREIGN_KEY, FURTHER = "documented", "foreign key", "further"
KINDS = {
    index.name: (
        PROMISED
        if index.name in DOCUMENTED
        else FOREIGN_KEY
        if Call._meta.get_field(index.fields[0]).many_to_one and index.fields[0] != "company"
        else FURTHER
    )
    for index in Call._meta.indexes
}

ABOUT = """Sizes of the documented indexes: *fresh* after `REINDEX`, *loaded* in the order of time, as in production,
and *grown*. Growing inserts a tenth more rows into calls, appointments and analyses with the indexes in place. The new
rows are copies of random rows, deleted afterwards. The documents estimate bytes per row. A hash
index grows in doublings, so the size of that of contacts says little per row."""


@dataclass(frozen=True)
class Sizes:
    """Bytes of each index, and rows of its table."""

    size: dict[str, int]
    rows: dict[str, int]

    def row_bytes(self, index: str) -> float:
        return self.size[index] / max(self.rows[index], 1)


def read_sizes() -> Sizes:
    """Measure the indexes of calls and the documented ones."""
    found = fetch(
        "SELECT indexrelname, relname, pg_relation_size(indexrelid) FROM pg_stat_user_indexes"
        " WHERE indexrelname = ANY(%s)",
        [*DOCUMENTED, *KINDS],
    )
    with all_tenants():
        counts = {table: fetch(f"SELECT count(*) FROM {table}")[0][0] for table in {table for _, table, _ in found}}
    return Sizes({name: size for name, _, size in found}, {name: counts[table] for name, table, _ in found})


def measure_sizes(*, loaded: Sizes | None, show_step: ShowStep) -> Chapter:
    """Rebuild the indexes of the growing tables, and let them grow by a tenth.

    Args:
        loaded: the sizes after a load, if there was one.
        show_step: called with each step.
    """
    tables = [model._meta.db_table for model in GROWING]
    show_step("REINDEX")
    execute(*(f"REINDEX TABLE {table}" for table in tables))
    fresh = read_sizes()
    show_step("a tenth more rows")
    with all_tenants():
        last = {table: fetch(f"SELECT max(id) FROM {table}")[0][0] for table in tables}
        with audit_disabled():
            for model in GROWING:
                _grow(model)
    grown = read_sizes()
    show_step("deleting them again")
    for table in reversed(tables):
        with all_tenants(), transaction.atomic(), audit_disabled():
            execute(f"DELETE FROM {table} WHERE id > {last[table]}")
    execute(*(f"VACUUM {table}" for table in tables))
    return _describe(loaded, fresh, grown)


def _grow(model: type[models.Model]) -> None:
    columns = columns_of(model)
    values = ", ".join("NULL" if column == "activity_id" else column for column in columns)
    table = model._meta.db_table
    with transaction.atomic():
        execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} WHERE random() < 0.1",
        )


def _describe(loaded: Sizes | None, fresh: Sizes, grown: Sizes) -> Chapter:
    chapter = Chapter("4. Sizes of the indexes", [ABOUT])
    chapter.add_table(
        ["index", "rows", "fresh, MiB", "fresh, B/row", "loaded, B/row", "grown, B/row", "estimated, B/row",
         "fresh, against it"],
        [_row(index, loaded, fresh, grown) for index in DOCUMENTED],
    )  # fmt: skip
    title = "Bytes per row of the indexes"
    bars = [
        (
            index.removeprefix("ix_"),
            [
                fresh.row_bytes(index),
                loaded.row_bytes(index) if loaded else None,
                grown.row_bytes(index),
                expected.row_bytes[1],
            ],
        )
        for index, expected in EXPECTED.items()
    ]
    series = ["fresh", "as the load left it", "after a tenth more rows", "the documents' highest estimate"]
    chapter.add_chart("sizes", title, draw_bars(title, unit="bytes per row", series=series, rows=bars))
    chapter.add("### The indexes of calls, without primary key and unique constraints")
    chapter.add_table(
        ["index", "kind", "fresh, MiB", "after a tenth more, MiB"],
        [
            [f"`{index}`", kind, *(number(sizes.size[index] / MIB) for sizes in (fresh, grown))]
            for index, kind in KINDS.items()
        ],
    )
    documented, further = (
        sum(fresh.size[index] for index, kind in KINDS.items() if kind == wanted) for wanted in (PROMISED, FURTHER)
    )
    ratio = (documented + further) / documented
    text = "bytes of the indexes of calls, foreign keys' aside, against the documented"
    chapter.goals = [Goal(text, 1.25, ratio)]
    return chapter


def _row(index: str, loaded: Sizes | None, fresh: Sizes, grown: Sizes) -> list[str]:
    estimate, verdict = "–", "–"
    row_bytes = fresh.row_bytes(index)
    if index in EXPECTED:
        low, high = EXPECTED[index].row_bytes
        estimate = f"{low}–{high}"
        verdict = "as estimated" if low <= row_bytes <= high else f"{number(row_bytes / high)} × the highest"
    return [
        f"`{index}`", f"{fresh.rows[index]:,}", number(fresh.size[index] / MIB), number(row_bytes),
        number(loaded.row_bytes(index)) if loaded else "–", number(grown.row_bytes(index)), estimate, verdict,
    ]  # fmt: skip
