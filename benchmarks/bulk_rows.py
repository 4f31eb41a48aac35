"""Bulk rows of a busy system, copied by the database from demo rows with other ids, times and owners."""

from collections.abc import Mapping
from functools import partial

from django.core.management.color import no_style
from django.db import connection, models

from analytics.models import CallAnalysis
from benchmarks.database import columns_of, execute, fetch
from benchmarks.report import show_step
from benchmarks.samples import choose_samples
from crm.db.audit_context import audit_disabled
from crm.db.tenancy import all_tenants
from crm.models import Activity, CampaignMembership, Contact, ContactPhone, ContactSearchKey
from messaging.models import Message, WebhookEvent

AREA_CODES = 788  # from 201 on, each with a hundred numbers that are reserved for fiction


def add_bulk_rows(*, calls: int, companies: int) -> None:
    """Add the rows that a system with as many calls has beside the demo data."""
    for step, add in {
        "messages": partial(_repeat_messages, target=calls // 10),
        "analyses": partial(_add_analyses, every=10),
        "contacts": partial(_add_contacts, per_company=calls // 20 // companies),
        "webhook events": partial(_repeat_webhook_events, target=calls // 20),
        "memberships": partial(_add_memberships, target=calls // 20),
        "long threads": partial(_lengthen_threads, target=calls // 400),
    }.items():
        show_step(f"filling: {step}")
        with all_tenants(), audit_disabled():
            add()


def _repeat_messages(*, target: int, condition: str = "true") -> None:
    """Copy messages with their activities until about `target` fulfil the condition."""
    [(last, times)] = fetch(
        f"SELECT (SELECT max(id) FROM activities), {target} / greatest(count(*), 1) FROM message_threads"
        f" WHERE {condition}"
    )
    execute(
        "CREATE TEMPORARY TABLE bench_messages AS"
        f" SELECT id, activity_id, n, {last} + row_number() OVER () AS new_id"
        f" FROM message_threads, generate_series(1, {times - 1}) AS n"
        f" WHERE status IN ('delivered', 'received') AND {condition}"
    )
    earlier = "original.created_at - new.n * interval '7 hours'"
    _copy_rows(
        Activity,
        "bench_messages AS new JOIN activities AS original ON original.id = new.activity_id",
        {"id": "new.new_id", "openphone_id": "original.openphone_id || '-' || new.new_id", "created_at": earlier},
    )
    _copy_rows(
        Message,
        "bench_messages AS new JOIN message_threads AS original ON original.id = new.id",
        {"activity_id": "new.new_id", "membership_id": "NULL", "created_at": earlier},
    )
    execute("DROP TABLE bench_messages", *connection.ops.sequence_reset_sql(no_style(), [Activity]))


def _lengthen_threads(*, target: int) -> None:
    for sample in choose_samples():
        _repeat_messages(target=target, condition=f"contact_card_id = {sample.contact.pk}")


def _add_analyses(*, every: int) -> None:
    """Add an analysis to each `every`-th answered call that has none."""
    _copy_rows(
        CallAnalysis,
        "calls JOIN (SELECT *, row_number() OVER () AS place FROM call_analysis) AS original"
        f" ON original.place = 1 + calls.id / {every} % {_count(CallAnalysis)}"
        f" WHERE calls.id % {every} = 0 AND calls.answered_at IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM call_analysis AS other WHERE other.call_id = calls.id)",
        {
            "tenant_id": "calls.company_id",
            "call_id": "calls.id",
            "analyzed_at": "calls.created_at + interval '20 minutes'",
        },
    )


def _add_contacts(*, per_company: int) -> None:
    """Add contacts to each company, with its existing names and new numbers."""
    [(last,)] = fetch("SELECT max(id) FROM contacts")
    _copy_rows(
        Contact,
        f"""companies CROSS JOIN LATERAL (
            SELECT n, phone FROM (
                SELECT n, '+1' || 201 + n / 100 || '55501' || lpad((n % 100)::text, 2, '0') AS phone
                FROM generate_series(0, {AREA_CODES * 100 - 1}) AS n
            ) AS candidate
            WHERE NOT EXISTS (
                SELECT FROM contact_phones WHERE company_id = companies.id AND contact_phones.phone = candidate.phone
            ) ORDER BY n LIMIT {per_company}
        ) AS new JOIN (
            SELECT *, row_number() OVER own AS place, count(*) OVER (PARTITION BY company_id) AS places
            FROM contacts WINDOW own AS (PARTITION BY company_id ORDER BY id)
        ) AS original ON original.company_id = companies.id AND original.place = 1 + new.n % original.places""",
        {
            "phone": "new.phone",
            "email": "'c' || new.n || original.email",
            "keyed_text": "original.first_name || '|' || original.last_name || '|c' || new.n || original.email",
        },
    )
    _copy_rows(
        ContactSearchKey,
        f"""contacts JOIN LATERAL (
            SELECT id FROM contacts AS namesake
            WHERE namesake.id <= {last} AND namesake.company_id = contacts.company_id
            AND namesake.first_name = contacts.first_name AND namesake.last_name = contacts.last_name LIMIT 1
        ) AS namesake ON true JOIN contact_search_keys AS original ON original.contact_id = namesake.id
        WHERE contacts.id > {last}""",
        {
            "contact_id": "contacts.id",
            "key": "CASE WHEN original.key LIKE '%@%' THEN left(contacts.email, 100) ELSE original.key END",
        },
    )
    owner = {column: f"contacts.{column}" for column in ("company_id", "phone", "created_at")}
    _copy_rows(
        ContactPhone,
        f"contacts CROSS JOIN (SELECT * FROM contact_phones LIMIT 1) AS original WHERE contacts.id > {last}",
        owner | {"contact_id": "contacts.id"},
    )


def _repeat_webhook_events(*, target: int) -> None:
    """Copy processed webhook events until there are about `target`."""
    _copy_rows(
        WebhookEvent,
        f"webhook_events AS original, generate_series(1, {target // max(_count(WebhookEvent), 1) - 1}) AS n"
        " WHERE original.processed",
        {
            "event_id": "original.event_id || '-' || n",
            "created_at": "original.created_at - n * interval '13 minutes'",
        },
    )


def _add_memberships(*, target: int) -> None:
    """Add contacts to campaigns until there are `target` memberships."""
    _copy_rows(
        CampaignMembership,
        "(SELECT DISTINCT ON (campaign_id) * FROM campaign_memberships WHERE status = 'delivered') AS original"
        " JOIN contacts ON contacts.company_id = original.company_id WHERE NOT EXISTS (SELECT FROM"
        " campaign_memberships AS other WHERE (other.campaign_id, other.contact_id) ="
        f" (original.campaign_id, contacts.id)) LIMIT {max(target - _count(CampaignMembership), 0)}",
        {"contact_id": "contacts.id", "activity_id": "NULL"},
    )


def _copy_rows(model: type[models.Model], source: str, changes: Mapping[str, str]) -> None:
    """Insert the rows of alias `original` in `source`, with `changes` by column."""
    columns = [*(["id"] if "id" in changes else []), *columns_of(model)]
    values = ", ".join(changes.get(column, f"original.{column}") for column in columns)
    execute(f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) SELECT {values} FROM {source}")
    connection.check_constraints()


def _count(model: type[models.Model]) -> int:
    return int(fetch(f"SELECT count(*) FROM {model._meta.db_table}")[0][0])
