"""What goes to an archive comes back as it was, and meanwhile the dashboard says the same."""

import pytest
from django.utils.timezone import now

from analytics.models import ArchivedCalls, ArchivedChunk, ArchivedObjections, StaleCallHour
from analytics.rollups.objections import count_wrong_objections
from analytics.rollups.update import find_differences, rebuild_call_rollup, update_call_rollup
from calls.models import Call
from crm.db.tenancy import all_tenants, tenant
from crm.models import AuditEntry
from crm.services.timezones import change_timezone
from ops.archive.manifest import MODELS
from ops.archive.restore import find_archives, restore_archive
from tests import factories
from tests.ops.archive.fixture import (
    DAY,
    OLD,
    archive,
    contents,
    dashboard,
    kept_in,
    make_history,
    make_what_stays,
    objections,
)

pytestmark = pytest.mark.django_db(transaction=True)


def restore(path):
    return [restore_archive(found) for found in find_archives(path)]


def test_every_row_comes_back_with_every_column_as_it_was(acme, globex, tmp_path):
    for company in (acme, globex):
        make_history(company)
    before, labels = contents(), objections()
    taken = archive(acme, tmp_path)
    gone = {table: len(before[table]) - len(rows) for table, rows in contents().items()}
    assert gone == dict(taken.rows)
    assert set(gone) == set(MODELS)
    assert min(gone.values()) >= 1
    [restored] = restore(tmp_path)
    assert contents() == before
    assert objections() == labels
    assert restored.rows == taken.rows
    assert not restored.conflicts
    assert not restored.skipped


def test_what_is_young_or_another_company_s_stays(acme, globex, tmp_path):
    for company in (acme, globex):
        make_history(company)
    of_globex = {table: kept_in(globex, table) for table in MODELS}
    archive(acme, tmp_path)
    assert {table: kept_in(globex, table) for table in MODELS} == of_globex
    with tenant(acme.pk):
        assert Call.objects.count() == 2
        assert not Call.objects.filter(created_at__lt=now() - OLD + 6 * DAY).exists()


def test_what_others_need_stays_and_is_told_with_the_reason(acme, tmp_path):
    expected = make_what_stays(acme)
    before = contents()
    taken = archive(acme, tmp_path)
    assert contents() == before
    assert dict(taken.kept) == expected
    assert not taken.rows
    assert not taken.folder.exists()


@pytest.mark.parametrize("folded", [False, True])
def test_the_dashboard_says_the_same_before_and_after_and_when_all_is_back(acme, tmp_path, folded):
    make_history(acme, calls=40)
    make_what_stays(acme)
    if folded:
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


def test_a_call_written_into_an_archived_day_is_counted_with_what_was_there(acme, tmp_path):
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
def test_a_company_that_moves_has_its_archived_calls_on_the_days_of_its_new_zone(acme, tmp_path, zone):
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


def test_one_entry_a_chunk_says_what_went_and_no_row_is_recorded_twice(acme, tmp_path):
    make_history(acme)
    with all_tenants():
        AuditEntry.objects.all().delete()
    taken = archive(acme, tmp_path)
    with all_tenants():
        assert not AuditEntry.objects.exists()
        chunks = ArchivedChunk.objects.all()
        assert sum(file["rows"] for chunk in chunks for file in chunk.files) == taken.rows.total()


def test_a_second_archive_takes_what_came_since_and_nothing_twice(acme, tmp_path):
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


def test_marks_are_left_to_the_worker_and_answered_meanwhile(acme, tmp_path):
    make_history(acme)
    update_call_rollup(company=acme)
    before = dashboard(acme)
    archive(acme, tmp_path)
    with tenant(acme.pk):
        assert StaleCallHour.objects.exists()
    assert dashboard(acme) == before
