"""Load of benchmark data: demo data, and the further rows of a busy system."""

from datetime import datetime
from time import monotonic

from django.conf import settings
from django.core.management import CommandError
from django.db import connection

from analytics.rollups.update import update_call_rollup
from benchmarks.bulk_rows import add_bulk_rows
from benchmarks.database import execute
from benchmarks.environment import memory_in_use
from benchmarks.index_sizes import Sizes, read_sizes
from benchmarks.report import Chapter, Goal, number, show_step
from crm.management.progress import ProgressBar
from crm.models import Company
from ops.demo.call_history import MIN_CALLS
from ops.demo.existing_data import demo_companies
from ops.demo.seeding import MIN_CONTACTS, seed_demo
from ops.management.commands.seed_demo import WESTERNMOST
from tests.db.catalogue import product_tables

DAYS = 730
MAX_MINUTES = 10  # for ten million calls
MAX_MEMORY = 1.1


def refuse_real_data() -> None:
    """Raise CommandError in production, on real data, and on another database than PostgreSQL."""
    if settings.PRODUCTION:
        raise CommandError("Benchmarks can't run in production: they drop and create indexes and tables.")
    if connection.vendor != "postgresql":
        raise CommandError("Only PostgreSQL is measured; set DATABASE_URL to a PostgreSQL database.")
    if Company._meta.db_table not in connection.introspection.table_names():
        return
    if Company.objects.exclude(pk__in=demo_companies()).exists():
        raise CommandError("The database holds companies that aren't demo data; use a database of its own.")


def load(*, calls: int, companies: int) -> tuple[Chapter, Sizes]:
    """Replace the data by `calls` demo calls and the other rows of a system with as many.

    Returns:
        The chapter about the load, and the sizes of the indexes after it.
    """
    companies = min(companies, calls // MIN_CALLS)
    memory: list[float] = []  # after a quarter of the calls, and at the end
    start = monotonic()
    execute("TRUNCATE companies, users CASCADE")
    made = 0
    with ProgressBar(total=calls, unit=" calls", unit_scale=True) as bar:

        def show(table: str, rows: int) -> None:
            nonlocal made
            if table == "calls":
                made += rows
                bar.update(rows)
            if not memory and made >= calls / 4:
                memory.append(memory_in_use())

        seed_demo(
            companies=companies,
            contacts=max(calls // 20, MIN_CONTACTS * companies),
            calls=calls,
            days=DAYS,
            seed=1,
            until=datetime.now(WESTERNMOST).date(),
            progress=show,
        )
    chapter = _describe(calls, monotonic() - start, memory[0], memory_in_use())
    add_bulk_rows(calls=calls, companies=companies)
    show_step("updating rollups, VACUUM ANALYZE")
    update_rollups_and_vacuum()
    return chapter, read_sizes()


def _describe(calls: int, seconds: float, at_quarter: float, at_end: float) -> Chapter:
    text = (
        f"{calls:,} calls and their related rows in {seconds:,.0f} s, with every index, constraint, policy and trigger"
        f" in place: {number(calls / seconds)} calls per second. The daily totals are counted at the end. The loader"
        f" used {at_quarter:.0f} MiB after a quarter of the calls, and {at_end:.0f} MiB at the end."
    )
    minutes = 10_000_000 * seconds / calls / 60
    goals = [
        Goal("a load of 10 million calls, at this pace", MAX_MINUTES, minutes, "min"),
        Goal("the loader's memory, end against first quarter", MAX_MEMORY, at_end / at_quarter),
    ]
    return Chapter("The load", [text], goals=goals)


def update_rollups_and_vacuum() -> None:
    """Do the worker's and autovacuum's work."""
    for company in Company.objects.all():
        while update_call_rollup(company=company):
            pass
    execute(f"VACUUM ANALYZE {', '.join(product_tables())}")
