"""The indexes that were promised stand in the database as they were promised, and no others without a reason."""

import re
from collections import defaultdict
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, models

from crm.db.tenancy import TenantModel
from crm.models import Company, Contact, User
from tests.db.catalogue import ExistingIndex, our_models, our_tables, standing_indexes
from tests.db.index_table import index_table

# The contract with everybody who looks these names up: monitoring, run books, hints in the documentation.
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

# A thread is read by its contact, never as a list of all texts of a company.
NEVER_LISTED_BY_COMPANY = {"message_threads"}

pytestmark = pytest.mark.django_db


def declared_indexes():
    return [(model, index) for model in our_models() for index in model._meta.indexes]


def constraints():
    return [(model, constraint) for model in our_models() for constraint in model._meta.constraints]


def unique_constraints():
    return [constraint for _, constraint in constraints() if isinstance(constraint, models.UniqueConstraint)]


def leading_columns(table):
    """What a complete index of the table begins with."""
    return {index.columns[0] for index in standing_indexes().values() if index.table == table and not index.predicate}


@pytest.mark.parametrize("name", PROMISED)
def test_a_promised_index_stands_as_promised(name):
    table, columns = PROMISED[name]
    method = "hash" if name == "idx_contact_phone_hash" and connection.vendor == "postgresql" else "btree"
    assert standing_indexes()[name] == ExistingIndex(
        table, tuple(columns.split(", ")), method, PREDICATES.get(name, ""), unique=False
    )


def test_the_database_has_the_indexes_that_the_models_declare_and_those_of_constraints_alone():
    declared = {index.name for _, index in declared_indexes()}
    constrained = {constraint.name for _, constraint in constraints()}
    others = {name: index for name, index in standing_indexes().items() if name not in declared | constrained}
    assert declared <= standing_indexes().keys()
    assert all(index.unique for index in others.values()), others


def test_no_columns_are_indexed_twice():
    names = defaultdict(list)
    for name, index in standing_indexes().items():
        names[index.table, index.columns, index.method, index.predicate].append(name)
    assert not [twins for twins in names.values() if len(twins) > 1]


def test_an_index_that_a_longer_one_could_stand_in_for_is_a_promised_one():
    complete = {name: index for name, index in standing_indexes().items() if not index.predicate}
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
def test_an_index_says_which_question_it_answers_and_who_asks(model, index):
    assert index.question.endswith("?")
    assert index.asked_by
    assert "|" not in index.question + index.asked_by  # it would break the table in docs/indexes.md


@pytest.mark.parametrize(("model", "index"), declared_indexes(), ids=lambda value: getattr(value, "name", ""))
def test_an_index_is_named_for_its_table_and_columns(model, index):
    columns = [model._meta.get_field(field).column for field, _ in index.fields_orders]
    name = "_".join(["ix", model._meta.db_table, *columns])
    # A partial index may say of which rows it is, where a complete one has the plain name.
    assert index.name in PROMISED or index.name == name or (index.condition and index.name.startswith(f"{name}_"))
    assert len(index.name) <= 63


@pytest.mark.parametrize(("model", "constraint"), constraints(), ids=lambda value: getattr(value, "name", ""))
def test_a_constraint_is_named_for_its_table_and_meaning(model, constraint):
    ending = "unique" if isinstance(constraint, models.UniqueConstraint) else "[a-z]+"
    assert re.fullmatch(rf"{model._meta.db_table}_([a-z_]+_)?{ending}", constraint.name)
    assert len(constraint.name) <= 63  # Django checks no constraint's length, and PostgreSQL cuts it in silence


@pytest.mark.parametrize("constraint", unique_constraints(), ids=lambda constraint: constraint.name)
def test_unique_constraint_is_within_a_company(constraint):
    assert {"company", "call", "contact", "campaign", "opt_out"} & set(constraint.fields)
    assert not constraint.include


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model.__name__)
def test_every_row_but_companies_and_users_belongs_to_a_company(model):
    assert issubclass(model, TenantModel) or model in (Company, User)


@pytest.mark.parametrize("table", sorted(our_tables() - NEVER_LISTED_BY_COMPANY - {Company._meta.db_table}))
def test_a_companys_rows_are_found_through_an_index(table):
    assert {"company_id", "tenant_id"} & leading_columns(table)


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model.__name__)
def test_what_points_at_a_contact_or_goes_with_its_target_is_found_through_an_index(model):
    for field in model._meta.concrete_fields:
        if not field.is_relation:
            continue
        follows = field.remote_field.on_delete in (models.CASCADE, models.SET_NULL)
        if field.related_model is Contact or follows:
            # A partial index on "is not null" finds every row that points anywhere.
            indexes = [index for index in standing_indexes().values() if index.table == model._meta.db_table]
            assert any(
                index.columns[0] == field.column and index.predicate in ("", f"{field.column} IS NOT NULL")
                for index in indexes
            ), field


def test_the_documents_table_is_the_declarations():
    written = Path(settings.BASE_DIR, "docs", "indexes.md").read_text()
    assert written == index_table(), "run: python -m tests.db.index_table > docs/indexes.md"
