"""A PostgreSQL database large enough that the planner has a choice, with the statistics of real use."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pytest
from django.db import connection

from calls.models import Call
from crm.db.tenancy import tenant
from crm.models import Campaign, Company, Contact, Conversation, User
from ops.demo.seeding import seed_demo

UNTIL = date(2026, 3, 1)
SIZE = {"companies": 20, "contacts": 10_000, "calls": 40_000, "days": 400, "seed": 1, "until": UNTIL}

# Tables that demo data keep small, filled up to where an index pays. A company's own rows stay as they are.
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
    # Whoever sends makes a row for every number; about one in ten something was said.
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
    INSERT INTO stale_call_hours (company_id, hour)
    SELECT id, now() - n * interval '1 hour' FROM companies, generate_series(1, 5) n WHERE slug LIKE 'filler-%'
    """,
    """
    INSERT INTO idempotency_keys (company_id, user_id, key, request, request_hash, status, response, created_at)
    SELECT company_id, id, 'key', 'POST /api/v1/appointments', '', 201, '{}', now() - id * interval '1 second'
    FROM users WHERE company_id IS NOT NULL
    """,
]


@dataclass(frozen=True)
class Sample:
    """A company of middling size, and somebody and something of it that questions can be about."""

    company: Company
    manager: User
    rep: User
    contact: Contact
    conversation: Conversation
    campaign: Campaign
    call: Call


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
            )
        run("TRUNCATE companies, users CASCADE")


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def indexes_used(ask: Callable[[], object]) -> set[str]:
    """The indexes through which PostgreSQL answers the statements of `ask`, as its planner has it."""
    return {node["Index Name"] for node in nodes_of(ask) if "Index Name" in node}


def tables_scanned(ask: Callable[[], object]) -> set[str]:
    """The tables that it reads from one end to the other."""
    return {node["Relation Name"] for node in nodes_of(ask) if node["Node Type"] == "Seq Scan"}


def buffers_read(ask: Callable[[], object]) -> int:
    """How many pages the statements of `ask` touch, when they are run."""
    plans = _plans_of(ask, "ANALYZE, BUFFERS, TIMING OFF, ")
    return sum(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in plans)


def nodes_of(ask: Callable[[], object]) -> list[dict]:
    return [node for plan in _plans_of(ask) for node in _flatten(plan)]


def _plans_of(ask: Callable[[], object], options: str = "") -> list[dict]:
    statements: list[tuple[str, object]] = []

    def note(execute, sql, params, many, context):
        if sql.lstrip().upper().startswith(("SELECT", "WITH", "DELETE", "UPDATE")):
            statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note), contextlib.suppress(StopIteration):
        ask()
    assert statements, "nothing was asked of the database"
    plans: list[dict] = []
    with connection.cursor() as cursor:
        for sql, params in statements:
            cursor.execute(f"EXPLAIN ({options}FORMAT JSON) {sql}", params)
            plan = cursor.fetchone()[0]
            plans.append((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])
    return plans


def _flatten(node: dict) -> list[dict]:
    return [node, *(child for plan in node.get("Plans", []) for child in _flatten(plan))]
