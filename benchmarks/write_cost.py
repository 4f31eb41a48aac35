"""Chapter 3: the cost of the indexes for writes."""

import io
from dataclasses import dataclass, field
from time import perf_counter

from django.db import connection, transaction

from benchmarks.charts import draw_bars
from benchmarks.database import columns_of, execute, fetch, wal_position
from benchmarks.report import Chapter, Goal, number, show_step
from benchmarks.table_copies import Copy, copies_of_calls
from benchmarks.timing import Rounds, in_turns
from benchmarks.write_clients import CLIENTS, write_clients
from calls.models import Call
from crm.db.tenancy import all_tenants

MAX_ROWS = 300_000
TURNS = 4  # of single-row writes to each copy in a round: a machine's pace drifts within a minute
COLUMNS = ", ".join(columns_of(Call))
NOT_REPEATED = {"activity_id", "created_at", "answered_at", "completed_at"}  # a call is not answered before it begins
REPEATED = ", ".join(column for column in columns_of(Call) if column not in NOT_REPEATED)
BULK, INSERT, UPDATE = "bulk load", "INSERT", "UPDATE"
# Each with the query of the ids to which it is applied.
STATEMENTS = {
    INSERT: (
        f"INSERT INTO {{table}} ({REPEATED}, created_at) SELECT {REPEATED}, clock_timestamp() FROM calls WHERE id = $1",
        "SELECT id FROM calls ORDER BY id DESC LIMIT 8000",
    ),
    UPDATE: (
        "UPDATE {table} SET status = (ARRAY['awaiting_quote', 'still_deciding', 'purchased', 'lost', 'cancelled'])"
        "[1 + floor(random() * 5)], reason_for_lost_sale = '' WHERE id = $1",
        "SELECT id FROM {table} WHERE booked",
    ),
}

ABOUT = f"""On copies of the calls table, each with its primary key, unique constraints, checks, foreign keys and
row-level security; they differ in the other indexes. A *bulk load* is COPY into a temporary table and `INSERT … SELECT`
from it in one transaction, as demo data and imports do. INSERT (of an existing call as one of now) and UPDATE (of a
booked call's status) write single rows in transactions of their own, by {CLIENTS} clients at once, to tables that were
just loaded. The copies take turns of some seconds; the ratio is of rows per second, against the copy without indexes in
the same turn. HOT: the share of updates that touched no index. WAL includes full pages, written when a page is first
touched after a checkpoint."""


@dataclass
class Cost:
    """Rows per second, and bytes of WAL per row."""

    rates: Rounds = field(default_factory=Rounds)
    wal: Rounds = field(default_factory=Rounds)

    def add(self, rows: int, seconds: float, wal_before: int) -> None:
        self.rates.append(rows / seconds)
        self.wal.append((wal_position() - wal_before) / rows)


def measure_writes(*, rounds: int, seconds: float) -> Chapter:
    """Write to the copies in turns; `seconds` is the time of single-row writes to each copy in a turn."""
    source = io.StringIO()
    with all_tenants(), connection.cursor() as cursor:
        rows = min(Call.objects.count() // 5, MAX_ROWS)
        cursor.copy_expert(f"COPY (SELECT {COLUMNS} FROM calls ORDER BY id LIMIT {rows}) TO STDOUT", source)
    with copies_of_calls() as copies, write_clients(connection.get_connection_params()) as write:
        costs = {kind: {copy: Cost() for copy in copies} for kind in (BULK, INSERT, UPDATE)}
        for turn, ordered in enumerate(in_turns(copies, rounds), start=1):
            for copy in ordered:
                show_step(f"round {turn} of {rounds}: {BULK}, {copy.name}")
                _load(copy, source.getvalue(), rows, costs[BULK][copy])
            for kind, statement in STATEMENTS.items():
                show_step(f"round {turn} of {rounds}: {kind}")
                for small_turn in in_turns(copies, TURNS):
                    for copy in small_turn:
                        sql, ids = (part.format(table=copy.table) for part in statement)
                        wal = wal_position()
                        costs[kind][copy].add(write(sql, ids, seconds), seconds, wal)
        hot = dict(fetch("SELECT relname, 100.0 * n_tup_hot_upd / greatest(n_tup_upd, 1) FROM pg_stat_user_tables"))
        return _describe(costs, hot, rows)


def _load(copy: Copy, source: str, rows: int, cost: Cost) -> None:
    execute(f"TRUNCATE {copy.table}")
    wal, start = wal_position(), perf_counter()
    with all_tenants(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE bench_rows ON COMMIT DROP AS SELECT {COLUMNS} FROM calls LIMIT 0")
        cursor.copy_expert("COPY bench_rows FROM STDIN", io.StringIO(source))
        cursor.execute(f"INSERT INTO {copy.table} ({COLUMNS}) SELECT {COLUMNS} FROM bench_rows")
    cost.add(rows, perf_counter() - start, wal)
    execute(f"VACUUM ANALYZE {copy.table}")


def _describe(costs: dict[str, dict[Copy, Cost]], hot: dict[str, float], rows: int) -> Chapter:
    copies = [*costs[BULK]]
    bare, _, without_triggers, product = copies
    chapter = Chapter("3. Cost of the indexes for writes", [ABOUT, f"Each copy holds {rows:,} calls."])
    bars = []
    for kind, of_kind in costs.items():
        ratios = {copy: cost.rates.against(of_kind[bare].rates) for copy, cost in of_kind.items()}
        bars.append((kind, [ratio.median for ratio in ratios.values()]))
        chapter.add_table(
            ["indexes", "number", "rows/s", "ratio", "quartiles", "WAL, bytes per row", "HOT"],
            [
                [copy.name, str(len(copy.indexes)), number(cost.rates.median), *ratios[copy].cells,
                 number(cost.wal.median), f"{hot[copy.table]:.0f} %" if kind == UPDATE else "–"]
                for copy, cost in of_kind.items()
            ],
            title=kind,
        )  # fmt: skip
    chapter.add_chart(
        "writes", "Speed of writes with indexes", draw_bars,
        unit="rows per second, against the table without indexes = 1", series=[copy.name for copy in copies], rows=bars,
    )  # fmt: skip

    def goal(text: str, limit: float, kind: str, other: Copy) -> Goal:
        ratio = costs[kind][product].rates.against(costs[kind][other].rates)
        return Goal(text, limit, ratio.median, at_least=True)

    chapter.goals = [
        goal("INSERT with everything against without indexes", 0.8, INSERT, bare),
        goal("bulk load with everything against without indexes", 0.45, BULK, bare),
        goal("INSERT with triggers against without", 0.95, INSERT, without_triggers),
    ]
    return chapter
