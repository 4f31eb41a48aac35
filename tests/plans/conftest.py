"""A PostgreSQL database that is large enough for the planner to have a choice of plans."""

import contextlib
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection

from calls.models import Call
from crm.db.tenancy import tenant
from crm.models import Campaign, Company, Conversation, User
from ops.demo.seeding import seed_demo
from ops.index_health.planner import explain, indexes_used, nodes_of
from tests.plans.sample import Sample

LAST_DAY = date(2026, 3, 1)
SIZE = {"companies": 20, "contacts": 10_000, "calls": 40_000, "days": 400, "seed": 1, "until": LAST_DAY}

# Demo data leave these tables too small for an index to pay. The rows of the demo companies stay as they are.
FILL = [
    """
    INSERT INTO companies (name, slug, timezone, currency, missed_call_text, created_at)
    SELECT 'Filler ' || n, 'filler-' || n, 'America/Denver', 'USD', '', now() FROM generate_series(1, 2000) n
    """,
    """
    INSERT INTO users (company_id, role, username, password, is_superuser, is_staff, is_active, first_name, last_name,
                       email, date_joined)
    SELECT id, 'csr', slug || n, '', false, false, true, '', '', '', now() - n * interval '1 day'
    FROM companies, generate_series(1, 5) n WHERE slug LIKE 'filler-%'
    """,
    """
    INSERT INTO phone_lines (company_id, name, number, provider, provider_id, daily_cap, next_send_at, sent_segments,
                             pause_reason, created_at)
    SELECT id, 'Line', '', 'openphone', 'PN' || id || n, 2000, now(), 0, '', now() - n * interval '1 day'
    FROM companies, generate_series(1, 5) n WHERE slug LIKE 'filler-%'
    """,
    """
    INSERT INTO campaigns (company_id, name, status, body, created_at, updated_at)
    SELECT id, 'Spring', 'draft', '', now() - n * interval '1 day', now()
    FROM companies, generate_series(1, 10) n WHERE slug LIKE 'filler-%'
    """,
    """
    INSERT INTO contact_flags (company_id, contact_id, flag_type, reason, source, evidence, review_state, created_at,
                               expires_at)
    SELECT company_id, id, 'office_number', '', 'manual', '', '', now() - n * interval '1 day', now()
    FROM contacts, generate_series(1, 3) n
    """,
    """
    INSERT INTO contact_fields (company_id, key, label, field_type, options, position, created_at)
    SELECT id, 'field_' || n, 'Field ' || n, 'text', '[]', n, now()
    FROM companies, generate_series(1, 5) n WHERE slug LIKE 'filler-%'
    """,
    """
    INSERT INTO merges (company_id, kept_id, gone_id, fields, moved, counts, replaced, before, not_restored, created_at)
    SELECT company_id, id, 1000000000 + id, '{}', '{}', '{}', '{}', '{}', '[]', created_at FROM contacts
    """,
    """
    INSERT INTO api_tokens (company_id, name, role, scopes, beginning, secret_hash, created_by_id, created_at)
    SELECT company_id, 'Website', 'manager', '["read"]', '', '', id, now() - n * interval '1 day'
    FROM users, generate_series(1, 5) n WHERE company_id IS NOT NULL
    """,
    # Without changes: polls of a company with few of them are measured.
    "SET crm.recorded = 'off'",
    """
    INSERT INTO calendar_feeds (company_id, user_id, beginning, secret_hash, created_by_id, created_at, revoked_at)
    SELECT company_id, id, '', '', id, now() - n * interval '1 day', now()
    FROM users, generate_series(1, 5) n WHERE company_id IS NOT NULL
    """,
    """
    INSERT INTO appointment_proposals (company_id, appointment_id, scheduled_start, scheduled_end, note, status,
                                       created_by_id, decided_at, created_at)
    SELECT company_id, id, scheduled_start, scheduled_end, '', 'declined', assigned_rep_id, now(),
           now() - n * interval '1 day'
    FROM appointments, generate_series(1, 3) n WHERE assigned_rep_id IS NOT NULL
    """,
    "RESET crm.recorded",
    """
    INSERT INTO time_off (company_id, rep_id, starts_at, ends_at, reason, created_at)
    SELECT company_id, id, now() - n * interval '40 days', now() - n * interval '39 days', '', now()
    FROM users, generate_series(1, 8) n WHERE company_id IS NOT NULL
    """,
    """
    INSERT INTO outgoing_webhooks (company_id, name, url, resources, secret, is_active, disabled_reason, failures,
                                   next_at, read_xid, read_id, history, read_at, created_at)
    SELECT id, 'Shop', 'https://hooks.example.com', '["contacts"]', '', true, '', 0, now(), 0, 0, '', now(),
           now() - n * interval '1 day'
    FROM companies, generate_series(1, 3) n
    """,
    """
    INSERT INTO outgoing_events (company_id, webhook_id, event_id, resource, object_id, change, occurred_at, status,
                                 tries, run_at, give_up_at, error, created_at)
    SELECT company_id, id, 'evt_' || id || '_' || n, 'contacts', n, 'updated', now(),
           CASE WHEN n % 50 = 0 THEN 'dead' WHEN n = 1 AND id % 40 = 0 THEN 'pending' ELSE 'sent' END, 1, now(), now(),
           '', now() - n * interval '1 hour'
    FROM outgoing_webhooks, generate_series(1, CASE WHEN company_id % 20 = 0 THEN 150 ELSE 5 END) n
    """,
    # The demo's rows leave no audit entries.
    """
    INSERT INTO audit_entries (company_id, actor_id, actor, table_name, row_id, action, changes, at)
    SELECT company_id, id, username,
           CASE WHEN n % 100 = 0 THEN 'imports' WHEN n % 5 = 0 THEN 'invoices' ELSE 'contacts' END, n,
           CASE WHEN n % 100 = 1 THEN 'export' ELSE 'update' END, '{}', now() - n * interval '1 minute'
    FROM users, generate_series(1, CASE WHEN username LIKE 'filler-%' THEN 2 ELSE 600 END) n
    WHERE company_id IS NOT NULL
    """,
    # Many numbers, of which about one in ten has opted out or in.
    """
    INSERT INTO opt_outs (company_id, number_hash, phone, channel, state, decided_at, created_at)
    SELECT companies.id, slug || n, '', 'sms',
           CASE WHEN n = 1 AND companies.id % 50 = 0 THEN 'under_review' ELSE 'clear' END,
           CASE WHEN n <= 5 THEN now() - n * interval '1 day' END, now() - n * interval '1 day'
    FROM companies, generate_series(1, 50) n
    """,
    """
    INSERT INTO opt_out_entries (company_id, opt_out_id, action, words, source, occurred_at, created_at)
    SELECT company_id, id, 'opted_out', 'STOP', 'sms', decided_at + n * interval '1 minute', decided_at
    FROM opt_outs, generate_series(1, 2) n WHERE decided_at IS NOT NULL
    """,
    """
    INSERT INTO webhook_events (company_id, provider, event_id, event_type, body, headers, status, processed, error,
                                tries, created_at, run_at)
    SELECT id, 'openphone', 'EV' || id || '-' || n, 'message.received', '', '{}',
           CASE WHEN n = 1 AND id % 50 = 0 THEN 'pending' ELSE 'processed' END, NOT (n = 1 AND id % 50 = 0), '',
           0, now() - n * interval '1 hour', now() - n * interval '1 hour'
    FROM companies, generate_series(1, 20) n WHERE slug LIKE 'filler-%'
    """,
    """
    INSERT INTO changes (company_id, xid, resource, object_id, change, at)
    SELECT id, n, 'contacts', n, 'updated', now() - n * interval '1 second' FROM companies, generate_series(1, 20) n
    """,
    """
    INSERT INTO stale_call_hours (company_id, hour)
    SELECT id, now() - n * interval '1 hour' FROM companies, generate_series(1, 5) n WHERE slug LIKE 'filler-%'
    """,
    """
    INSERT INTO stored_files (company_id, name, content_type, size, created_at, expires_at)
    SELECT id, 'customers.csv', 'text/csv', 0, now() - n * interval '1 day', now() - n * interval '1 day'
    FROM companies, generate_series(1, 20) n
    """,
    # Files that are kept: most are in the file storage, some wait for it.
    """
    INSERT INTO stored_files (company_id, name, content_type, size, created_at, has_object)
    SELECT id, 'recording.mp3', 'audio/mpeg', 0, now() - n * interval '1 day', n % 20 > 0
    FROM companies, generate_series(1, 40) n
    """,
    """
    INSERT INTO stored_objects (company_id, file_id, key, copied_at, run_at, tries, error)
    SELECT company_id, id, company_id || '/' || id, CASE WHEN id % 50 > 0 THEN now() END, now(), 0, ''
    FROM stored_files WHERE has_object
    """,
    # Recordings of many calls; some of other kinds.
    """
    INSERT INTO attachments (company_id, kind, call_id, position, provider, source_url, status, error, tries, run_at,
                             created_at)
    SELECT company_id, 'recording', id, 7, 'openphone', '', CASE WHEN id % 500 = 0 THEN 'pending' ELSE 'failed' END, '',
           1, CASE WHEN id % 500 = 0 THEN created_at END, created_at
    FROM calls WHERE id % 5 = 0
    """,
    """
    INSERT INTO attachments (company_id, kind, contact_id, provider, source_url, status, error, tries, created_at)
    SELECT company_id, 'upload', id, '', '', 'failed', '', 0, created_at FROM contacts WHERE id % 3 = 0
    """,
    """
    INSERT INTO attachments (company_id, kind, appointment_id, provider, source_url, status, error, tries, created_at)
    SELECT company_id, 'upload', id, '', '', 'failed', '', 0, created_at FROM appointments WHERE id % 3 = 0
    """,
    """
    INSERT INTO attachments (company_id, kind, provider, source_url, status, error, tries, created_at)
    SELECT id, 'upload', '', '', 'failed', '', 0, now() - n * interval '1 minute'
    FROM companies, generate_series(1, 2) n WHERE id % 20 = 0
    """,
    """
    INSERT INTO background_tasks (company_id, kind, state, done, parameters, result_file_id, error_code, error,
                                  cancel_requested, created_at, started_at, ended_at)
    SELECT company_id, 'import', 'done', 0, '{}', id, '', '', false, created_at, created_at, created_at
    FROM stored_files WHERE expires_at IS NOT NULL
    """,
    """
    INSERT INTO import_rows (company_id, import_id, n, person, cells, verdict, reason, "column", detail, undo,
                             undo_detail)
    SELECT company_id, id, n, 1, '["Robin"]', CASE WHEN n % 10 = 0 THEN 'rejected' ELSE 'unchanged' END,
           CASE WHEN n % 10 = 0 THEN 'no_phone' ELSE '' END, '', '', '', ''
    FROM imports, generate_series(101, 600) n
    """,
    """
    INSERT INTO user_sessions (user_id, kind, key, client, address, created_at, last_used_at, expires_at)
    SELECT id, 'api', id || '-' || n, '', NULL, now() - n * interval '1 day', now(), now() + n * interval '1 day'
    FROM users, generate_series(1, 20) n
    """,
    """
    INSERT INTO mails (kind, user_id, address, state, attempts, run_at, error, created_at)
    SELECT 'invitation', id, email, 'sent', 0, now(), '', now() - n * interval '1 hour'
    FROM users, generate_series(1, 20) n
    """,
    """
    INSERT INTO idempotency_keys (company_id, user_id, key, request, request_hash, status, response, created_at)
    SELECT company_id, id, 'key', 'POST /api/v1/appointments', '', 201, '{}', now() - id * interval '1 second'
    FROM users WHERE company_id IS NOT NULL
    """,
]


