"""Audit entries of imports and their undo."""

import pytest

from crm.db.tenancy import all_tenants
from crm.models import AuditEntry
from tests.crm.imports.runs import run, undo

pytestmark = pytest.mark.django_db(transaction=True)

LIST = """First name,Phone,Phone 2,Tags
Ann,3035550101,3035550111,Roof
Bob,3035550102,,
"""
MAPPING = {"columns": {"First name": "first_name", "Phone": "phone", "Phone 2": "phone:2", "Tags": "tag"}}


def entries(action):
    with all_tenants():
        found = AuditEntry.objects.filter(action=action, table_name__startswith="contact").exclude(
            table_name="contact_lists"
        )
        place = 1 if action == "insert" else 0
        return sorted((entry.table_name, entry.changes["phone"][place]) for entry in found)


def test_a_new_contact_s_entry_names_its_main_number_and_further_numbers_have_their_own(acme, tmp_path):
    source = run(acme, tmp_path, LIST, mapping=MAPPING)
    expected = [
        ("contact_phones", "+13035550111"), ("contacts", "+13035550101"), ("contacts", "+13035550102"),
    ]  # fmt: skip
    assert entries("insert") == expected
    undo(source)
    assert entries("delete") == expected
