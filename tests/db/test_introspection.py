"""Indexes in the database, compared with the promised and the declared ones."""

import re
from collections import defaultdict
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, models

from crm.db.tenancy import TenantModel
from crm.models import (
    Company,
    Contact,
    KeyFingerprint,
    Mail,
    SavedView,
    SecondFactor,
    User,
    UserSession,
    WorkerHeartbeat,
)
from messaging.models import ProviderHealth
from tests.db.catalogue import ExistingIndex, existing_indexes, product_models, product_tables
from tests.db.index_table import index_table

# A contract: monitoring, run books and documentation refer to these names.
PROMISED = {
    "idx_activity_openphone_id": ("activities", "openphone_id"),
    "idx_activity_conversation_created": ("activities", "conversation_id, created_at"),
    "idx_activity_type_created": ("activities", "activity_type, created_at"),
    "idx_activity_user": ("activities", "user_id, created_at"),
    "idx_activity_contact": ("activities", "contact_id, created_at"),
    "idx_webhook_event_processed": ("webhook_events", "processed, created_at"),
    "idx_webhook_event_id": ("webhook_events", "event_id"),
    "idx_campaign_membership_status": ("campaign_memberships", "campaign_id, status"),
    "idx_campaign_membership_sent": ("campaign_memberships", "sent_at, status"),
    "idx_contact_phone_hash": ("contacts", "phone"),
    "idx_contact_first_name": ("contacts", "first_name"),
    "idx_contact_last_name": ("contacts", "last_name"),
    "idx_contact_email": ("contacts", "email"),
    "idx_contact_flag_type_phone": ("contact_flags", "flag_type, contact_id"),
    "idx_conversation_phone_number_id": ("conversations", "phone_number_id"),
    "idx_conversation_contact": ("conversations", "contact_id"),
    "idx_appointment_date": ("appointments", "date, time"),
    "idx_invoice_status_due": ("invoices", "status, due_date"),
    "ix_appointments_company_id_scheduled_start": ("appointments", "company_id, scheduled_start"),
    "ix_appointments_scheduled_start": ("appointments", "scheduled_start"),
    "ix_calls_company_id_created_at": ("calls", "company_id, created_at"),
    "ix_calls_company_id": ("calls", "company_id"),
    "ix_calls_created_at": ("calls", "created_at"),
    "ix_calls_company_id_status": ("calls", "company_id, status"),
    "ix_calls_assigned_rep_id_created_at": ("calls", "assigned_rep_id, created_at"),
    "ix_calls_company_id_booked": ("calls", "company_id, booked"),
    "ix_message_threads_contact_card_id_created_at": ("message_threads", "contact_card_id, created_at"),
    "ix_call_analysis_tenant_id_analyzed_at": ("call_analysis", "tenant_id, analyzed_at"),
}
PREDICATES = {
    "idx_activity_openphone_id": "openphone_id IS NOT NULL",
    "idx_contact_flag_type_phone": "flag_type = 'opted_out'",
}

# They are read by their contact, list, tag, import or file, never as a list of all rows of a company.
NEVER_LISTED_BY_COMPANY = {
    "attachments", "contact_field_values", "contact_list_entries", "contact_tags", "import_rows", "message_threads",
    "stored_file_chunks", "stored_objects",
}  # fmt: skip

pytestmark = pytest.mark.django_db


def declared_indexes():
    return [(model, index) for model in product_models() for index in model._meta.indexes]


def constraints():
    return [(model, constraint) for model in product_models() for constraint in model._meta.constraints]


def unique_constraints():
    return [
        (model, constraint) for model, constraint in constraints() if isinstance(constraint, models.UniqueConstraint)
    ]


def leading_columns(table):
    """Return the first columns of the table's complete indexes."""
    return {index.columns[0] for index in existing_indexes().values() if index.table == table and not index.predicate}


@pytest.mark.parametrize("name", PROMISED)
def test_promised_index_exists_as_promised(name):
    table, columns = PROMISED[name]
    method = "hash" if name == "idx_contact_phone_hash" and connection.vendor == "postgresql" else "btree"
    assert existing_indexes()[name] == ExistingIndex(
        table, tuple(columns.split(", ")), method, PREDICATES.get(name, ""), unique=False
    )


def test_database_has_only_declared_indexes_and_those_of_constraints():
    declared = {index.name for _, index in declared_indexes()}
    constrained = {constraint.name for _, constraint in constraints()}
    others = {name: index for name, index in existing_indexes().items() if name not in declared | constrained}
    assert declared <= existing_indexes().keys()
    assert all(index.unique for index in others.values()), others


