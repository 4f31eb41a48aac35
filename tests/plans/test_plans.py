"""Plans of the questions that the indexes are for."""

import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Count

from analytics.models import CallRollup
from calls.models import Appointment, Call
from calls.models.overlap_triggers import ONE_PLACE_AT_A_TIME
from crm.admin.imports.pages import _kept_rows_of, _reasons_of
from crm.changes.cursors import Position
from crm.changes.pages import read_pages
from crm.db.tenancy import all_tenants, tenant
from crm.models import Import, User
from crm.services.contact_search import find_contacts
from crm.services.imports.rejected_rows import rejected_csv
from tests.api.response_schema import document
from tests.conftest import signed_in
from tests.plans.conftest import (
    buffers_read,
    indexes_chosen,
    run,
    tables_read,
    tables_scanned,
)
from tests.plans.questions import QUESTIONS, plain_poll, poll

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="plans of PostgreSQL only"),
]

BIG_TABLES = {"activities", "appointments", "call_analysis", "calls", "contacts", "message_threads"}
SEARCHED = BIG_TABLES | {"contact_search_keys", "contact_phones"}
REP_LISTS = [
    "activities", "appointments", "call-analyses", "calls", "contact-flags", "contacts", "conversations", "leads",
]  # fmt: skip


def test_every_index_has_a_question():
    declared = {
        index.name
        for label in ("crm", "calls", "messaging", "analytics")
        for model in apps.get_app_config(label).get_models()
        for index in model._meta.indexes
    }
    assert declared == set(QUESTIONS)


@pytest.mark.parametrize("name", QUESTIONS)
def test_question_is_answered_through_its_index(name, sample):
    assert name in indexes_chosen(lambda: QUESTIONS[name](sample))


@pytest.mark.parametrize("name", QUESTIONS)
def test_question_never_scans_a_big_table(name, sample):
    assert not tables_scanned(lambda: QUESTIONS[name](sample)) & BIG_TABLES


def busy_rep(sample):
    """Return the latest appointment of the rep with the most of them."""
    reps = Appointment.objects.exclude(assigned_rep=None).values("assigned_rep").annotate(n=Count("id"))
    latest = Appointment.objects.filter(assigned_rep=reps.order_by("-n")[0]["assigned_rep"]).latest("scheduled_start")
    assert Appointment.objects.filter(assigned_rep=latest.assigned_rep_id).count() > 100
    return latest


def ask_overlap_as_the_trigger(appointment):
    """Run the query of the trigger's function, with the row's values in the place of NEW."""
    query = re.search(r"EXISTS \((SELECT .*?)\) THEN", ONE_PLACE_AT_A_TIME.postgresql, re.DOTALL).group(1)
    columns = re.findall(r"NEW\.(\w+)", query)
    with connection.cursor() as cursor:
        cursor.execute(re.sub(r"NEW\.\w+", "%s", query), [getattr(appointment, column) for column in columns])


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(ask_overlap_as_the_trigger, id="trigger"),
        pytest.param(lambda appointment: Appointment.objects.overlapping(appointment).first(), id="answer of the API"),
    ],
)
def test_overlap_of_a_rep_is_found_through_the_index(ask, sample):
    appointment = busy_rep(sample)
    with tenant(sample.company.pk):  # a booking, under row-level security
        assert "ix_appointments_assigned_rep_id_scheduled_start" in indexes_chosen(lambda: ask(appointment))
        assert not tables_scanned(lambda: ask(appointment))
        assert buffers_read(lambda: ask(appointment)) < 40


def test_calendar_of_a_rep_is_read_through_the_index(sample):
    appointment = busy_rep(sample)
    start = appointment.scheduled_start - timedelta(days=30)

    def ask():
        return list(Appointment.objects.in_calendar_of(appointment.assigned_rep, start, start + timedelta(days=210)))

    with tenant(appointment.company_id):
        assert "ix_appointments_assigned_rep_id_scheduled_start" in indexes_chosen(ask)
        assert not tables_scanned(ask) & BIG_TABLES


