"""`python -m benchmarks`: load demo data, measure, write the report."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from benchmarks.admin_pages import measure_admin_pages
from benchmarks.audience_times import measure_audiences
from benchmarks.campaign_runs import measure_campaigns
from benchmarks.contact_merges import measure_merges
from benchmarks.database_growth import Extent, add_extents, measure_extent
from benchmarks.demo_load import load, refuse_real_data, update_rollups_and_vacuum
from benchmarks.endpoint_comparison import compare_endpoints
from benchmarks.endpoint_growth import Buffers, Times, count_buffers, describe_growth, time_endpoints
from benchmarks.environment import describe_environment
from benchmarks.exports import measure_exports
from benchmarks.imports import measure_imports
from benchmarks.index_effect import compare_indexes, describe_usage
from benchmarks.index_sizes import Sizes, measure_sizes
from benchmarks.policy_cost import compare_policies
from benchmarks.report import Chapter, show_step, table, write_report
from benchmarks.samples import Sample, choose_samples
from benchmarks.sizing import measure_sizing
from benchmarks.under_load import measure_under_load
from benchmarks.waiting_clients import measure_waiting_clients
from benchmarks.web_server import WORKERS
from benchmarks.webhook_events import measure_webhook_events
from benchmarks.write_cost import measure_writes
from calls.models import Call
from crm.db.tenancy import all_tenants
from crm.models import Company
from tests.postgres_server import PostgresServer, safe_settings

CHAPTERS = range(1, 16)
WRITING = (3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 15)
GROWTH = (100_000, 1_000_000, 10_000_000)


class Command(BaseCommand):
    help = (
        "Load demo data and measure queries, endpoints, writes and indexes. Replaces the rows of the database, which"
        " must be demo data. Without DATABASE_URL, a PostgreSQL server is started for the run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "alone", nargs="?", choices=["policies"],
            help="time the dashboard with and without row-level security instead, on the demo data in the database:"
            " the policies are off in between, so it must have no other users",
        )  # fmt: skip
        parser.add_argument("--calls", type=int, default=1_000_000)
        parser.add_argument("--companies", type=int, help="default: 20, and 100 from 10 million calls on")
        parser.add_argument("--skip-load", action="store_true", help="measure the demo data in the database")
        parser.add_argument("--only", type=_numbers, default=[*CHAPTERS], metavar="1,2", help="these chapters alone")
        parser.add_argument(
            "--growth",
            type=_numbers,
            metavar="N,N",
            help="chapter 5: also at these sizes (100000,1000000,10000000 if smaller)",
        )
        parser.add_argument("--rounds", type=int, default=15, help="of each comparison, at most")
        parser.add_argument("--seconds", type=float, default=2, help="of writing, to each copy in each turn")
        parser.add_argument("--output", type=Path, default=settings.BASE_DIR / "docs" / "benchmarks.md")

    def handle(self, *args: Any, **options: Any) -> None:
        if "DATABASE_URL" not in os.environ and not options["alone"]:
            # The same command in a process whose environment names the server.
            with PostgresServer(safe_settings()) as server:
                command = [sys.executable, "-m", "benchmarks", *sys.argv[1:]]
                sys.exit(subprocess.run(command, env=os.environ | {"DATABASE_URL": server.url}).returncode)
        refuse_real_data()
        if options["alone"]:
            self.stdout.write(compare_policies(rounds=2 * options["rounds"]))
        else:
            call_command("migrate", verbosity=0)
            self._measure(**options)

    def _measure(self, **options: Any) -> None:
        only, calls, rounds = options["only"], options["calls"], options["rounds"]
        companies = options["companies"] or (100 if calls >= 10_000_000 else 20)
        chapters: list[Chapter] = []
        times: dict[int, Times] = {}
        buffers: dict[int, Buffers] = {}
        extents: dict[int, Extent] = {}

        def measure_size(size: int) -> Chapter:
            sample = choose_samples()[0]
            times[size], buffers[size] = time_endpoints(sample, rounds=rounds), count_buffers(sample)
            extents[size] = measure_extent()
            chapter = describe_growth(times, buffers)
            add_extents(chapter, extents)
            return chapter

        sizes: Sizes | None = None
        if not options["skip_load"]:
            if 5 in only:
                for size in options["growth"] or [size for size in GROWTH if size < calls]:
                    load(calls=size, companies=companies)
                    measure_size(size)
            chapter, sizes = load(calls=calls, companies=companies)
            chapters.append(chapter)
        samples = choose_samples()
        with all_tenants():
            calls = Call.objects.count()
        write = partial(write_report, options["output"], head=_describe_run(samples, calls, only), chapters=chapters)
        few = {"events": 50} if options["seconds"] < 1 else {}  # tests are in a hurry
        steps = {
            1: lambda: compare_indexes(samples, rounds=min(rounds, 5)),
            2: lambda: compare_endpoints(samples, rounds=rounds),
            3: lambda: measure_writes(rounds=min(rounds, 3), seconds=options["seconds"]),
            4: lambda: measure_sizes(sizes),
            5: lambda: measure_size(calls),
            6: lambda: measure_webhook_events(samples[0], **few),
            7: lambda: measure_sizing(samples[0], turns=min(rounds, 5), **few),
            8: lambda: measure_waiting_clients(samples[0], seconds=10 * options["seconds"]),
            9: lambda: measure_campaigns(seconds=10 * options["seconds"]),
            10: lambda: measure_audiences(contacts=calls, rounds=min(rounds, 5)),
            11: lambda: measure_merges(seconds=options["seconds"]),
            12: lambda: measure_exports(contacts=calls),
            13: lambda: measure_imports(rows=calls),
            14: lambda: measure_admin_pages(samples[0], rounds=min(rounds, 5)),
            15: lambda: measure_under_load(samples[0], seconds=10 * options["seconds"]),
        }
        for step in only:
            show_step(f"chapter {step}")
            chapters.append(steps[step]())
            if step in WRITING:
                update_rollups_and_vacuum()
            write()  # so that a failure loses no figures
        chapters.append(describe_usage(samples[0]))
        write()
        goals = [goal.reached for chapter in chapters for goal in chapter.goals]
        self.stdout.write(options["output"].read_text())
        show_step(f"{sum(goals)} of {len(goals)} goals reached; see {options['output']}")


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def _describe_run(samples: list[Sample], calls: int, chapters: list[int]) -> str:
    facts = {
        "measured": f"{datetime.now(UTC):%Y-%m-%d}, by `python -m benchmarks`, chapters {','.join(map(str, chapters))}",
        "data": f"{calls:,} calls; the largest of {Company.objects.count()} companies has {samples[0].calls:,},"
        f" the median one {samples[-1].calls:,}",
        "web": f"gunicorn with {WORKERS} workers on the same machine, signed in, row-level security on, one client",
    } | describe_environment()
    return f"Written by the run itself (`make bench`).\n\n{table(['', ''], [[*fact] for fact in facts.items()])}"
