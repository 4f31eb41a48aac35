"""Seeding of demo data."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import OuterRef, Subquery

from analytics.rollups.update import rebuild_call_rollup, without_stale_marks
from crm.db.audit_context import audit_disabled
from crm.db.tenancy import all_tenants
from crm.models import Activity, Company, Conversation, PhoneLine, User
from ops.demo.activity_writer import ActivityWriter
from ops.demo.api_tokens import add_api_tokens
from ops.demo.background_tasks import add_background_tasks
from ops.demo.bulk_writer import Progress, Tables
from ops.demo.call_history import MIN_CALLS, CallHistory
from ops.demo.campaigns import add_campaigns
from ops.demo.companies import CATALOGUE
from ops.demo.company_setup import MAX_CONTACTS, CompanySetup
from ops.demo.consents import add_consents
from ops.demo.contact_flags import add_flags
from ops.demo.contact_labels import add_labels
from ops.demo.existing_data import ADMIN, ADMIN_EMAIL, DemoRefused, refuse_conflicts, remove_demo
from ops.demo.merges import add_merges
from ops.demo.random_data import split
from ops.demo.webhook_events import add_webhook_events

PASSWORD = "demo"  # noqa: S105  # of demo users, printed for everybody
SALT = "demo-data-is-no-secret-1"  # equal rows each time; long enough that signing in doesn't hash anew

MIN_CONTACTS = 20  # of a company, so that each kind of flag and membership occurs
MIN_DAYS, MAX_DAYS = 90, 3660  # enough for an invoice to become overdue
MANY_CALLS = 100_000  # from here on one call in a hundred has an activity and follow-ups
MIN_DETAILED_CALLS = 500  # of a company, even if they are more than one in a hundred


def no_progress(table: str, rows: int) -> None:
    """Ignore the progress."""


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
    """Make demo companies with everything that the product shows, in one transaction.

    Equal arguments on equal databases make equal rows; another seed makes other people and other days. The numbers of
    contacts and calls are those of all companies together, of which the first is the largest. All other tables follow
    from the calls. The history ends before `until`, by each company's clock.

    Returns:
        The number of rows by table; `progress` was called with each table's name and number of new rows.

    Raises:
        DemoRefused: in production; if demo companies exist or their names are taken; for a size out of range.
    """
    if settings.PRODUCTION:
        raise DemoRefused("Demo data can't be made in production.")
    sizes = _sizes(companies=companies, contacts=contacts, calls=calls, days=days)
    demos = CATALOGUE[:companies]
    with all_tenants(), transaction.atomic(), audit_disabled():
        if reset:
            remove_demo()
        refuse_conflicts(demos)
        password = make_password(PASSWORD, salt=SALT)
        _add_admin(password, joined=until - timedelta(days=days))
        with without_stale_marks(), Tables(progress) as tables:
            histories = []
            line_numbers = set(PhoneLine.objects.values_list("number", flat=True))
            for demo, (its_contacts, its_calls) in zip(demos, sizes, strict=True):
                setup = CompanySetup(
                    tables,
                    demo,
                    contacts=its_contacts,
                    seed=seed,
                    until=until,
                    days=days,
                    password=password,
                    line_numbers=line_numbers,
                )
                writer = ActivityWriter(setup)
                add_flags(writer)
                add_consents(writer)
                add_labels(setup)
                add_merges(writer)
                add_campaigns(writer)
                add_background_tasks(writer)
                add_api_tokens(setup)
                add_webhook_events(writer)
                detail_every = 1 if calls < MANY_CALLS else max(1, min(100, its_calls // MIN_DETAILED_CALLS))
                histories.append(CallHistory(writer, calls=its_calls, detail_every=detail_every))
            _add_calls(tables, histories, days)
            tables.write()
            _date_conversations(tables)
            tables.finish()
        for company in Company.objects.filter(slug__in=[demo.slug for demo in demos]):
            rebuild_call_rollup(company=company)
    return {table.name: table.next_id - table.first_id for table in tables.values()}


def _sizes(*, companies: int, contacts: int, calls: int, days: int) -> list[tuple[int, int]]:
    """Return the numbers of contacts and calls of each company: the n-th has 1/n^0.7 of the first."""
    if not 1 <= companies <= len(CATALOGUE):
        raise DemoRefused(f"companies must be 1 to {len(CATALOGUE)}, not {companies}.")
    for name, total, minimum in (("contacts", contacts, MIN_CONTACTS), ("calls", calls, MIN_CALLS)):
        if total < minimum * companies:
            raise DemoRefused(f"{name} must be at least {minimum} per company, {minimum * companies} in all.")
    if not MIN_DAYS <= days <= MAX_DAYS:
        raise DemoRefused(f"days must be {MIN_DAYS} to {MAX_DAYS}, not {days}.")
    weights = [n**-0.7 for n in range(1, companies + 1)]
    contacts_of = split(contacts, weights, minimum=MIN_CONTACTS)
    if contacts_of[0] > MAX_CONTACTS:
        raise DemoRefused(
            f"contacts: the largest company would have {contacts_of[0]}, but there are fictional numbers for"
            f" {MAX_CONTACTS} only. Take fewer contacts or more companies."
        )
    return list(zip(contacts_of, split(calls, weights, minimum=MIN_CALLS), strict=True))


def _add_calls(tables: Tables, histories: Sequence[CallHistory], days: int) -> None:
    """Add the calls of all companies in the order of time, as in production."""
    for day in range(days):
        for instant, n in sorted((instant, n) for n, history in enumerate(histories) for instant in history.times(day)):
            histories[n].add_call(day, instant)
        tables.write_when_full()
    for history in histories:
        history.close()


def _date_conversations(tables: Tables) -> None:
    """Set the conversations' first and last times: their activities came in no particular order."""
    activities = Activity.objects.filter(conversation=OuterRef("pk")).values("created_at")
    Conversation.objects.filter(pk__gte=tables["conversations"].first_id).update(
        created_at=Subquery(activities.order_by("created_at")[:1]),
        last_activity_at=Subquery(activities.order_by("-created_at")[:1]),
    )


def _add_admin(password: str, *, joined: date) -> None:
    """Add the staff user, who outlives demo companies because rows of other companies may refer to them."""
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