def test_texts_and_calls_to_missed_callers_are_read_in_the_history_of_each(sample):
    api = signed_in(sample.manager)
    assert "idx_activity_contact" in indexes_chosen(lambda: api.get("/api/v1/missed-calls?limit=50"))
    assert not tables_scanned(lambda: api.get("/api/v1/missed-calls?limit=50")) & BIG_TABLES


@pytest.mark.parametrize("rep", ["", "&rep={rep}"], ids=["all reps", "one rep"])
def test_free_slots_are_found_through_indexes(rep, sample, monkeypatch):
    appointment = busy_rep(sample)
    with tenant(sample.company.pk):
        day = Appointment.objects.exclude(assigned_rep=None).latest("scheduled_start").date
    monkeypatch.setattr("calls.api.slots.now", lambda: appointment.scheduled_start - timedelta(days=60))
    days = f"start_date={day - timedelta(days=30)}&end_date={day}"
    url = f"/api/v1/slots?{days}{rep.format(rep=sample.rep.pk)}"
    api = signed_in(sample.manager)
    assert {"appointments", "time_off"} <= tables_read(lambda: api.get(url))
    assert not tables_scanned(lambda: api.get(url)) & {"appointments", "time_off", "users"}
    assert indexes_chosen(lambda: api.get(url)) & {
        "ix_appointments_company_id_scheduled_start", "ix_appointments_assigned_rep_id_scheduled_start",
    }  # fmt: skip
    assert indexes_chosen(lambda: api.get(url)) & {"ix_time_off_company_id_starts_at", "ix_time_off_rep_id_starts_at"}


@pytest.mark.parametrize(
    "term",
    [
        "{last}",
        "{first} {last}",
        "{last}, {first}",
        "{first:.2} {last:.2}",
        "{last:.2}",
        "{digits}",
        "{phone}",
        "{digits} x",
    ],
)
def test_search_reads_keys_and_numbers_in_their_indexes(term, sample):
    names = {"first": sample.contact.first_name, "last": sample.contact.last_name}
    search = term.format(**names, digits=sample.contact.phone[-7:], phone=sample.contact.phone)
    api = signed_in(sample.manager)
    assert not tables_scanned(lambda: api.get("/api/v1/contacts", {"search": search})) & SEARCHED
    assert buffers_read(lambda: api.get("/api/v1/contacts", {"search": search})) <= 3000


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(_reasons_of, id="reasons"),
        pytest.param(lambda source: b"".join(rejected_csv(source=source)), id="rejected rows"),
        pytest.param(_kept_rows_of, id="rows that an undo has kept"),
    ],
)
def test_rows_of_an_import_are_read_in_its_part_of_the_index(ask, sample):
    source = Import.objects.order_by("pk").last()
    with tenant(sample.company.pk):
        used = indexes_chosen(lambda: ask(source))
        assert "import_rows_import_id_n_person_unique" in used
        assert "import_rows" not in tables_scanned(lambda: ask(source))


@pytest.mark.parametrize("term", ["Quetzalcoatl", "Quetzalcoatl, Ann", "+1 212 555 0199", "55 1234 5678"])
def test_admin_search_over_all_companies_never_scans_a_big_table(term, sample):
    with all_tenants():
        assert not tables_scanned(lambda: find_contacts(term)) & BIG_TABLES


def test_search_of_a_rare_name_reads_few_pages(sample):
    api = signed_in(sample.manager)
    assert buffers_read(lambda: api.get("/api/v1/contacts", {"search": "Quetzalcoatl"})) <= 10
    assert buffers_read(lambda: api.get("/api/v1/contacts", {"search": "Quetzalcoatl, Ann"})) <= 20


@pytest.mark.parametrize("route", ["calls", "contacts", "activities"])
def test_next_page_seeks_in_the_index(route, sample):
    api = signed_in(sample.manager)
    first = api.get(f"/api/v1/{route}").json()
    used = indexes_chosen(lambda: api.get(first["next"]))
    assert any(name.endswith("company_id_created_at") for name in used), used


