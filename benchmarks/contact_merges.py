"""Chapter 11: merging two contacts with many rows, and searching for duplicates."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from statistics import median
from time import perf_counter
from typing import Any

from django.db import connection
from django.utils import timezone

from benchmarks.campaign_data import delete_company
from benchmarks.database import execute
from benchmarks.report import Chapter, Goal, number, show_step
from calls.models import Call
from crm.db.audit_context import audit_disabled
from crm.db.tenancy import all_tenants, tenant
from crm.models import Activity, Company, Contact, ContactMerge, ContactPhone, Conversation, PhoneLine
from crm.services.duplicates.search import search_duplicates
from crm.services.merging.merge import merge_contacts
from crm.services.merging.undo import undo_merge
from messaging.models import Message
from tests.fictional_numbers import fictional_number

ROWS = 1000  # of each of the two contacts
CONTACTS = 100_000
TURNS = 5
SLUG = "benchmark-merges"
GOAL_MERGE_MS, GOAL_SEARCH_S = 200, 60

ABOUT = f"""Two contacts with {ROWS:,} rows each (calls, messages and their activities, in conversations with one line)
are merged and unmerged in turns. Each is one transaction, with all triggers."""
ABOUT_SEARCH = """Then a whole company is searched for duplicates, as at the worker's first search: one contact in fifty
shares its email address, and one in fifty its name and address, with another one."""


def measure_merges(*, seconds: float) -> Chapter:
    """Make a company, merge and search, and delete it again."""
    contacts = CONTACTS if seconds >= 1 else 2000  # tests are in a hurry
    chapter = Chapter("11. Merging contacts", [ABOUT])
    with _company() as company:
        show_step("merges: two contacts")
        merge_ms, undo_ms = _time_merges(company)
        show_step(f"merges: {contacts:,} contacts")
        _add_contacts(company, contacts)
        show_step("merges: searching for duplicates")
        start = perf_counter()
        found = search_duplicates(company_id=company.pk)
        search_s = perf_counter() - start
    chapter.add_table(["operation", "median, ms"], [["merge", number(merge_ms)], ["undo", number(undo_ms)]])
    chapter.parts.append(ABOUT_SEARCH)
    chapter.add_table(
        ["contacts", "pairs found", "s", "s for a million contacts"],
        [[f"{contacts:,}", f"{found:,}", number(search_s), number(search_s * 1e6 / contacts)]],
    )
    chapter.goals += [
        Goal(f"merging two contacts with {ROWS:,} rows each", GOAL_MERGE_MS, merge_ms, "ms"),
        Goal("searching a million contacts for duplicates", GOAL_SEARCH_S, search_s * 1e6 / contacts, "s"),
    ]
    return chapter


@contextmanager
def _company() -> Iterator[Company]:
    with all_tenants():
        company = Company.objects.create(name="Benchmark", slug=SLUG, timezone="America/Denver")
    try:
        yield company
    finally:
        delete_company(company)


def _time_merges(company: Company) -> tuple[float, float]:
    merges, undos = [], []
    with tenant(company.pk):
        pair = _make_pair(company)
    execute("ANALYZE calls, message_threads, activities")
    for _ in range(TURNS):
        with tenant(company.pk):
            kept, gone = (Contact.objects.get(pk=contact.pk) for contact in pair)
        start = perf_counter()
        with tenant(company.pk):
            merged = merge_contacts(kept=kept, gone=gone, user=None)
        merges.append(perf_counter() - start)
        start = perf_counter()
        with tenant(company.pk):
            undo_merge(merge=ContactMerge.objects.get(pk=merged.pk), user=None)
        undos.append(perf_counter() - start)
    return 1000 * median(merges), 1000 * median(undos)


def _make_pair(company: Company) -> list[Contact]:
    line = PhoneLine.objects.create(company=company, name="Desk", number=fictional_number(1), provider_id="PNmerges")
    pair = []
    for n in (2, 3):
        contact = Contact.objects.create(company=company, first_name="Robin", phone=fictional_number(n))
        ContactPhone.objects.create(company=company, contact=contact, phone=contact.phone)
        conversation = Conversation.objects.create(company=company, contact=contact, phone_line=line)
        times = [timezone.now() - timedelta(hours=hours + 2) for hours in range(ROWS // 4)]
        kinds: list[tuple[str, Any]] = [("call", Call), ("message", Message)]
        for kind, model in kinds:
            activities = Activity.objects.bulk_create(
                [
                    Activity(company=company, contact=contact, conversation=conversation, activity_type=kind,
                             direction="incoming", created_at=at)
                    for at in times
                ]
            )  # fmt: skip
            common = {"company": company, "contact": contact, "phone_line": line, "from_number": contact.phone}
            more = {"status": "unbooked"} if model is Call else {"status": "received", "direction": "incoming"}
            model._base_manager.bulk_create(
                [model(activity=row, created_at=row.created_at, **common, **more) for row in activities]
            )
        pair.append(contact)
    return pair


def _add_contacts(company: Company, count: int) -> None:
    """Add contacts without numbers and search keys of their own, which the search doesn't read."""
    with all_tenants(), audit_disabled(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO contacts (company_id, first_name, last_name, phone, email, address, city, state, postal_code,"
            " timezone, keyed_text, created_at, updated_at)"
            " SELECT %s, 'Robin' || n %% 500, 'Field' || (n - (n %% 100 = 2)::int) %% 20000, 'benchmark ' || n,"
            " 'robin' || (n - (n %% 50 = 1)::int) || '@example.com',"
            " (n - (n %% 100 = 2)::int) || ' Elm Street', 'Denver', 'CO', '80202', '', '', now(), now()"
            " FROM generate_series(1, %s) n",
            [company.pk, count],
        )
    execute("ANALYZE contacts")
