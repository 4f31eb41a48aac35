"""`python -m benchmarks`: what is fast and what it costs, on as many calls as are asked for."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from benchmarks.endpoint_comparison import compare_shapes
from benchmarks.environment import describe_machine
from benchmarks.growth import describe_growth, time_endpoints
from benchmarks.index_sizes import measure_sizes
from benchmarks.index_usage import describe_usage
from benchmarks.indexes import compare_indexes
from benchmarks.loading import BenchRefused, Load, load, refuse_real_data, settle
from benchmarks.report import Chapter, Goal, number, table, write_report
from benchmarks.sample import Sample, take_samples
from benchmarks.write_cost import measure_writes
from calls.models import Call
from crm.db.tenancy import all_tenants
from crm.models import Company
from tests.postgres_server import PostgresServer, safe_settings

CHAPTERS = range(1, 6)
WRITING = (3, 4)
GROWTH = (100_000, 1_000_000)
MAX_LOADING_S = 600  # for ten million calls
MAX_MEMORY = 1.1


class Command(BaseCommand):
    help = (
        "Load demo data and measure queries, endpoints, writes and indexes. Replaces what stands in the database, which"
        " must be demo data; without DATABASE_URL, a PostgreSQL of its own is started, and gone afterwards."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--calls", type=int, default=1_000_000)
        parser.add_argument("--companies", type=int, help="default: 20, and 100 from 10 million calls on")
        parser.add_argument("--skip-load", action="store_true", help="measure the demo data that stand")
        parser.add_argument("--only", type=_numbers, default=[*CHAPTERS], metavar="1,2", help="these chapters alone")
        parser.add_argument(
            "--growth", type=_numbers, metavar="N,N", help="chapter 5: also at these sizes (100000,1000000 if smaller)"
        )
        parser.add_argument("--rounds", type=int, default=15, help="of each comparison, at most")
        parser.add_argument("--seconds", type=float, default=2, help="of writing, to each copy in each turn")
        parser.add_argument("--output", type=Path, default=settings.BASE_DIR / "docs" / "benchmarks.md")

    def handle(self, *args: Any, **options: Any) -> None:
        if "DATABASE_URL" not in os.environ:
            self._run_on_own_server()
            return
        try:
            if Company._meta.db_table in connection.introspection.table_names():
                refuse_real_data()
            call_command("migrate", verbosity=0)
            self._measure(**options)
        except BenchRefused as refusal:
            raise CommandError(str(refusal)) from refusal

    def _run_on_own_server(self) -> None:
        """The same command in a process that finds the server's address in its environment."""
        with PostgresServer(safe_settings()) as server:
            run = subprocess.run(  # what was typed
                [sys.executable, "-m", "benchmarks", *sys.argv[1:]], env=os.environ | {"DATABASE_URL": server.url}
            )
        if run.returncode:
            raise SystemExit(run.returncode)

    def _measure(self, **options: Any) -> None:
        self.began = monotonic()
        only, calls = options["only"], options["calls"]
        companies = options["companies"] or (100 if calls >= 10_000_000 else 20)
        rounds = options["rounds"]
        chapters: list[Chapter] = []
        times = {}
        if 5 in only and not options["skip_load"]:
            for size in options["growth"] or [size for size in GROWTH if size < calls]:
                load(calls=size, companies=companies, tell=self.tell)
                times[size] = time_endpoints(take_samples()[0], rounds=rounds, tell=self.tell)
        loaded = None
        if options["skip_load"]:
            if not Company.objects.exists():
                raise CommandError("There is nothing to measure yet: leave --skip-load out.")
        else:
            loaded = load(calls=calls, companies=companies, tell=self.tell)
            chapters.append(_describe_load(loaded))
        samples, calls = take_samples(), _count_calls()
        head = _describe_run(samples, calls, options)
        steps = {
            1: lambda: compare_indexes(samples, rounds=min(rounds, 5), tell=self.tell),
            2: lambda: compare_shapes(samples, rounds=rounds, tell=self.tell),
            3: lambda: measure_writes(rounds=min(rounds, 3), seconds=options["seconds"], tell=self.tell),
            4: lambda: measure_sizes(loaded=loaded.sizes if loaded else None, tell=self.tell),
            5: lambda: describe_growth(times | {calls: time_endpoints(samples[0], rounds=rounds, tell=self.tell)}),
        }
        for chapter in only:
            self.tell(f"chapter {chapter}")
            chapters.append(steps[chapter]())
            if chapter in WRITING:
                settle()
            write_report(options["output"], head=head, chapters=chapters)  # what is measured is kept, come what may
        chapters.append(describe_usage(samples))
        write_report(options["output"], head=head, chapters=chapters)
        goals = [goal for chapter in chapters for goal in chapter.goals]
        self.stdout.write(options["output"].read_text())
        self.tell(f"{sum(goal.reached for goal in goals)} of {len(goals)} goals reached; see {options['output']}")

    def tell(self, what: str) -> None:
        self.stderr.write(f"{monotonic() - self.began:6.0f} s  {what}")


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def _count_calls() -> int:
    with all_tenants():
        return Call.objects.count()


def _describe_run(samples: list[Sample], calls: int, options: dict[str, Any]) -> str:
    """What was measured, when, and on what."""
    chapters = ",".join(map(str, options["only"]))
    facts = {
        "measured": f"{datetime.now(UTC):%Y-%m-%d}, by `python -m benchmarks`, chapters {chapters}",
        "data": f"{calls:,} calls; the largest of {Company.objects.count()} companies has {samples[0].calls:,},"
        f" the median one {samples[-1].calls:,}",
        "web": "gunicorn with 2 workers on the same machine, signed in, row-level security on, one client",
    } | describe_machine()
    return f"Written by the run itself (`make bench`).\n\n{table(['', ''], [[*fact] for fact in facts.items()])}"


def _describe_load(loaded: Load) -> Chapter:
    rate = loaded.calls / loaded.seconds
    memory = loaded.memory_at_end / loaded.memory_at_quarter
    chapter = Chapter("The load")
    chapter.add(
        f"{loaded.calls:,} calls, and what follows from them, in {loaded.seconds:,.0f} s with every index, guard,"
        f" policy and trigger in place: {number(rate)} calls a second. Days are counted at its end: as nobody can have"
        " counted any before, its calls need no marks. The loader had"
        f" {loaded.memory_at_quarter:.0f} MiB after a quarter of them, and {loaded.memory_at_end:.0f} MiB at the end."
    )
    chapter.goals = [
        Goal("a load of 10 million calls, at this pace", MAX_LOADING_S / 60, 10_000_000 / rate / 60, "min"),
        Goal("the loader's memory, end against first quarter", MAX_MEMORY, memory),
    ]
    return chapter