def test_columns_are_not_indexed_twice():
    names = defaultdict(list)
    for name, index in existing_indexes().items():
        names[index.table, index.columns, index.method, index.predicate].append(name)
    assert not [twins for twins in names.values() if len(twins) > 1]


def test_index_that_a_longer_one_covers_is_a_promised_one():
    complete = {name: index for name, index in existing_indexes().items() if not index.predicate}
    redundant = {
        name
        for name, short in complete.items()
        for long in complete.values()
        if long.table == short.table
        and long.method == short.method == "btree"
        and len(long.columns) > len(short.columns)
        and long.columns[: len(short.columns)] == short.columns
        and not short.unique
    }
    assert redundant <= PROMISED.keys()


@pytest.mark.parametrize(("model", "index"), declared_indexes(), ids=lambda value: getattr(value, "name", ""))
def test_index_documents_its_question_and_caller(model, index):
    assert index.question.endswith("?")
    assert index.asked_by
    assert "|" not in index.question + index.asked_by  # a bar would break the table in docs/indexes.md


@pytest.mark.parametrize(("model", "index"), declared_indexes(), ids=lambda value: getattr(value, "name", ""))
def test_index_name_consists_of_table_and_columns(model, index):
    columns = [model._meta.get_field(field).column for field, _ in index.fields_orders]
    name = "_".join(["ix", model._meta.db_table, *columns])
    # A partial index may append its condition to the name.
    assert index.name in PROMISED or index.name == name or (index.condition and index.name.startswith(f"{name}_"))
    assert len(index.name) <= 63


@pytest.mark.parametrize(("model", "constraint"), constraints(), ids=lambda value: getattr(value, "name", ""))
def test_constraint_name_begins_with_its_table(model, constraint):
    ending = "unique" if isinstance(constraint, models.UniqueConstraint) else "[a-z]+"
    assert re.fullmatch(rf"{model._meta.db_table}_([a-z_]+_)?{ending}", constraint.name)
    assert (
        len(constraint.name) <= 63
    )  # Django doesn't check the length of a constraint's name, and PostgreSQL cuts it silently


# A number of a phone line reaches one company, and is public anyway. People sign in by their username alone.
OVER_ALL_COMPANIES = {
    "phone_lines_number_unique",
    "user_sessions_kind_key_unique",
    "users_username_lower_unique",
    "key_fingerprints_name_unique",
    "saved_views_user_id_list_name_unique",
}

# Rows of no company: about users and companies, and about the installation.
WITHOUT_COMPANY = {
    Company, User, UserSession, SavedView, SecondFactor, Mail, KeyFingerprint, ProviderHealth, WorkerHeartbeat,
}  # fmt: skip


@pytest.mark.parametrize(("model", "constraint"), unique_constraints(), ids=lambda value: getattr(value, "name", ""))
def test_unique_constraint_is_within_a_company(model, constraint):
    fields = [model._meta.get_field(name) for name in constraint.fields]
    within = any(field.is_relation and issubclass(field.related_model, (Company, TenantModel)) for field in fields)
    assert within is (constraint.name not in OVER_ALL_COMPANIES)
    assert not constraint.include


@pytest.mark.parametrize("model", product_models(), ids=lambda model: model.__name__)
def test_model_is_a_tenant_model_unless_its_rows_have_no_company(model):
    assert issubclass(model, TenantModel) is (model not in WITHOUT_COMPANY)


@pytest.mark.parametrize(
    "table",
    sorted(product_tables() - NEVER_LISTED_BY_COMPANY - {model._meta.db_table for model in WITHOUT_COMPANY - {User}}),
)
def test_table_has_an_index_that_begins_with_the_company(table):
    assert {"company_id", "tenant_id"} & leading_columns(table)


def foreign_keys_to_index():
    """Return the foreign keys that are looked up when a contact or the target row is deleted."""
    return [
        field
        for model in product_models()
        for field in model._meta.concrete_fields
        if field.is_relation
        and (field.related_model is Contact or field.remote_field.on_delete in (models.CASCADE, models.SET_NULL))
    ]


@pytest.mark.parametrize("field", foreign_keys_to_index(), ids=str)
def test_foreign_key_to_a_contact_or_with_a_cascade_has_an_index(field):
    # A partial index on "is not null" finds every row that refers to anything.
    assert any(
        index.table == field.model._meta.db_table
        and index.columns[0] == field.column
        and index.predicate in ("", f"{field.column} IS NOT NULL")
        for index in existing_indexes().values()
    )


def test_documented_indexes_match_the_declarations():
    written = Path(settings.BASE_DIR, "docs", "indexes.md").read_text()
    assert written == index_table(), "run: .venv/bin/python -m tests.db.index_table > docs/indexes.md"
