"""Making demo data."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import OuterRef, Subquery

from analytics.rollups.update import rebuild_call_rollup, without_stale_marks
from crm.db.audit_context import audit_disabled
from crm.db.tenancy import all_tenants
from crm.models import Activity, Company, Conversation, User
from ops.demo.activity_writer import ActivityWriter
from ops.demo.bulk_writer import Progress, Tables
from ops.demo.call_history import MIN_CALLS, History
from ops.demo.campaigns import add_campaigns
from ops.demo.cleanup import remove_demo
from ops.demo.companies import MAX_COMPANIES, DemoCompany, first_companies
from ops.demo.company_setup import MAX_CONTACTS, CompanySetup
from ops.demo.contact_flags import add_flags
from ops.demo.preconditions import ADMIN, ADMIN_EMAIL, DemoRefused, refuse_what_stands
from ops.demo.random_data import sizes_of_companies
from ops.demo.webhook_events import add_deliveries

PASSWORD = "demo"  # noqa: S105  # of demo users, shown to whoever runs it
SALT = "demo-data-is-no-secret-1"  # the same rows each time; long enough that signing in hashes nothing anew

MIN_CONTACTS = 20  # of a company, so that each kind of flag and membership occurs
LEAST_DAYS, MAX_DAYS = 90, 3660  # time enough for an invoice to become overdue
MANY_CALLS = 100_000  # from here on the other tables follow one call in a hundred
MIN_OPT_OUT_CASES = 500  # of a company, though a hundredth of its calls be less


def no_progress(table: str, rows: int) -> None:
    """Progress that nobody watches."""


def seed_demo(
    *,
    companies: int,
    contacts: int,
    calls: int,
    days: int,
    seed: int,
    until: date,
    reset: bool = False,
    progress: Progress = no_progress,
) -> dict[str, int]:
    """Make demo companies with everything that the product shows; return how many rows each table got.

    The same arguments on the same database make the same rows. All or nothing: it is one transaction.

    Args:
        companies: how many; the first is the largest.
        contacts: of all companies together.
        calls: of all companies together; every other table follows from them.
        days: how far back the history goes.
        seed: another one makes other people and other days.
        until: the first day still to come. What happened, happened before it began by the company's clock.
        reset: first remove the demo companies that stand.
        progress: called with a table's name and how many rows more it has.

    Raises:
        DemoRefused: in production; where demo companies stand, or their names are taken; for a size out of range.
    """
    if settings.PRODUCTION:
        raise DemoRefused("Demo data has no place in production.")
    sizes = _sizes(companies=companies, contacts=contacts, calls=calls, days=days)
    with all_tenants(), transaction.atomic(), audit_disabled():
        if reset:
            remove_demo()
        refuse_what_stands(usernames=[name for demo, *_ in sizes for name in demo.usernames])
        password = make_password(PASSWORD, salt=SALT)
        _employ_admin(password, joined=until - timedelta(days=days))
        with without_stale_marks(), Tables(progress) as tables:
            histories = []
            for demo, contacts_here, calls_here in sizes:
                setup = CompanySetup(
                    tables, demo, contacts=contacts_here, seed=seed, until=until, days=days, password=password
                )
                writer = ActivityWriter(tables, setup)
                add_flags(tables, setup, writer)
                add_campaigns(tables, setup, writer)
                add_deliveries(tables, setup)
                tell_each = 1 if calls < MANY_CALLS else max(1, min(100, calls_here // MIN_OPT_OUT_CASES))
                histories.append(History(tables, setup, writer, calls=calls_here, tell_each=tell_each))
            _let_time_pass(tables, histories, days)
            tables.write()
            _date_conversations(tables)
            tables.finish()
        for company in Company.objects.filter(slug__in=[demo.slug for demo, *_ in sizes]):
            rebuild_call_rollup(company=company)
    return tables.counts()


def _sizes(*, companies: int, contacts: int, calls: int, days: int) -> list[tuple[DemoCompany, int, int]]:
    """Each company with how many contacts and calls it has."""
    if not 1 <= companies <= MAX_COMPANIES:
        raise DemoRefused(f"companies must be 1 to {MAX_COMPANIES}, not {companies}.")
    if contacts < MIN_CONTACTS * companies:
        raise DemoRefused(f"contacts must be at least {MIN_CONTACTS} a company, {MIN_CONTACTS * companies} in all.")
    if calls < MIN_CALLS * companies:
        raise DemoRefused(f"calls must be at least {MIN_CALLS} a company, {MIN_CALLS * companies} in all.")
    if not LEAST_DAYS <= days <= MAX_DAYS:
        raise DemoRefused(f"days must be {LEAST_DAYS} to {MAX_DAYS}, not {days}.")
    contacts_of = sizes_of_companies(contacts, companies, least=MIN_CONTACTS)
    calls_of = sizes_of_companies(calls, companies, least=MIN_CALLS)
    if contacts_of[0] > MAX_CONTACTS:
        raise DemoRefused(
            f"contacts: the largest company would have {contacts_of[0]}, but numbers reserved for fiction do for "
            f"{MAX_CONTACTS} at most. Take fewer contacts or more companies."
        )
    return list(zip(first_companies(companies), contacts_of, calls_of, strict=True))


def _let_time_pass(tables: Tables, histories: Sequence[History], days: int) -> None:
    """Calls come in the order of time, those of all companies mingled, as they would in real life."""
    for day in range(days):
        moments = sorted((instant, n) for n, history in enumerate(histories) for instant in history.times(day))
        for instant, n in moments:
            histories[n].ring(day, instant)
            tables.write_when_full()
    for history in histories:
        history.close()


def _date_conversations(tables: Tables) -> None:
    """Set when each conversation began and was last active: its activities came in no particular order."""
    activities = Activity.objects.filter(conversation=OuterRef("pk")).values("created_at")
    Conversation.objects.filter(pk__gte=tables.conversations.first_id).update(
        created_at=Subquery(activities.order_by("created_at")[:1]),
        last_activity_at=Subquery(activities.order_by("-created_at")[:1]),
    )


def _employ_admin(password: str, *, joined: date) -> None:
    """The one of our staff. Kept when demo companies are removed, for rows of others may name them."""
    User.accounts.update_or_create(
        username=ADMIN,
        defaults={
            "email": ADMIN_EMAIL,
            "password": password,
            "is_staff": True,
            "is_superuser": True,
            "date_joined": datetime(joined.year, joined.month, joined.day, tzinfo=UTC),
        },
    )
