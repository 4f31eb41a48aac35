"""Chapter 3: the cost of the indexes for writes."""

import io
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from time import perf_counter

from django.db import connection, transaction

from benchmarks.charts import draw_bars
from benchmarks.database import columns_of, execute, fetch
from benchmarks.report import Chapter, Goal, ShowStep, number
from benchmarks.table_copies import Copy, copies_of_calls
from benchmarks.timing import Rounds
from benchmarks.write_clients import CLIENTS, WriteLoad, client_pool, write_together
from calls.models import Call
from crm.db.tenancy import all_tenants

MAX_ROWS = 300_000
TURNS = 4  # of single-row writes to each copy in a round: a machine's pace drifts within a minute
COLUMNS = columns_of(Call)
BULK, INSERT, UPDATE = "bulk load", "INSERT", "UPDATE"

ABOUT = f"""On copies of the calls table, each with its primary key, unique constraints, checks, foreign keys and
row-level security; they differ in the other indexes. A *bulk load* is COPY into a temporary table and `INSERT … SELECT`
from it in one transaction, as demo data and imports do. INSERT and UPDATE (of a booked call's status) write single rows
in transactions of their own, by {CLIENTS} clients at once, to tables that were just loaded. The copies take turns of
some seconds; the ratio is of rows per second, against the copy without indexes in the same turn. HOT: the share of
updates that touched no index. WAL includes full pages, written when a page is first touched after a checkpoint."""


@dataclass
class Cost:
    """Rows per second, and bytes of WAL per row."""

    rates: Rounds = field(default_factory=Rounds)
    wal: Rounds = field(default_factory=Rounds)

    def add(self, rows: int, seconds: float, wal_before: int) -> None:
        self.rates.values.append(rows / seconds)
        self.wal.values.append((_wal() - wal_before) / max(rows, 1))


Costs = dict[tuple[str, str], Cost]
"""By the kind of write, and the copy's name."""


def measure_writes(*, rounds: int, seconds: float, show_step: ShowStep) -> Chapter:
    """Write to the copies in turns; `seconds` is the time of single-row writes to each copy in a turn."""
    with all_tenants():
        rows = min(Call.objects.count() // 5, MAX_ROWS)
        source = io.StringIO()
        with connection.cursor() as cursor:
            query = f"SELECT {', '.join(COLUMNS)} FROM calls ORDER BY id LIMIT {rows}"
            cursor.copy_expert(f"COPY ({query}) TO STDOUT", source)
    with copies_of_calls() as copies, client_pool() as pool:
        costs: Costs = {(kind, copy.name): Cost() for kind in (BULK, INSERT, UPDATE) for copy in copies}
        for turn in range(rounds):
            for copy in _in_turn(copies, turn):
                show_step(f"round {turn + 1} of {rounds}: {BULK}, {copy.name}")
                _load(copy, source.getvalue(), rows, costs[BULK, copy.name])
            for kind in (INSERT, UPDATE):
                show_step(f"round {turn + 1} of {rounds}: {kind}")
                for small_turn in range(TURNS):
                    for copy in _in_turn(copies, small_turn):
                        _write(pool, copy, kind, seconds, costs[kind, copy.name])
        hot = dict(fetch("SELECT relname, 100.0 * n_tup_hot_upd / greatest(n_tup_upd, 1) FROM pg_stat_user_tables"))
        return _describe(copies, costs, hot, rows)


def _in_turn(copies: list[Copy], turn: int) -> list[Copy]:
    return copies[::-1] if turn % 2 else copies


def _load(copy: Copy, source: str, rows: int, cost: Cost) -> None:
    columns = ", ".join(COLUMNS)
    execute(f"TRUNCATE {copy.table}")
    wal, start = _wal(), perf_counter()
    with all_tenants(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE bench_rows ON COMMIT DROP AS SELECT {columns} FROM calls LIMIT 0")
        cursor.copy_expert("COPY bench_rows FROM STDIN", io.StringIO(source))
        cursor.execute(f"INSERT INTO {copy.table} ({columns}) SELECT {columns} FROM bench_rows")
    cost.add(rows, perf_counter() - start, wal)
    execute(f"VACUUM ANALYZE {copy.table}")


def _write(pool: ProcessPoolExecutor, copy: Copy, kind: str, seconds: float, cost: Cost) -> None:
    wal = _wal()
    columns = [column for column in COLUMNS if column not in ("activity_id", "created_at")]
    load = WriteLoad(connection.get_connection_params(), copy.table, columns, kind, seconds)
    cost.add(write_together(pool, load), seconds, wal)


def _wal() -> int:
    return int(fetch("SELECT pg_current_wal_insert_lsn() - '0/0'")[0][0])


def _describe(copies: list[Copy], costs: Costs, hot: dict[str, float], rows: int) -> Chapter:
    bare, without_triggers, product = copies[0].name, copies[-2].name, copies[-1].name
    chapter = Chapter("3. Cost of the indexes for writes", [ABOUT, f"Each copy holds {rows:,} calls."])
    bars = []
    for kind in (BULK, INSERT, UPDATE):
        lines, ratios = [], []
        for copy in copies:
            cost, ratio = costs[kind, copy.name], costs[kind, copy.name].rates.against(costs[kind, bare].rates)
            ratios.append(ratio.median)
            lines.append(
                [copy.name, str(len(copy.indexes)), number(cost.rates.median), number(ratio.median),
                 f"{number(ratio.lower)}–{number(ratio.upper)}", number(cost.wal.median),
                 f"{hot[copy.table]:.0f} %" if kind == UPDATE else "–"]
            )  # fmt: skip
        chapter.add(f"### {kind}")
        chapter.add_table(["indexes", "number", "rows/s", "ratio", "quartiles", "WAL, bytes per row", "HOT"], lines)
        bars.append((kind, ratios))
    title = "Speed of writes with indexes"
    unit = "rows per second, against the table without indexes = 1"
    chapter.add_chart("writes", title, draw_bars(title, unit=unit, series=[copy.name for copy in copies], rows=bars))

    def ratio_of(kind: str, other: str) -> float:
        return costs[kind, product].rates.against(costs[kind, other].rates).median

    chapter.goals = [
        Goal("INSERT with everything against without indexes", 0.8, ratio_of(INSERT, bare), at_least=True),
        Goal("bulk load with everything against without indexes", 0.45, ratio_of(BULK, bare), at_least=True),
        Goal("INSERT with triggers against without", 0.95, ratio_of(INSERT, without_triggers), at_least=True),
    ]
    return chapter
