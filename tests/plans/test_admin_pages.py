"""Plans of the admin's pages, over all companies."""

import pytest
from django.db import connection  # noqa: F401  # for the mark

from calls.models import Appointment, Call
from crm.db.tenancy import all_tenants
from crm.models import (
    BackgroundTask,
    Campaign,
    Company,
    Contact,
    Conversation,
    DuplicateCandidate,
    Import,
    OptOut,
    User,
)
from messaging.models import Message, WebhookEvent
from tests.count_queries import CountQueries
from tests.plans.conftest import buffers_read, tables_scanned
from tests.plans.test_plans import BIG_TABLES, SEARCHED

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="plans of PostgreSQL only"),
]


@pytest.mark.parametrize(
    "path",
    [
        "crm/conversation/?inbox=mine",
        "crm/conversation/{conversation}/change/",
        "crm/contact/{contact}/change/",
        "calls/call/{call}/change/",
        "calls/appointment/week?company={company}&day=2026-02-23",
        "calls/appointment/day?company={company}&day=2026-02-23",
        "crm/company/{company}/change/",
    ],
)
def test_page_never_scans_a_big_table(path, sample, client):
    with all_tenants():
        client.force_login(User.objects.get(username="admin"))
        ids = {"contact": sample.contact, "conversation": sample.conversation, "call": sample.call}
        url = f"/admin/{path.format(company=sample.company.pk, **{name: row.pk for name, row in ids.items()})}"
        assert client.get(url).status_code == 200
        assert not tables_scanned(lambda: client.get(url)) & BIG_TABLES


# Pages on which staff work, by the model of the row in their path.
WORK_PAGES = {
    "crm/conversation/?inbox=waiting": None,
    "crm/conversation/{}/change/": Conversation,
    "crm/contact/{}/change/": Contact,
    "calls/call/{}/change/": Call,
    "calls/appointment/week": None,
    "calls/appointment/day": None,
    "calls/appointment/{}/move": Appointment,
    "calls/appointment/add/?company={}": Company,
    "messaging/message/{}/change/": Message,
    "messaging/webhookevent/{}/change/": WebhookEvent,
    "crm/optout/{}/change/": OptOut,
    "crm/campaign/{}/change/": Campaign,
    "crm/campaign/{}/start": Campaign,
    "crm/campaign/{}/audience": Campaign,
    "crm/campaign/{}/test-send": Campaign,
    "crm/campaign/{}/cancel": Campaign,
    "crm/import/{}/change/": Import,
    "crm/import/add/": None,
    "crm/duplicatecandidate/": None,
    "crm/duplicatecandidate/{}/change/": DuplicateCandidate,
    "crm/backgroundtask/{}/change/": BackgroundTask,
    "crm/company/{}/change/": Company,
    "calls/call/?company__id__exact={}": Company,
    "calls/task/?company__id__exact={}": Company,
    "crm/lead/?company__id__exact={}": Company,
    "crm/lead/conversion?company={}": Company,
    "messaging/message/?company__id__exact={}": Company,
    "search/?q=smith": None,
}


@pytest.mark.parametrize("path", WORK_PAGES)
def test_work_page_takes_at_most_20_queries(path, sample, client):
    with all_tenants():
        client.force_login(User.objects.get(username="admin"))
        model = WORK_PAGES[path]
        rows = model.objects.order_by("pk") if model else None
        if model is Campaign and not path.endswith("change/"):
            rows = rows.filter(status="draft")
        url = f"/admin/{path.format(rows.first().pk if model else '')}"
        assert client.get(url).status_code == 200, url
        with CountQueries() as asked:
            client.get(url)
    assert len(asked) <= 20


@pytest.mark.parametrize("name", ["largest", "small", "all"])
def test_first_page_of_the_admin_reads_few_pages_and_never_scans_a_big_table(name, sample, client, django_user_model):
    with all_tenants():
        company = sample.company if name == "small" else User.objects.get(username="manager").company
        staff = django_user_model.objects.create(username="stella", is_staff=True, is_superuser=True)
    client.force_login(staff)
    slug = "*" if name == "all" else company.slug

    def open_home():
        assert client.get("/admin/", {"company": slug}).status_code == 200

    assert not tables_scanned(open_home) & {*BIG_TABLES, "webhook_events", "opt_outs", "missed_callers"}
    assert buffers_read(open_home) < 30_000


@pytest.mark.parametrize(
    "term", ["{last}", "{first} {last}", "{digits}", "{phone}", "+1 212 555 0199", "#{pk}", "Quetzalcoatl", "summit"]
)
def test_search_box_of_the_admin_never_scans_a_big_table(term, sample, client, django_user_model):
    with all_tenants():
        staff = django_user_model.objects.create(username="stella", is_staff=True, is_superuser=True)
    client.force_login(staff)
    contact = sample.contact
    search = term.format(
        first=contact.first_name, last=contact.last_name, digits=contact.phone[-7:], phone=contact.phone, pk=contact.pk
    )

    def find():
        assert client.get("/admin/search/", {"q": search}).status_code in (200, 302)

    assert not tables_scanned(find) & {*SEARCHED, "conversations", "invoices"}
    assert buffers_read(find) < 20_000