# Each list has a time in both directions; these are the lists of big tables, and the orders beside the time.
ORDERED = {
    "activities": "ix_activities_company_id_created_at",
    "appointments": "ix_appointments_company_id_scheduled_start",
    "call-analyses": "ix_call_analysis_tenant_id_analyzed_at",
    "calls": "ix_calls_company_id_created_at",
    "campaign-memberships": "ix_campaign_memberships_company_id_created_at",
    "contacts": "ix_contacts_company_id_created_at",
    "conversations": "ix_conversations_company_id_created_at",
    "invoices": "ix_invoices_company_id_created_at",
    "leads": "ix_leads_company_id_created_at",
    "message-threads/{contact}": "ix_message_threads_contact_card_id_created_at",
    "missed-calls": "ix_missed_callers_company_id_last_missed_at",
    "tasks": "ix_tasks_company_id_due_at",
    "time-off": "ix_time_off_company_id_starts_at",
    "webhook-events": "ix_webhook_events_company_id_created_at",
}
ORDERS = [(route, order, index) for route, index in ORDERED.items() for order in ("newest", "oldest")] + [
    ("conversations", "recent", "ix_conversations_company_id_last_activity_at"),
    ("conversations", "waiting", "ix_conversations_company_id_last_activity_at"),
    ("duplicates", "score", "ix_duplicates_company_id_score_id"),
    ("invoices", "due", "ix_invoices_company_id_due_date"),
]


@pytest.mark.parametrize(("route", "order", "index"), ORDERS)
def test_order_is_read_from_its_index_on_every_page(route, order, index, sample):
    api = signed_in(sample.manager)
    url = f"/api/v1/{route.format(contact=sample.contact.pk)}?order={order}&limit=1"
    next_page = api.get(url).json()["next"]
    for page in (url, next_page):
        assert index in indexes_chosen(lambda page=page: api.get(page))


def test_every_order_of_the_api_is_known_here():
    lists = {
        path: methods["get"]
        for path, methods in document()["paths"].items()
        if "get" in methods and not path.endswith("/export")  # it reads the pages of its list
    }
    beyond_time = {
        (path.removeprefix("/api/v1/"), order)
        for path, operation in lists.items()
        for parameter in operation.get("parameters", ())
        if parameter["name"] == "order"
        for order in parameter["schema"]["enum"]
        if order not in ("newest", "oldest")
    }
    assert beyond_time == {(route, order) for route, order, _ in ORDERS if order not in ("newest", "oldest")}


@pytest.mark.parametrize(
    "query",
    [
        "calls?search={name}&status=missed&status=unbooked", "calls?number={phone}", "calls?assigned_rep=me",
        "calls?ids={call}",
    ],
)  # fmt: skip
def test_filter_never_scans_a_big_table(query, sample):
    url = query.format(name=sample.contact.last_name, phone=sample.contact.phone[1:], call=sample.call.pk)
    api = signed_in(sample.manager)
    assert not tables_scanned(lambda: api.get(f"/api/v1/{url}")) & SEARCHED


def test_every_search_never_scans_a_big_table(sample):
    lists = {path: methods["get"] for path, methods in document()["paths"].items() if "get" in methods}
    searched = [
        path for path, operation in lists.items()
        if "search" in {each["name"] for each in operation.get("parameters", ())}
    ]  # fmt: skip
    assert len(searched) > 10
    api = signed_in(sample.manager)
    for path in searched:
        url = path.format(contact_card_id=sample.contact.pk)

        def search(url=url):
            assert api.get(url, {"search": sample.contact.last_name}).status_code == 200

        assert not tables_scanned(search) & {*SEARCHED, "opt_outs", "marketing_consents", "campaign_memberships"}, path


@pytest.mark.parametrize("route", [*REP_LISTS, "contacts?search={name}", "message-threads/{contact}"])
def test_list_of_a_rep_never_scans_a_big_table(route, sample):
    with tenant(sample.company.pk):
        contact = Call.objects.assigned_to(sample.rep).filter(contact__last_name__gt="").first().contact
    url = f"/api/v1/{route.format(contact=contact.pk, name=contact.last_name)}"
    api = signed_in(sample.rep)
    assert api.get(url).json()["results"]
    assert not tables_scanned(lambda: api.get(url)) & BIG_TABLES