@pytest.fixture(scope="package")
def sample(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        seed_demo(**SIZE)
        run(*FILL, "VACUUM ANALYZE")
        company = Company.objects.order_by("id")[SIZE["companies"] // 2]
        with tenant(company.pk):
            conversation = Conversation.objects.order_by("id").first()
            yield Sample(
                company=company,
                manager=User.objects.get(role="manager"),
                rep=User.objects.filter(role="rep").first(),
                contact=conversation.contact,
                conversation=conversation,
                campaign=Campaign.objects.exclude(memberships=None).first(),
                call=Call.objects.filter(lead__isnull=False).first(),
                last_day=LAST_DAY,
            )
        run("TRUNCATE companies, users, audit_entries, changes CASCADE")


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def indexes_chosen(ask: Callable[[], object]) -> set[str]:
    """Return the indexes that the planner chooses for the statements of `ask`."""
    return {index for plan in plans_of(ask) for index in indexes_used(plan)}


def tables_scanned(ask: Callable[[], object]) -> set[str]:
    """Return the tables that the statements of `ask` read from end to end."""
    nodes = [node for plan in plans_of(ask) for node in nodes_of(plan)]
    return {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"}


def tables_read(ask: Callable[[], object]) -> set[str]:
    """Return the tables of which the statements of `ask` read rows or indexes."""
    nodes = [node for plan in plans_of(ask) for node in nodes_of(plan)]
    return {node["Relation Name"] for node in nodes if "Relation Name" in node}


def buffers_read(ask: Callable[[], object]) -> int:
    """Run the statements of `ask` and return how many pages they touch."""
    plans = plans_of(ask, "ANALYZE, BUFFERS, TIMING OFF")
    return sum(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in plans)


def plans_of(ask: Callable[[], object], options: str = "") -> list[dict[str, Any]]:
    """Return the plan of each statement of `ask`."""
    statements: list[tuple[str, Any]] = []

    def capture(execute, sql, params, many, context):
        if sql.lstrip(" \n(").upper().startswith(("SELECT", "WITH", "DELETE", "UPDATE")):  # a union begins with (
            statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(capture), contextlib.suppress(StopIteration):
        ask()
    assert statements, "no statement was sent to the database"
    return [explain(connection, sql, params, options=options) for sql, params in statements]
