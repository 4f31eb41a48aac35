"""The feed of changes in tests: its tables with their rows, and a client that polls."""

from django.db import connection
from django.utils.timezone import now

from crm.db.change_feed import Feed
from crm.db.triggers import declared_triggers
from tests import factories
from tests.conftest import signed_in
from tests.db.scratch import wait_until

URL = "/api/v1/changes"
FEEDS = {model._meta.db_table: (model, feed) for model, feed in declared_triggers(Feed)}
FACTORIES = {factory._meta.model: factory for factory in vars(factories).values() if hasattr(factory, "_meta")}
# By table, a column that clients see, with another value.
SEEN_COLUMN = {
    "activities": ("body", "Has a cat."),
    "api_tokens": ("name", "Website"),
    "calendar_feeds": ("beginning", "7dPz"),
    "appointment_proposals": ("note", "Rain."),
    "appointment_reminders": ("reason", "No line."),
    "appointments": ("notes", "Knock twice."),
    "attachments": ("error", "Not found."),
    "background_tasks": ("total", 7),
    "call_analysis": ("summary", "Wants a quote."),
    "call_details": ("summary", "Wants a quote."),
    "calls": ("to_number", "+12125550199"),
    "campaign_memberships": ("reason", "No number."),
    "campaign_steps": ("body", "Any questions?"),
    "campaigns": ("name", "Autumn check"),
    "companies": ("name", "Acme Roofs"),
    "contact_field_values": ("number", 13),
    "contact_fields": ("label", "Roof age"),
    "contact_flags": ("reason", "Asked for it."),
    "contact_lists": ("name", "Spring mailing"),
    "contact_phones": ("label", "home"),
    "contact_tags": ("created_at", "2026-03-02 16:00:00"),
    "contacts": ("first_name", "Kim"),
    "conversations": ("status", "closed"),
    "duplicates": ("score", 7),
    "imports": ("name", "May.csv"),
    "invoices": ("number", "INV-9"),
    "leads": ("notes", "Wants a quote."),
    "marketing_consents": ("wording", "Send me offers."),
    "merges": ("gone_id", 7),
    "message_threads": ("error", "Unreachable."),
    "missed_callers": ("text_back_reason", "No line."),
    "opt_outs": ("state", "clear"),
    "outgoing_webhooks": ("name", "Shop"),
    "phone_lines": ("name", "Sales"),
    "segments": ("name", "Aurora"),
    "snippets": ("body", "We are closed."),
    "tags": ("name", "VIP"),
    "tasks": ("title", "Call back."),
    "time_off": ("reason", "Holiday"),
    "users": ("first_name", "Robin"),
}
# By table, another object that a change of the row changes, as its resource and the column of its id.
BESIDE = {"contact_flags": [("contacts", "contact_id")], "users": [("colleagues", "id")]}


def settle():
    """Wait for the transactions that run now, also those of tests in other processes: they hold all changes back."""
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        [[last]] = rows_of("SELECT txid_current()")
        wait_until(lambda: rows_of("SELECT txid_snapshot_xmin(txid_current_snapshot())")[0][0] > last)


def rows_of(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def statements(asked):
    """Return the number of statements, without those that count requests."""
    return len([query for query in asked.captured_queries if "minute_counters" not in query["sql"]])


class Client:
    """A client that polls."""

    def __init__(self, user, limit=None):
        self.api = signed_in(user)
        self.limit = {} if limit is None else {"limit": limit}
        settle()
        self.after = self.api.get(URL).json()["next"]

    def page(self):
        response = self.api.get(URL, {"after": self.after, **self.limit})
        assert response.status_code == 200, response.content
        self.after = response.json()["next"]
        return response

    def poll(self):
        """Return what has changed, as (resource, id, change)."""
        settle()
        changes, more = [], True
        while more:
            response = self.page()
            changes += [(each["resource"], each["id"], each["change"]) for each in response.json()["results"]]
            more = response["Poll-After"] == "0"
        return changes


def make(table, company):
    model = FEEDS[table][0]
    if table == "companies":
        return company
    if table == "opt_outs":
        return factories.OptOutFactory(company=company, decided_at=now())
    if table == "appointment_proposals":
        return factories.AppointmentProposalFactory(appointment__contact__company=company)
    if table == "appointment_reminders":
        return factories.AppointmentReminderFactory(appointment__contact__company=company)
    if table == "call_details":
        return factories.CallDetailFactory(call__contact__company=company)
    if table == "call_analysis":
        return factories.CallAnalysisFactory(call__contact__company=company)
    if issubclass(FACTORIES[model], factories.OfContactFactory):
        return FACTORIES[model](contact__company=company)
    return FACTORIES[model](company=company)


def execute(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