@pytest.mark.parametrize(("xid", "max_pages"), [(0, 60), (19, 20), (10**15, 20)], ids=["all", "last", "idle"])
def test_poll_for_changes_reads_few_pages(xid, max_pages, sample):
    def as_the_function():
        return poll(sample, xid=xid)

    def through_the_function():
        return read_pages({sample.company.pk: Position(xid)}, limit=500)

    with tenant(sample.company.pk):  # under row-level security
        page = through_the_function()[sample.company.pk]
        assert len([row for row in page.rows if row.xid <= 20]) == {0: 20, 19: 2}.get(xid, 0)
        assert not tables_scanned(as_the_function) & {"changes"}
        assert buffers_read(as_the_function) <= max_pages
        for _ in range(6):  # from the sixth on, with a plan for any values
            assert buffers_read(through_the_function) <= max_pages


@pytest.mark.parametrize("role", ["csr", "rep"])
@pytest.mark.parametrize(("xid", "max_pages"), [(0, 60), (19, 30), (10**15, 10)], ids=["all", "last", "idle"])
def test_plain_poll_reads_few_pages(xid, max_pages, role, sample):
    def ask():
        return plain_poll(sample, xid=xid, role=role)

    with tenant(sample.company.pk):
        assert not tables_scanned(ask) & {"changes", "calls", "appointments"}
        of_contacts = 40 * len(ask()) if role == "rep" else 0  # all calls and appointments of each
        assert buffers_read(ask) <= max_pages + of_contacts


@pytest.mark.parametrize(
    ("path", "max_pages"),
    [
        ("metrics", 500),
        ("metrics?start_date=2026-01-01&end_date=2026-01-30", 50),
        ("booking-rate?start_date=2026-01-01&end_date=2026-01-30&basis=cohort", 50),
        ("lead-conversion?start_date=2026-01-01&end_date=2026-01-30", 60),
    ],
)
def test_dashboard_of_the_largest_company_reads_few_pages(path, max_pages, sample):
    with all_tenants():
        largest = User.objects.get(username="manager")
    api = signed_in(largest)
    assert buffers_read(lambda: api.get(f"/api/v1/dashboard/{path}")) <= max_pages


@pytest.fixture
def largest(sample):
    """The manager of the largest company, whose call rollup covers no day."""
    with all_tenants():
        CallRollup.objects.update(timezone="")
        return User.objects.get(username="manager")


@pytest.mark.parametrize(
    "days", ["start_date=2026-01-01&end_date=2026-01-30", "start_date=2026-02-27&end_date=2026-02-28"]
)
@pytest.mark.parametrize(
    ("path", "index", "misleading"),
    [
        ("metrics?{}", "ix_calls_company_id_created_at", "ix_calls_created_at"),
        ("booking-rate?{}", "ix_calls_company_id_created_at", "ix_calls_created_at"),
        ("booking-rate?{}", "ix_appointments_company_id_scheduled_start", "ix_appointments_scheduled_start"),
        ("lead-conversion?{}", "ix_leads_company_id_created_at", "ix_leads_company_id_source_created_at"),
        ("calls?{}", "ix_calls_company_id_created_at", "ix_calls_created_at"),
        ("calls?{}&count=1", "ix_calls_company_id_created_at", "ix_calls_created_at"),
    ],
)
def test_dashboard_of_the_largest_company_uses_the_index_by_company(path, days, index, misleading, largest):
    used = indexes_chosen(lambda: signed_in(largest).get(f"/api/v1/dashboard/{path.format(days)}"))
    assert index in used
    assert misleading not in used


