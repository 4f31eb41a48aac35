"""The data that is measured on: the demo's, of any size."""

from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from zoneinfo import ZoneInfo

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction

from analytics.rollups.update import update_call_rollup
from benchmarks import bulk_rows
from benchmarks.environment import memory_in_use
from benchmarks.index_sizes import Sizes, index_sizes
from benchmarks.report import Tell
from benchmarks.sample import take_samples
from crm.db.audit_context import audit_disabled
from crm.db.tenancy import all_tenants
from crm.models import Company
from ops.demo.call_history import MIN_CALLS
from ops.demo.preconditions import standing_demo_companies
from ops.demo.seeding import MIN_CONTACTS, seed_demo

DAYS = 730
WESTERNMOST = ZoneInfo("America/Los_Angeles")


class BenchRefused(RuntimeError):
    """Nothing is measured here; nothing was changed."""


@dataclass(frozen=True)
class Load:
    """How long the calls took, with everything that follows from them, what memory the loader had, in MiB, and what
    the indexes took afterwards, which have grown with the rows."""

    calls: int
    seconds: float
    memory_at_quarter: float
    memory_at_end: float
    sizes: Sizes


def refuse_real_data() -> None:
    """Raises BenchRefused wherever rows could be anybody's, and where it is not PostgreSQL."""
    if settings.PRODUCTION:
        raise BenchRefused("Not in production: indexes and tables come and go while it runs.")
    if connection.vendor != "postgresql":
        raise BenchRefused("Only PostgreSQL is measured: set DATABASE_URL.")
    if Company.objects.exclude(pk__in=standing_demo_companies()).exists():
        raise BenchRefused("Companies stand here that are none of the demo's. Use a database of its own.")


def load(*, calls: int, companies: int, tell: Tell) -> Load:
    """Replace what stands here by so many calls, and by what a system with as many would hold beside them."""
    refuse_real_data()
    companies = min(companies, calls // MIN_CALLS)
    contacts = max(calls // 20, MIN_CONTACTS * companies)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE companies, users CASCADE")
    watch = _Watch(calls, tell)
    seed_demo(
        companies=companies,
        contacts=contacts,
        calls=calls,
        days=DAYS,
        seed=1,
        until=datetime.now(WESTERNMOST).date(),
        progress=watch.see,
    )
    seconds, memory = monotonic() - watch.start, memory_in_use()
    _fill(calls=calls, companies=companies, tell=tell)
    return Load(calls, seconds, watch.at_quarter, memory, index_sizes())


def settle() -> None:
    """As the worker and autovacuum leave what has come to rest."""
    for company in Company.objects.all():
        while update_call_rollup(company=company):
            pass
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {', '.join(_our_tables())}")


def _fill(*, calls: int, companies: int, tell: Tell) -> None:
    with all_tenants(), transaction.atomic(), audit_disabled():
        tell("filling: texts")
        bulk_rows.fill_texts(target=calls // 10)
        tell("filling: analyses")
        bulk_rows.fill_analyses(each=10)
        tell("filling: contacts, deliveries, memberships")
        bulk_rows.fill_contacts(each_company=calls // 20 // companies)
        bulk_rows.fill_deliveries(target=calls // 20)
        bulk_rows.fill_memberships(target=calls // 20)
    tell("filling: long threads")
    for sample in take_samples():
        with all_tenants(), transaction.atomic(), audit_disabled():
            bulk_rows.deepen_thread(contact=sample.contact, target=calls // 400)
    tell("folding, VACUUM ANALYZE")
    settle()


def _our_tables() -> list[str]:
    apps_of_ours = map(apps.get_app_config, ("crm", "calls", "messaging", "analytics"))
    return [model._meta.db_table for app in apps_of_ours for model in app.get_models()]


class _Watch:
    """Follows a load: tells how far it is, and remembers what memory it had at its first quarter."""

    def __init__(self, calls: int, tell: Tell) -> None:
        self.calls, self.tell = calls, tell
        self.start, self.told, self.done, self.at_quarter = monotonic(), 0, 0, 0.0

    def see(self, table: str, rows: int) -> None:
        if table != "calls":
            return
        self.done += rows
        if not self.at_quarter and self.done >= self.calls / 4:
            self.at_quarter = memory_in_use()
        if 10 * self.done // self.calls > self.told:
            self.told = 10 * self.done // self.calls
            self.tell(f"loading: {self.done:,} of {self.calls:,} calls, {monotonic() - self.start:.0f} s")
