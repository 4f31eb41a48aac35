"""Chapter 3: what the indexes cost those who write."""

import io
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from time import perf_counter

from django.db import connection, transaction

from benchmarks.chart import draw_bars
from benchmarks.report import Chapter, Goal, Tell, number
from benchmarks.table_copies import Copy, columns_of, copies_of_calls
from benchmarks.timing import Spread, spread_of
from benchmarks.write_clients import CLIENTS, write_together, writing_clients
from calls.models import Call
from crm.db.tenancy import all_tenants

MAX_ROWS = 300_000
TURNS = 4  # of each kind of single rows, on the tables of one round: a machine's pace drifts within a minute
COLUMNS = columns_of(Call)
BULK, INSERT, UPDATE = "bulk load", "INSERT", "UPDATE"

ABOUT = f"""On copies of the table of calls, each with its primary key, unique guards, checks, foreign keys and
row-level security; they differ in the other indexes. A *bulk load* is what demo data and imports do: COPY into a
temporary table, `INSERT … SELECT` from it, one transaction. INSERT and UPDATE (another status of a booked call) are
single rows in transactions of their own, by {CLIENTS} clients at once, on tables that were just loaded. The copies
take turns, of some seconds each; the ratio is of rows a second, against the copy without indexes in the same turn. HOT:
the share of updates that touched no index. WAL holds full pages, too: those touched first after a checkpoint."""


@dataclass
class Cost:
    """Of each round: rows a second, and bytes of WAL a row."""

    rates: list[float] = field(default_factory=list)
    wal: list[float] = field(default_factory=list)

    def against(self, other: "Cost") -> Spread:
        return spread_of([mine / its for mine, its in zip(self.rates, other.rates, strict=True)])


Costs = dict[tuple[str, str], Cost]
"""By the kind of writing, and the copy's name."""


def measure_writes(*, rounds: int, seconds: float, tell: Tell) -> Chapter:
    """`seconds`: how long the clients write to each copy, each round."""
    with all_tenants():
        rows = min(Call.objects.count() // 5, MAX_ROWS)
        source = _read_rows(rows)
    with copies_of_calls() as copies, writing_clients() as pool:
        costs: Costs = {(kind, copy.name): Cost() for kind in (BULK, INSERT, UPDATE) for copy in copies}
        for turn in range(rounds):
            for copy in _in_turn(copies, turn):
                tell(f"round {turn + 1} of {rounds}: {BULK}, {copy.name}")
                _load(copy, source, rows, costs[BULK, copy.name])
            for kind in (INSERT, UPDATE):
                tell(f"round {turn + 1} of {rounds}: {kind}")
                for smaller_turn in range(TURNS):
                    for copy in _in_turn(copies, smaller_turn):
                        _write(pool, copy, kind, seconds, costs[kind, copy.name])
        hot = {copy.name: _hot_share(copy) for copy in copies}
    return _describe(copies, costs, hot, rows)


def _in_turn(copies: list[Copy], turn: int) -> list[Copy]:
    """Forwards and backwards."""
    return copies[::-1] if turn % 2 else copies


def _read_rows(rows: int) -> str:
    text = io.StringIO()
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY (SELECT {', '.join(COLUMNS)} FROM calls ORDER BY id LIMIT {rows}) TO STDOUT", text)
    return text.getvalue()


def _load(copy: Copy, source: str, rows: int, cost: Cost) -> None:
    columns = ", ".join(COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {copy.table}")
        before, start = _wal(), perf_counter()
        with all_tenants(), transaction.atomic():
            cursor.execute(f"CREATE TEMPORARY TABLE bench_rows ON COMMIT DROP AS SELECT {columns} FROM calls LIMIT 0")
            cursor.copy_expert("COPY bench_rows FROM STDIN", io.StringIO(source))
            cursor.execute(f"INSERT INTO {copy.table} ({columns}) SELECT {columns} FROM bench_rows")
        cost.rates.append(rows / (perf_counter() - start))
        cost.wal.append((_wal() - before) / rows)
        cursor.execute(f"VACUUM ANALYZE {copy.table}")


def _write(pool: ProcessPoolExecutor, copy: Copy, kind: str, seconds: float, cost: Cost) -> None:
    before = _wal()
    job = {
        "parameters": connection.get_connection_params(),
        "table": copy.table,
        "columns": [column for column in COLUMNS if column not in ("activity_id", "created_at")],
        "verb": kind,
        "seconds": seconds,
    }
    rows = write_together(pool, job)
    cost.rates.append(rows / seconds)
    cost.wal.append((_wal() - before) / max(rows, 1))


def _wal() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn() - '0/0'")
        return int(cursor.fetchone()[0])


def _hot_share(copy: Copy) -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 100.0 * n_tup_hot_upd / greatest(n_tup_upd, 1) FROM pg_stat_user_tables WHERE relname = %s",
            [copy.table],
        )
        return float(cursor.fetchone()[0])


def _describe(copies: list[Copy], costs: Costs, hot: dict[str, float], rows: int) -> Chapter:
    bare, ours = copies[0].name, copies[-1].name
    chapter = Chapter("3. What writing costs", [ABOUT, f"Each copy holds {rows:,} calls."])
    for kind in (BULK, INSERT, UPDATE):
        chapter.add(f"### {kind}")
        table = []
        for copy in copies:
            cost, ratio = costs[kind, copy.name], costs[kind, copy.name].against(costs[kind, bare])
            table.append(
                [copy.name, str(len(copy.indexes)), number(spread_of(cost.rates).median), number(ratio.median),
                 f"{number(ratio.lower)}–{number(ratio.upper)}", number(spread_of(cost.wal).median),
                 f"{hot[copy.name]:.0f} %" if kind == UPDATE else "–"]
            )  # fmt: skip
        chapter.add_table(["indexes", "number", "rows/s", "ratio", "middle half", "WAL, bytes a row", "HOT"], table)
    chapter.add_chart(
        "writes",
        draw_bars(
            "What is left of the speed of writing",
            unit="rows a second, against the table without indexes = 1",
            series=[copy.name for copy in copies],
            rows=[
                (kind, [costs[kind, copy.name].against(costs[kind, bare]).median for copy in copies])
                for kind in (BULK, INSERT, UPDATE)
            ],
        ),
        about="What is left of the speed of writing",
    )
    chapter.goals = [
        Goal(f"{kind} with everything against without indexes", limit, ratio.median, at_least=True)
        for kind, limit in ((INSERT, 0.8), (BULK, 0.45))
        for ratio in [costs[kind, ours].against(costs[kind, bare])]
    ]
    if copies[-1].triggers:
        ratio = costs[INSERT, ours].against(costs[INSERT, copies[-2].name])
        chapter.goals.append(Goal("INSERT with triggers against without", 0.95, ratio.median, at_least=True))
    return chapter