def add_history(conversation, *, messages):
    """Add many messages to one conversation, an hour apart, all read."""
    values = [conversation.company_id, conversation.contact_id, conversation.phone_line_id, conversation.pk, messages]
    run_with(
        """
        WITH added AS (
            INSERT INTO activities (company_id, contact_id, conversation_id, activity_type, direction, body, created_at)
            SELECT %s, %s, %s, 'message', 'incoming', 'Hello', '2020-01-01'::timestamptz + n * interval '1 hour'
            FROM generate_series(1, %s) n RETURNING id, company_id, contact_id, created_at
        )
        INSERT INTO message_threads (activity_id, company_id, contact_card_id, phone_line_id, direction, kind,
                                     from_number, to_numbers, body, media, status, error_code, error, tries,
                                     created_at, read_at)
        SELECT id, company_id, contact_id, %s, 'incoming', '', '', '[]', 'Hello', '[]', 'received', '', '', 0,
               created_at, created_at FROM added
        """,
        [values[0], values[1], values[3], values[4], values[2]],
    )
    run("ANALYZE activities", "ANALYZE message_threads")


def run_with(statement, parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def test_inbox_reads_as_much_of_a_long_history_as_of_a_short_one(sample):
    api = signed_in(sample.manager)
    page = "/api/v1/conversations?order=recent&limit=100"
    assert {"idx_activity_conversation_created", "ix_message_threads_contact_card_id_unread"} <= indexes_chosen(
        lambda: api.get(page)
    )
    assert not tables_scanned(lambda: api.get(page)) & BIG_TABLES
    one = f"/api/v1/conversations?contact={sample.contact.pk}"
    before = buffers_read(lambda: api.get(one))
    with all_tenants():
        add_history(sample.conversation, messages=5000)
    assert not tables_scanned(lambda: api.get(page)) & BIG_TABLES
    assert buffers_read(lambda: api.get(one)) <= before + 30


@pytest.mark.parametrize("path", ["campaigns", "campaigns/{campaign}", "campaigns/{campaign}/report"])
def test_progress_and_report_of_campaigns_are_read_from_their_counts(path, sample):
    api, url = signed_in(sample.manager), f"/api/v1/{path.format(campaign=sample.campaign.pk)}"
    assert "ix_campaign_counts_company_id_campaign_id" in indexes_chosen(lambda: api.get(url))
    assert "campaign_memberships" not in tables_read(lambda: api.get(url))
    assert not tables_scanned(lambda: api.get(url)) & {"campaign_counts", "campaigns"}


@pytest.mark.parametrize("action", ["texts", "texts?contact={contact}", "estimate"])
def test_campaigns_messages_are_composed_without_scanning_a_big_table(action, sample):
    api = signed_in(sample.manager)
    url = f"/api/v1/campaigns/{sample.campaign.pk}/{action.format(contact=sample.contact.pk)}"
    assert not tables_scanned(lambda: api.get(url)) & {*BIG_TABLES, "campaign_memberships"}
    assert buffers_read(lambda: api.get(url)) < 4000


@pytest.mark.parametrize(
    "path", ["contacts/{contact}/card", "contacts/{contact}/timeline", "contacts/{contact}/phones"]
)
def test_screen_of_a_contact_never_scans_a_big_table(path, sample):
    api, url = signed_in(sample.manager), f"/api/v1/{path.format(contact=sample.contact.pk)}"
    assert not tables_scanned(lambda: api.get(url)) & {*BIG_TABLES, "contact_phones", "contact_flags", "leads"}
    assert buffers_read(lambda: api.get(url)) < 1500


def test_planner_settings_are_the_defaults(sample):
    with connection.cursor() as cursor:
        cursor.execute("SELECT setting FROM pg_settings WHERE name LIKE 'enable\\_%' AND setting <> boot_val")
        assert cursor.fetchall() == []


def test_prometheus_scrape_never_scans_a_big_table(sample, client, settings):
    settings.METRICS_TOKEN = "one-that-only-prometheus-knows"

    def scrape():
        assert client.get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"}).status_code == 200

    assert not tables_scanned(scrape) & {*BIG_TABLES, "webhook_events"}
    assert {"idx_webhook_event_processed", "ix_message_threads_run_at"} <= indexes_chosen(scrape)
