"""Triggers that keep tables consistent: PostgreSQL calls them for the declared events alone."""

import pytest
from django.db import OperationalError, connection

from crm.db.audit_context import add_sqlite_functions
from crm.db.triggers import Triggers, declared_triggers
from crm.models import Contact
from tests.conftest import postgres_only
from tests.factories import ContactFactory

DECLARED = [triggers for _, triggers in declared_triggers(Triggers)]


@postgres_only
@pytest.mark.parametrize("triggers", DECLARED, ids=lambda triggers: triggers.name)
def test_trigger_exists_for_each_declared_event_and_no_other(triggers, db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname, tgtype & 1 = 1 FROM pg_trigger WHERE tgrelid = %s::regclass AND tgfoid = %s::regproc",
            [triggers.on, triggers.name],
        )
        found = dict(cursor.fetchall())
    by_statement = dict.fromkeys(triggers.each_statement, False)
    declared = by_statement | dict.fromkeys(triggers.each_row, True)
    assert found == {f"{triggers.name}_{event.lower()}": is_row for event, is_row in declared.items()}


def test_row_triggers_are_called_for_no_statement_in_vain():
    assert {triggers.name for triggers in DECLARED if not triggers.each_statement} == {
        "end_sessions", "keep_rep_in_one_place", "limit_contact_fields", "limit_tags",
        "link_consent", "mark_owned_number",
        "share_lead",
    }  # fmt: skip


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL's triggers need no functions of the process")
def test_other_clients_of_sqlite_are_refused_rather_than_unrecorded(in_acme):
    contact = ContactFactory(company=in_acme)
    connection.connection.create_function("crm_recorded", 0, None)  # as in a client that doesn't add it
    try:
        with pytest.raises(OperationalError, match="function"):
            Contact.objects.filter(pk=contact.pk).update(city="Denver")
    finally:
        add_sqlite_functions(connection)
