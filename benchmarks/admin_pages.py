"""Chapter 14: pages of the admin, over all companies and of the largest one."""

from functools import partial
from urllib.parse import urlencode

from django.test import Client

from benchmarks.report import Chapter, Goal, number, show_step
from benchmarks.samples import Sample
from benchmarks.timing import time_in_turns
from calls.models import Call
from crm.db.tenancy import all_tenants, tenant
from crm.models import Campaign, Conversation, DuplicateCandidate, User
from messaging.models import Message
from tests.count_queries import CountQueries

HOME, HOME_OF_ALL = "home of the company", "home of all companies"
HOMES = (HOME, HOME_OF_ALL)
GOAL_HOME_MS, GOAL_HOME_QUERIES = 200, 12
GOAL_MS, GOAL_QUERIES = 100, 20
ABOUT = """Each page is asked for by a member of staff and rendered in this process, without the web server. The
queries are those about rows: beginning and ending a transaction is not counted."""


def measure_admin_pages(sample: Sample, *, rounds: int) -> Chapter:
    """Time the pages on which staff work most, and count their queries."""
    show_step("admin: pages")
    client = Client(SERVER_NAME="localhost")
    with all_tenants():
        client.force_login(User.objects.filter(is_superuser=True, is_staff=True).earliest("pk"))
    pages = pages_of(sample)
    asks = {name: partial(_open, client, url) for name, url in pages.items()}
    times = time_in_turns(asks, rounds=rounds)
    queries = {name: _count_queries(client, url) for name, url in pages.items()}
    chapter = Chapter("14. Pages of the admin", [ABOUT])
    rows = [[name, str(queries[name]), number(times[name].median)] for name in pages]
    chapter.add_table(["page", "queries", "median, ms"], rows)
    others = [name for name in pages if name not in HOMES]
    chapter.goals += [
        Goal("the slowest first page of the admin", GOAL_HOME_MS, max(times[name].median for name in HOMES), "ms"),
        Goal("queries of a first page of the admin", GOAL_HOME_QUERIES, max(queries[name] for name in HOMES), ""),
        Goal("the slowest other page of the admin", GOAL_MS, max(times[name].median for name in others), "ms"),
        Goal("queries of another page of the admin", GOAL_QUERIES, max(queries[name] for name in others), ""),
    ]
    return chapter


def pages_of(sample: Sample) -> dict[str, str]:
    """Return the URL of each page by its name."""
    company = sample.company
    with tenant(company.pk):
        conversation = Conversation.objects.filter(contact=sample.contact).latest("last_activity_at")
        call = Call.objects.latest("created_at")
        message = Message.objects.latest("created_at")
        ended, draft = (Campaign.objects.filter(status=status).latest("pk") for status in ("completed", "draft"))
        pair = DuplicateCandidate.objects.filter(state="open").latest("pk")
    of_company = urlencode({"company__id__exact": company.pk})
    pages = {
        HOME: f"?company={company.slug}",
        HOME_OF_ALL: f"?{urlencode({'company': '*'})}",
        "search by name": f"search/?{urlencode({'q': sample.contact.last_name or 'Smith'})}",
        "inbox, waiting": "crm/conversation/?inbox=waiting",
        "a conversation": f"crm/conversation/{conversation.pk}/change/",
        "a contact": f"crm/contact/{sample.contact.pk}/change/",
        "a call": f"calls/call/{call.pk}/change/",
        "contacts": "crm/contact/",
        "calls of a company": f"calls/call/?{of_company}",
        "calls of a company's month": f"calls/call/?{of_company}&created_at=this-month",
        "messages of a company": f"messaging/message/?{of_company}",
        "missed callers": "calls/missedcaller/",
        "invoices to be paid": "crm/invoice/",
        "a week of appointments": f"calls/appointment/week?company={company.pk}",
        "a day of appointments": f"calls/appointment/day?company={company.pk}",
        "tasks of a company": f"calls/task/?{of_company}",
        "leads of a company": f"crm/lead/?{of_company}",
        "conversion of leads": f"crm/lead/conversion?company={company.pk}",
        "a message": f"messaging/message/{message.pk}/change/",
        "a campaign with its report": f"crm/campaign/{ended.pk}/change/",
        "a campaign before its start": f"crm/campaign/{draft.pk}/start",
        "duplicates": "crm/duplicatecandidate/",
        "two contacts before a merge": f"crm/contact/{pair.first_id}/merge/?other=%23{pair.second_id}",
        "audit of a company": f"crm/auditentry/?{of_company}",
        "a company": f"crm/company/{company.pk}/change/",
    }
    return {name: f"/admin/{path}" for name, path in pages.items()}


def _open(client: Client, url: str) -> None:
    status = client.get(url).status_code
    if status != 200:
        raise RuntimeError(f"{url} was answered with {status}.")


def _count_queries(client: Client, url: str) -> int:
    with CountQueries() as queries:
        _open(client, url)
    return len(queries)
