"""A person's right to know and to be forgotten reaches into archives, and stays when rows come back."""

import json
import shutil

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils.timezone import now

from analytics.models import ArchivedChunk
from crm.db.tenancy import tenant
from ops.archive.erasure import erase_contact_everywhere
from ops.archive.parquet import PART
from ops.archive.restore import find_archives, restore_archive
from tests import factories
from tests.ops.archive.fixture import OLD, archive, contents, dashboard, make_history

pytestmark = pytest.mark.django_db(transaction=True)
SAID = "My dog is called Zorro"


@pytest.fixture(autouse=True)
def archives(tmp_path, settings):
    settings.ARCHIVE_DIR = tmp_path / "archives"
    return settings.ARCHIVE_DIR


@pytest.fixture
def zelda(acme):
    """Somebody whose words are in every archived table; others' rows lie beside."""
    make_history(acme)
    contact = factories.ContactFactory(company=acme, first_name="Zelda")
    about = {"contact": contact, "company": acme, "created_at": now() - OLD}
    heard = factories.ActivityFactory(**about, body=SAID, openphone_id="ACzelda", activity_type="call",
                                      direction="incoming")  # fmt: skip
    call = factories.CallFactory(**about, activity=heard, reason_for_lost_sale=SAID)
    factories.CallDetailFactory(call=call, summary=SAID, created_at=now() - OLD)
    factories.CallAnalysisFactory(call=call, summary=SAID, objections=["Zorro"], analyzed_at=now() - OLD)
    text = factories.ActivityFactory(**about, body=SAID, activity_type="message", direction="incoming")
    factories.MessageFactory(**about, activity=text, body=SAID)
    done = {"company": acme, "created_at": now() - OLD, "processed": True, "status": "processed"}
    factories.WebhookEventFactory(**done, body=b'{"from": "%s", "t": "Zorro"}' % contact.phone.encode())
    factories.WebhookEventFactory(**done, body=b'{"id": "ACzelda", "t": "Zorro"}')
    return contact


def files_with(archives, word):
    """Tables whose files, parts included, hold it in any row."""
    import pyarrow.parquet as pq

    return {
        path.name.split("-")[1].split(".")[0]
        for path in archives.rglob("*.parquet*")
        if word in str(pq.ParquetFile(path).read().to_pylist())
    }


def test_an_erased_person_is_in_no_archive_and_everybody_else_still_is(acme, zelda, archives, capsys):
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
    gone = {
        table: sum("Zorro" in str(row) for row in rows.values()) for table, rows in before.items()
    }  # fmt: skip
    after = contents()
    assert {table: len(rows) - len(after[table]) for table, rows in before.items()} == gone
    assert all(before[table][pk] == row for table, rows in after.items() for pk, row in rows.items())


def test_a_copy_of_an_archive_does_not_bring_an_erased_person_back(acme, zelda, archives, tmp_path):
    archive(acme, archives)
    shutil.copytree(archives, tmp_path / "copy")
    with tenant(acme.pk):
        erase_contact_everywhere(contact=zelda, by="test")
        ArchivedChunk.objects.all().delete()  # the database forgets what the files should be
    [found] = find_archives(tmp_path / "copy")
    restored = restore_archive(found)
    assert restored.skipped["calls", "their contact was erased"] == 1
    assert restored.skipped["call_analysis", "their call is gone"] == 1
    kept = contents("activities", "calls", "call_details", "call_analysis", "message_threads")
    assert "Zorro" not in str(kept)


def test_a_delivery_still_in_the_database_is_found_by_an_id_that_was_archived(acme, zelda, archives):
    archive(acme, archives)
    late = factories.WebhookEventFactory(company=acme, body=b'{"id": "ACzelda", "t": "Zorro"}')
    with tenant(acme.pk):
        erase_contact_everywhere(contact=zelda, by="test")
        late.refresh_from_db()
    assert bytes(late.body) == b""


def test_an_export_holds_what_was_archived(acme, zelda, archives, capsys):
    archive(acme, archives)
    capsys.readouterr()
    call_command("export_contact", "acme", zelda.phone)
    archived = json.loads(capsys.readouterr().out)["archived"]
    assert {table: len(rows) for table, rows in archived.items()} == {
        "activities": 2, "calls": 1, "call_details": 1, "call_analysis": 1, "message_threads": 1, "webhook_events": 2,
    }  # fmt: skip


def test_an_erasure_that_fails_leaves_the_files_as_they_were(acme, zelda, archives, monkeypatch):
    archive(acme, archives)
    before = {path: path.read_bytes() for path in archives.rglob("*.parquet")}
    monkeypatch.setattr("ops.privacy.export_erase.erase_entries", None)
    with pytest.raises(TypeError), tenant(acme.pk):
        erase_contact_everywhere(contact=zelda, by="test")
    find_archives(archives)
    assert {path: path.read_bytes() for path in archives.rglob("*.parquet*")} == before


def test_an_erasure_that_was_killed_before_it_put_the_files_in_place_is_finished_later(
    acme, zelda, archives, monkeypatch
):
    archive(acme, archives)
    with monkeypatch.context() as broken:
        broken.setattr("ops.archive.erasure._publish_parts", lambda contact, folders, held: held.close())
        with tenant(acme.pk):
            erase_contact_everywhere(contact=zelda, by="test")
    assert list(archives.rglob(f"*{PART}"))
    archive(acme, archives)
    assert not files_with(archives, "Zorro")
    find_archives(archives)


def test_archives_that_are_missing_are_asked_for_before_anything_is_erased(acme, zelda, archives):
    archive(acme, archives)
    shutil.move(archives, archives.with_name("elsewhere"))
    with pytest.raises(CommandError, match=r"missing: .*acme"):
        call_command("erase_contact", "acme", zelda.phone, "--yes")
    with connection.cursor() as cursor:
        cursor.execute("SELECT first_name FROM contacts WHERE id = %s", [zelda.pk])
        assert cursor.fetchone() == ("Zelda",)
