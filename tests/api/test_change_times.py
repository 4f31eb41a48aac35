"""`updated_at`: the time of a row's last change, which the database sets."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from crm.models import PhoneLine
from tests import factories
from tests.api.feed import FEEDS, SEEN_COLUMN, execute, make

pytestmark = pytest.mark.django_db


STAMPED = {table: model for table, (model, _) in FEEDS.items() if "updated_at" in {f.name for f in model._meta.fields}}
NEVER_CHANGED = {"call_analysis", "call_details", "contact_tags"}  # by users; a tag is put on a contact or taken away


def stamp_of(model, pk):
    return model._base_manager.values_list("updated_at", flat=True).get(pk=pk)


def test_every_row_that_can_change_has_a_time_of_its_change():
    assert set(FEEDS) - set(STAMPED) == NEVER_CHANGED


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", STAMPED)
def test_every_change_of_a_row_sets_its_time(table, acme):
    model, (column, value) = STAMPED[table], SEEN_COLUMN[table]
    row, before = make(table, acme), now() - timedelta(days=1)
    execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", value, row.pk)
    changed = stamp_of(model, row.pk)
    assert changed > before
    execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", value, row.pk)  # the same again
    assert stamp_of(model, row.pk) == changed


def test_columns_that_nobody_sees_leave_the_time_of_a_change(acme):
    line = factories.PhoneLineFactory(company=acme)
    before = stamp_of(PhoneLine, line.pk)
    execute("UPDATE phone_lines SET sent_segments = 3 WHERE id = %s", line.pk)
    assert stamp_of(PhoneLine, line.pk) == before


def test_change_shows_its_time_to_the_client(acme, csr_api):
    contact = factories.ContactFactory(company=acme)
    execute("UPDATE contacts SET updated_at = %s WHERE id = %s", now() - timedelta(days=9), contact.pk)
    before = csr_api.get(f"/api/v1/contacts/{contact.pk}").json()["updated_at"]
    answer = csr_api.patch(f"/api/v1/contacts/{contact.pk}", {"city": "Denver"}).json()["updated_at"]
    assert before < answer == csr_api.get(f"/api/v1/contacts/{contact.pk}").json()["updated_at"]
