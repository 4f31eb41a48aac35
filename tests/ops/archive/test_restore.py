"""Restore: conflicts, skipped rows, damaged files and options."""

import json
import re
import shutil

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils.timezone import now

from analytics.models import ArchivedCalls, ArchivedChunk
from calls.models import Call
from crm.db.tenancy import all_tenants, tenant
from crm.models import Activity, Contact
from crm.services.merging.merge import merge_contacts
from ops.archive.manifest import NAME
from ops.archive.restore import find_archives, restore_archive
from tests import factories
from tests.ops.archive.fixture import OLD, archive, contents, dashboard, make_history

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def old_call(company, **values):
    return factories.CallFactory(contact__company=company, created_at=now() - OLD, **values)


def restore(path):
    [found] = find_archives(path)
    return restore_archive(found)


def test_restoring_twice_is_harmless(acme, tmp_path):
    make_history(acme)
    before, numbers = contents(), dashboard(acme)
    result = archive(acme, tmp_path)
    restore(tmp_path)
    again = restore(tmp_path)
    assert not again.rows
    assert again.already_present == result.rows
    assert contents() == before
    assert dashboard(acme) == numbers


def test_row_changed_after_a_restore_is_a_conflict(acme, tmp_path):
    call = old_call(acme)
    archive(acme, tmp_path)
    restore(tmp_path)
    with tenant(acme.pk):
        Call.objects.filter(pk=call.pk).update(recording_url="https://example.com/new")
    before = contents()
    assert restore(tmp_path).conflicts == [f"calls {call.pk}: the database has a different row."]
    assert contents() == before
    with pytest.raises(CommandError, match="1 rows are not restored"):
        call_command("restore_archive", str(tmp_path))


def test_row_deleted_after_a_restore_stays_deleted(acme, tmp_path):
    call = old_call(acme)
    archive(acme, tmp_path)
    restore(tmp_path)
    with tenant(acme.pk):
        Call.objects.get(pk=call.pk).delete()
        numbers = dashboard(acme)
    assert restore(tmp_path).skipped == {("calls", "deleted or archived again after a restore"): 1}
    assert dashboard(acme) == numbers


def test_rows_archived_again_are_restored_from_the_second_archive(acme, tmp_path):
    make_history(acme)
    before, numbers = contents(), dashboard(acme)
    archive(acme, tmp_path)
    restore(tmp_path)
    archive(acme, tmp_path)
    for found in find_archives(tmp_path):
        restore_archive(found)
        assert dashboard(acme) == numbers
    assert contents() == before


def test_row_whose_unique_key_is_taken_is_a_conflict(acme, tmp_path):
    contact = factories.ContactFactory(company=acme)
    activity = factories.ActivityFactory(contact=contact, openphone_id="AC1", created_at=now() - OLD)
    call = factories.CallFactory(contact=contact, activity=activity, created_at=now() - OLD)
    archive(acme, tmp_path)
    factories.ActivityFactory(contact=contact, openphone_id="AC1")
    numbers = dashboard(acme)
    restored = restore(tmp_path)
    assert restored.conflicts == [f"activities {activity.pk}: another row has the same unique key."]
    assert restored.skipped == {("calls", "their activity is gone"): 1}
    assert call.pk not in contents("calls")["calls"]
    assert dashboard(acme) == numbers


def test_rows_of_a_deleted_contact_are_skipped(acme, tmp_path):
    call = old_call(acme)
    archive(acme, tmp_path)
    numbers = dashboard(acme)
    with tenant(acme.pk):
        Contact.objects.get(pk=call.contact_id).delete()
    assert restore(tmp_path).skipped == {("calls", "their contact is gone"): 1}
    assert dashboard(acme) == numbers


def test_call_of_a_deleted_lead_is_restored_without_it(acme, tmp_path):
    lead = factories.LeadFactory(contact__company=acme)
    call = old_call(acme, lead=lead)
    archive(acme, tmp_path)
    with tenant(acme.pk):
        lead.delete()
    restore(tmp_path)
    with tenant(acme.pk):
        assert Call.objects.get(pk=call.pk).lead_id is None
        assert not ArchivedCalls.objects.exists()


