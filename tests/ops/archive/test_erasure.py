"""Export and erasure of archived rows, and restores after an erasure."""

import json
import shutil

import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils.timezone import now

from analytics.models import ArchivedChunk
from crm.db.tenancy import tenant
from crm.models import Activity, AuditEntry
from ops.archive.erasure import erase_person_everywhere
from ops.archive.parquet import PART
from ops.archive.restore import find_archives, restore_archive
from ops.privacy.people import person_of
from tests import factories
from tests.ops.archive.fixture import OLD, archive, contents, dashboard, make_history

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
SAID = "My dog is called Zorro"


@pytest.fixture(autouse=True)
def archives(tmp_path, settings):
    settings.ARCHIVE_DIR = tmp_path / "archives"
    return settings.ARCHIVE_DIR


@pytest.fixture
def zelda(acme):
    """Create a contact with rows in every archived table, beside those of others."""
    make_history(acme)
    contact = factories.ContactFactory(company=acme, first_name="Zelda")
    about = {"contact": contact, "company": acme, "created_at": now() - OLD}
    call_activity = factories.ActivityFactory(**about, body=SAID, openphone_id="ACzelda", activity_type="call",
                                      direction="incoming")  # fmt: skip
    call = factories.CallFactory(**about, activity=call_activity, status="lost", reason_for_lost_sale=SAID)
    factories.CallDetailFactory(call=call, summary=SAID, created_at=now() - OLD)
    factories.CallAnalysisFactory(call=call, summary=SAID, objections=["Zorro"], analyzed_at=now() - OLD)
    text = factories.ActivityFactory(**about, body=SAID, activity_type="message", direction="incoming")
    factories.MessageFactory(**about, activity=text, body=SAID)
    done = {"company": acme, "created_at": now() - OLD, "processed": True, "status": "processed"}
    factories.WebhookEventFactory(**done, body=b'{"from": "%s", "t": "Zorro"}' % contact.phone.encode())
    factories.WebhookEventFactory(**done, body=b'{"id": "ACzelda", "t": "Zorro"}')
    return contact


def files_with(archives, word):
    """List the tables whose files, parts included, contain a word."""
    return {
        path.name.split("-")[1].split(".")[0]
        for path in archives.rglob("*.parquet*")
        if word in str(pq.ParquetFile(path).read().to_pylist())
    }


def test_erased_contact_is_removed_from_archives_and_others_are_kept(acme, zelda, archives, capsys):
    before, numbers = contents(), dashboard(acme)
    archive(acme, archives)
    assert files_with(archives, "Zorro") == {
        "activities", "calls", "call_details", "call_analysis", "message_threads", "webhook_events",
    }  # fmt: skip
    call_command("erase_contact", "acme", zelda.phone)
    assert "archived message_threads" in capsys.readouterr().out
    assert files_with(archives, "Zorro")
    call_command("erase_contact", "acme", zelda.phone, "--yes")
    assert not files_with(archives, "Zorro")
    assert not list(archives.rglob(f"*{PART}"))
    assert dashboard(acme) == numbers
    [found] = find_archives(archives)
    restored = restore_archive(found)
    assert not restored.conflicts
    assert dashboard(acme) == numbers
    erased = {
        table: sum("Zorro" in str(row) for row in rows.values()) for table, rows in before.items()
    }  # fmt: skip
    after = contents()
    assert {table: len(rows) - len(after[table]) for table, rows in before.items()} == erased
    assert all(before[table][pk] == row for table, rows in after.items() for pk, row in rows.items())


def test_audit_entries_of_an_archived_note_are_erased(acme, zelda, archives):
    note = factories.ActivityFactory(contact=zelda, company=acme, created_at=now() - OLD, body=SAID)
    with tenant(acme.pk):
        Activity.objects.filter(pk=note.pk).update(body="The dog is dead.")
    archive(acme, archives)
    with tenant(acme.pk):
        entries = AuditEntry.objects.filter(table_name="activities", row_id=note.pk)
        assert entries.get().changes["body"] == [SAID, "The dog is dead."]
        erase_person_everywhere(person=person_of(zelda), by="test")
        assert entries.get().changes["body"] == ["[erased]", "[erased]"]


def test_copy_of_an_archive_does_not_restore_an_erased_contact(acme, zelda, archives, tmp_path):
    archive(acme, archives)
    shutil.copytree(archives, tmp_path / "copy")
    with tenant(acme.pk):
        erase_person_everywhere(person=person_of(zelda), by="test")
        ArchivedChunk.objects.all().delete()  # without them the copy counts as valid
    [found] = find_archives(tmp_path / "copy")
    restored = restore_archive(found)
    assert restored.skipped["calls", "their contact was erased"] == 1
    assert restored.skipped["call_analysis", "their call is gone"] == 1
    kept = contents("activities", "calls", "call_details", "call_analysis", "message_threads")
    assert "Zorro" not in str(kept)


def test_webhook_event_in_the_database_is_found_by_an_archived_id(acme, zelda, archives):
    archive(acme, archives)
    late = factories.WebhookEventFactory(company=acme, body=b'{"id": "ACzelda", "t": "Zorro"}')
    with tenant(acme.pk):
        erase_person_everywhere(person=person_of(zelda), by="test")
        late.refresh_from_db()
    assert bytes(late.body) == b""


def test_export_includes_archived_rows(acme, zelda, archives, capsys):
    archive(acme, archives)
    capsys.readouterr()
    call_command("export_contact", "acme", zelda.phone)
    archived = json.loads(capsys.readouterr().out)["archived"]
    assert {table: len(rows) for table, rows in archived.items()} == {
        "activities": 2, "calls": 1, "call_details": 1, "call_analysis": 1, "message_threads": 1, "webhook_events": 2,
    }  # fmt: skip


def test_failed_erasure_leaves_the_files_unchanged(acme, zelda, archives, monkeypatch):
    archive(acme, archives)
    before = {path: path.read_bytes() for path in archives.rglob("*.parquet")}
    monkeypatch.setattr("ops.privacy.export_erase.erase_audit_entries", None)
    with pytest.raises(TypeError), tenant(acme.pk):
        erase_person_everywhere(person=person_of(zelda), by="test")
    find_archives(archives)
    assert {path: path.read_bytes() for path in archives.rglob("*.parquet*")} == before


def test_erasure_killed_before_publishing_is_completed_later(acme, zelda, archives, monkeypatch):
    archive(acme, archives)
    with monkeypatch.context() as patch:
        patch.setattr("ops.archive.erasure._publish_parts", lambda person, folders, held: held.close())
        with tenant(acme.pk):
            erase_person_everywhere(person=person_of(zelda), by="test")
    assert list(archives.rglob(f"*{PART}"))
    archive(acme, archives)
    assert not files_with(archives, "Zorro")
    find_archives(archives)


def test_missing_archive_prevents_an_erasure(acme, zelda, archives):
    archive(acme, archives)
    shutil.move(archives, archives.with_name("elsewhere"))
    with pytest.raises(CommandError, match=r"missing: .*acme"):
        call_command("erase_contact", "acme", zelda.phone, "--yes")
    with connection.cursor() as cursor:
        cursor.execute("SELECT first_name FROM contacts WHERE id = %s", [zelda.pk])
        assert cursor.fetchone() == ("Zelda",)
