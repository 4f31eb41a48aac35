"""Round trip through an archive: restored rows and the dashboard's numbers."""

import pytest
from django.utils.timezone import now

from analytics.models import ArchivedCalls, ArchivedChunk, ArchivedObjections, StaleCallHour
from analytics.rollups.objections import count_wrong_objections
from analytics.rollups.update import find_differences, rebuild_call_rollup, update_call_rollup
from calls.models import Call
from crm.db.tenancy import all_tenants, tenant
from crm.models import AuditEntry
from crm.services.companies import change_timezone
from ops.archive.manifest import MODELS
from ops.archive.restore import find_archives, restore_archive
from tests import factories
from tests.ops.archive.fixture import (
    DAY,
    OLD,
    archive,
    contents,
    dashboard,
    ids_of,
    make_history,
    make_needed_rows,
    objections,
)

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def restore(path):
    return [restore_archive(found) for found in find_archives(path)]


def test_every_column_of_every_row_is_restored(acme, globex, tmp_path):
    for company in (acme, globex):
        make_history(company)
    before, labels = contents(), objections()
    result = archive(acme, tmp_path)
    archived = {table: len(before[table]) - len(rows) for table, rows in contents().items()}
    assert archived == dict(result.rows)
    assert set(archived) == set(MODELS)
    assert min(archived.values()) >= 1
    [restored] = restore(tmp_path)
    assert contents() == before
    assert objections() == labels
    assert restored.rows == result.rows
    assert not restored.conflicts
    assert not restored.skipped


def test_young_rows_and_other_companies_rows_are_kept(acme, globex, tmp_path):
    for company in (acme, globex):
        make_history(company)
    of_globex = {table: ids_of(globex, table) for table in MODELS}
    archive(acme, tmp_path)
    assert {table: ids_of(globex, table) for table in MODELS} == of_globex
    with tenant(acme.pk):
        assert Call.objects.count() == 2
        assert not Call.objects.filter(created_at__lt=now() - OLD + 6 * DAY).exists()


def test_needed_rows_are_kept_with_the_reason(acme, tmp_path):
    expected = make_needed_rows(acme)
    before = contents()
    result = archive(acme, tmp_path)
    assert contents() == before
    assert dict(result.kept) == expected
    assert not result.rows
    assert not result.folder.exists()


@pytest.mark.parametrize("rolled_up", [False, True])
def test_dashboard_is_unchanged_by_archiving_and_restoring(acme, tmp_path, rolled_up):
    make_history(acme, calls=40)
    make_needed_rows(acme)
    if rolled_up:
        update_call_rollup(company=acme)
    before = dashboard(acme)
    archive(acme, tmp_path)
    assert dashboard(acme) == before
    assert find_differences(company=acme) == []
    assert count_wrong_objections(company=acme) == 0
    update_call_rollup(company=acme)
    assert dashboard(acme) == before
    rebuild_call_rollup(company=acme)
    assert dashboard(acme) == before
    assert find_differences(company=acme) == []
    restore(tmp_path)
    assert dashboard(acme) == before
    with all_tenants():
        assert not ArchivedCalls.objects.exists()
        assert not ArchivedObjections.objects.exists()


def test_call_added_to_an_archived_day_is_counted(acme, tmp_path):
    make_history(acme, calls=40)
    update_call_rollup(company=acme)
    archive(acme, tmp_path)
    update_call_rollup(company=acme)
    before = dashboard(acme)[0]
    call = factories.CallFactory(contact__company=acme, created_at=now() - OLD + DAY, status="missed")
    for _ in range(2):
        after = dashboard(acme)[0]
        assert after["total"] == before["total"] + 1
        assert after["by_status"]["missed"] == before["by_status"]["missed"] + 1
        update_call_rollup(company=acme)
    with tenant(acme.pk):
        call.delete()
    assert dashboard(acme)[0] == before


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Kiritimati"])
def test_archived_calls_follow_a_change_of_time_zone(acme, tmp_path, zone):
    make_history(acme, calls=60)
    change_timezone(company=acme, timezone=zone, now=now())
    rebuild_call_rollup(company=acme)
    expected = dashboard(acme)
    change_timezone(company=acme, timezone="America/Denver", now=now())
    archive(acme, tmp_path)
    change_timezone(company=acme, timezone=zone, now=now())
    assert dashboard(acme) == expected
    update_call_rollup(company=acme)
    assert dashboard(acme) == expected
    assert find_differences(company=acme) == []


def test_audit_entries_of_chunks_stand_for_those_of_their_rows(acme, tmp_path):
    make_history(acme)
    with all_tenants():
        AuditEntry.objects.all().delete()
    result = archive(acme, tmp_path)
    with all_tenants():
        chunks = ArchivedChunk.objects.all()
        assert sum(file["rows"] for chunk in chunks for file in chunk.files) == result.rows.total()
        assert recorded() == {("insert", "archived_chunks", chunk.pk) for chunk in chunks}
        AuditEntry.objects.all().delete()
    restore(tmp_path)
    with all_tenants():
        assert recorded() == {("update", "archived_chunks", chunk.pk) for chunk in chunks}


def recorded():
    return set(AuditEntry.objects.values_list("action", "table_name", "row_id"))


def test_second_archive_takes_new_rows_only(acme, tmp_path):
    make_history(acme, seed=1)
    before = contents()
    first = archive(acme, tmp_path)
    again = archive(acme, tmp_path)
    assert not again.rows
    factories.WebhookEventFactory(company=acme, created_at=now() - OLD, processed=True, status="processed")
    assert archive(acme, tmp_path).rows == {"webhook_events": 1}
    restored = sum((one.rows for one in restore(tmp_path)), start=type(first.rows)())
    assert restored.total() == first.rows.total() + 1
    after = contents()
    assert {table: {pk: after[table][pk] for pk in rows} for table, rows in before.items()} == before


def test_archiving_makes_hours_stale_and_the_dashboard_stays_exact(acme, tmp_path):
    make_history(acme)
    update_call_rollup(company=acme)
    before = dashboard(acme)
    archive(acme, tmp_path)
    with tenant(acme.pk):
        assert StaleCallHour.objects.exists()
    assert dashboard(acme) == before