@pytest.mark.parametrize("harm", ["changed", "shortened", "missing"])
def test_damaged_file_is_rejected_by_name_before_any_restore(acme, tmp_path, harm):
    make_history(acme)
    archive(acme, tmp_path)
    before = contents()
    path = sorted(tmp_path.rglob("*calls.parquet"))[-1]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(data if harm == "changed" else data[:-9])
    with pytest.raises(CommandError, match=re.escape(str(path))):
        call_command("restore_archive", str(tmp_path))
    assert contents() == before


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda manifest: manifest.update(format=2), "has the format 2"),
        (lambda manifest: manifest["tables"].update(secrets={"rows": 1, "columns": {}}), "has a table 'secrets'"),
        (lambda manifest: manifest["tables"]["calls"]["columns"].update(mood="string"), "columns of calls differ"),
        (lambda manifest: manifest["company"].update(id=0), "another ID here"),
        (lambda manifest: manifest.clear(), "can't be read"),
    ],
)
def test_manifest_of_another_version_or_database_is_rejected(acme, tmp_path, change, complaint):
    old_call(acme)
    result = archive(acme, tmp_path)
    manifest = json.loads((result.folder / NAME).read_text())
    change(manifest)
    (result.folder / NAME).write_text(json.dumps(manifest))
    with all_tenants():
        ArchivedChunk.objects.all().delete()  # or the manifest would be written again from them
    with pytest.raises(CommandError, match=complaint):
        call_command("restore_archive", str(tmp_path))


def test_archive_is_restored_into_a_database_that_lost_its_chunks(acme, tmp_path):
    make_history(acme)
    before, numbers = contents(), dashboard(acme)
    archive(acme, tmp_path)
    with all_tenants():
        for model in (ArchivedChunk, ArchivedCalls):
            model.objects.all().delete()
        Activity.objects.filter(created_at__lt=now() - OLD).delete()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT setval(pg_get_serial_sequence('calls', 'id'), 1, false)")
    restore(tmp_path)
    assert contents() == before
    assert old_call(acme).pk > max(before["calls"])
    with tenant(acme.pk):
        Call.objects.latest("pk").delete()
    assert dashboard(acme)[0] == numbers[0]


def test_dry_run_counts_rows_and_changes_nothing(acme, tmp_path, capsys):
    make_history(acme)
    result = archive(acme, tmp_path)
    before = contents()
    call_command("restore_archive", str(tmp_path), "--dry-run")
    assert f"{result.rows['calls']} to restore" in capsys.readouterr().out
    assert contents() == before
    assert restore(tmp_path).rows == result.rows


def test_manifest_or_company_can_be_selected(acme, globex, tmp_path, capsys):
    for company in (acme, globex):
        old_call(company)
        archive(company, tmp_path)
    call_command("restore_archive", str(tmp_path), "--company", "globex")
    assert len(contents("calls")["calls"]) == 1
    [manifest] = (tmp_path / "acme").rglob(NAME)
    call_command("restore_archive", str(manifest))
    assert len(contents("calls")["calls"]) == 2


def test_path_without_an_archive_is_rejected(acme, tmp_path):
    with pytest.raises(CommandError, match="does not exist"):
        call_command("restore_archive", str(tmp_path / "nothing"))
    with pytest.raises(CommandError, match="there is no archive"):
        call_command("restore_archive", str(tmp_path))
    old_call(acme)
    archive(acme, tmp_path)
    shutil.move(tmp_path / "acme", tmp_path / "nobody")
    with pytest.raises(CommandError, match="no company 'nobody'"):
        call_command("restore_archive", str(tmp_path))


def test_rows_of_a_merged_contact_are_restored_to_the_one_that_stayed(acme, tmp_path):
    call = old_call(acme)
    line = factories.PhoneLineFactory(company=acme)
    kept = factories.ContactFactory(company=acme)
    conversations = [
        factories.ConversationFactory(contact=contact, phone_line=line) for contact in (kept, call.contact)
    ]
    activity = factories.ActivityFactory(
        contact=call.contact, conversation=conversations[1], activity_type="email", direction="incoming",
        created_at=now() - OLD,
    )  # fmt: skip
    archive(acme, tmp_path)
    with tenant(acme.pk):
        assert not Call.objects.filter(pk=call.pk).exists()
        merge_contacts(kept=kept, gone=call.contact, user=None)
    restored = restore(tmp_path)
    assert (restored.conflicts, restored.skipped) == ([], {})
    with tenant(acme.pk):
        assert Call.objects.get(pk=call.pk).contact == kept
        assert Activity.objects.get(pk=activity.pk).conversation == conversations[0]
