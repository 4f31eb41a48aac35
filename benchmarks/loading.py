"""Loading of benchmark data: demo data, and the further rows of a busy system."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from zoneinfo import ZoneInfo

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction

from analytics.rollups.update import update_call_rollup
from benchmarks import bulk_rows
from benchmarks.database import execute
from benchmarks.environment import memory_in_use
from benchmarks.index_sizes import Sizes, read_sizes
from benchmarks.report import Chapter, Goal, ShowStep, number
from benchmarks.sample import choose_samples
from crm.db.audit_context import audit_disabled
from crm.db.tenancy import all_tenants
from crm.models import Company
from ops.demo.call_history import MIN_CALLS
from ops.demo.preconditions import demo_companies
from ops.demo.seeding import MIN_CONTACTS, seed_demo

DAYS = 730
WESTERNMOST = ZoneInfo("America/Los_Angeles")
MAX_MINUTES = 10  # for ten million calls
MAX_MEMORY = 1.1


class BenchRefused(RuntimeError):
    """Benchmarks can't run on this database; nothing was changed."""


def refuse_real_data() -> None:
    """Raise BenchRefused in production, on real data, and on another database than PostgreSQL."""
    if settings.PRODUCTION:
        raise BenchRefused("Benchmarks can't run in production: they drop and create indexes and tables.")
    if connection.vendor != "postgresql":
        raise BenchRefused("Only PostgreSQL is measured; set DATABASE_URL to a PostgreSQL database.")
    if Company.objects.exclude(pk__in=demo_companies()).exists():
        raise BenchRefused("The database holds companies that aren't demo data; use a database of its own.")


@dataclass
class Load:
    """Progress and figures of one load; memory in MiB."""

    calls: int
    show_step: ShowStep
    start: float = field(default_factory=monotonic)
    done: int = 0
    tenths: int = 0
    memory_at_quarter: float = 0
    memory_at_end: float = 0
    seconds: float = 0
    sizes: Sizes | None = None

    def progress(self, table: str, rows: int) -> None:
        if table != "calls":
            return
        self.done += rows
        if not self.memory_at_quarter and self.done >= self.calls / 4:
            self.memory_at_quarter = memory_in_use()
        if 10 * self.done // self.calls > self.tenths:
            self.tenths = 10 * self.done // self.calls
            self.show_step(f"loading: {self.done:,} of {self.calls:,} calls, {monotonic() - self.start:.0f} s")

    def describe(self) -> Chapter:
        rate = self.calls / self.seconds
        chapter = Chapter("The load")
        chapter.add(
            f"{self.calls:,} calls and their related rows in {self.seconds:,.0f} s, with every index, constraint,"
            f" policy and trigger in place: {number(rate)} calls per second. The daily totals are counted at the end."
            f" The loader used {self.memory_at_quarter:.0f} MiB after a quarter of the calls, and"
            f" {self.memory_at_end:.0f} MiB at the end."
        )
        memory = self.memory_at_end / self.memory_at_quarter
        chapter.goals = [
            Goal("a load of 10 million calls, at this pace", MAX_MINUTES, 10_000_000 / rate / 60, "min"),
            Goal("the loader's memory, end against first quarter", MAX_MEMORY, memory),
        ]
        return chapter


def load(*, calls: int, companies: int, show_step: ShowStep) -> Load:
    """Replace the data by `calls` demo calls and the other rows of a system with as many."""
    refuse_real_data()
    companies = min(companies, calls // MIN_CALLS)
    execute("TRUNCATE companies, users CASCADE")
    loaded = Load(calls, show_step)
    seed_demo(
        companies=companies,
        contacts=max(calls // 20, MIN_CONTACTS * companies),
        calls=calls,
        days=DAYS,
        seed=1,
        until=datetime.now(WESTERNMOST).date(),
        progress=loaded.progress,
    )
    loaded.seconds, loaded.memory_at_end = monotonic() - loaded.start, memory_in_use()
    _fill(calls=calls, companies=companies, show_step=show_step)
    loaded.sizes = read_sizes()
    return loaded


def update_rollups_and_vacuum() -> None:
    """Do the worker's and autovacuum's work."""
    for company in Company.objects.all():
        while update_call_rollup(company=company):
            pass
    models = [
        model for app in ("crm", "calls", "messaging", "analytics") for model in apps.get_app_config(app).get_models()
    ]
    execute(f"VACUUM ANALYZE {', '.join(model._meta.db_table for model in models)}")


def _fill(*, calls: int, companies: int, show_step: ShowStep) -> None:
    def run(step: str, *fillers: Callable[[], object]) -> None:
        show_step(f"filling: {step}")
        with all_tenants(), transaction.atomic(), audit_disabled():
            for fill in fillers:
                fill()

    run("messages", lambda: bulk_rows.repeat_messages(target=calls // 10))
    run("analyses", lambda: bulk_rows.add_analyses(every=10))
    run(
        "contacts, webhook events, memberships",
        lambda: bulk_rows.add_contacts(per_company=calls // 20 // companies),
        lambda: bulk_rows.repeat_webhook_events(target=calls // 20),
        lambda: bulk_rows.add_memberships(target=calls // 20),
    )
    run(
        "long threads",
        *(
            lambda contact=sample.contact.pk: bulk_rows.repeat_messages(target=calls // 400, contact=contact)
            for sample in choose_samples()
        ),
    )
    show_step("updating rollups, VACUUM ANALYZE")
    update_rollups_and_vacuum()
