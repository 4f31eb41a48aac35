"""Archiving: concurrent changes, file contents and permissions."""

import json
from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

import pyarrow.parquet as pq
import pytest
from django.apps import apps
from django.db import connection  # noqa: F401  # the condition of postgres_only
from django.utils.timezone import now

from analytics.models import ArchivedCalls
from calls.models import Call
from crm.date_ranges import start_of
from crm.db.tenancy import tenant
from messaging.models import WebhookEvent
from ops.archive import archiving
from ops.archive.bundles import BUNDLES, DERIVED
from ops.archive.manifest import MODELS, NAME
from ops.archive.parquet import hash_file, hash_rows, read_file, schema_of, write_part
from ops.archive.restore import find_archives, restore_archive
from tests import factories
from tests.conftest import postgres_only
from tests.db.scratch import another_session
from tests.ops.archive.fixture import CUT_OFF, OLD, archive, contents, make_history, make_needed_rows

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
OPT_OUTS_AND_EVIDENCE = {"opt_outs", "opt_out_entries", "contact_flags", "suppressed_numbers", "audit_entries"}


def change_after_writes(monkeypatch, *changes):
    """Make one change after each file is written, before its rows are locked. Returns the pending changes."""
    left = list(changes)

    def write_then_change(table, path):
        written = write_part(table, path)
        if left:
            left.pop(0)()
        return written

    monkeypatch.setattr(archiving, "write_part", write_then_change)
    return left


def old_call(company, **values):
    return factories.CallFactory(contact__company=company, created_at=now() - OLD, **values)


def test_row_changed_during_the_write_is_archived_with_the_change(acme, tmp_path, monkeypatch):
    call = old_call(acme, status="lost", reason_for_lost_sale="before")
    left = change_after_writes(
        monkeypatch, lambda: Call._base_manager.filter(pk=call.pk).update(reason_for_lost_sale="after")
    )
    assert archive(acme, tmp_path).rows == {"calls": 1}
    assert not left
    [path] = tmp_path.rglob("*.parquet*")
    assert pq.ParquetFile(path).read(["reason_for_lost_sale"]).to_pylist() == [{"reason_for_lost_sale": "after"}]


def test_row_referenced_during_the_write_is_kept(acme, tmp_path, monkeypatch):
    call, other = old_call(acme), old_call(acme)
    change_after_writes(monkeypatch, lambda: factories.AppointmentFactory(contact=call.contact, call=call))
    result = archive(acme, tmp_path)
    assert result.rows == {"calls": 1}
    assert result.kept == {("calls", "referenced by appointments"): 1}
    assert contents("calls")["calls"].keys() == {call.pk}
    assert other.pk not in contents("calls")["calls"]


def test_call_that_gains_rows_during_each_try_is_kept(acme, tmp_path, monkeypatch):
    call = old_call(acme)
    factories.CallAnalysisFactory(call=call, analyzed_at=now() - OLD)
    change_after_writes(
        monkeypatch,
        lambda: None,
        lambda: factories.CallDetailFactory(call=call, created_at=now() - OLD),
        lambda: None,
        lambda: None,
        lambda: factories.CallAnalysisFactory(call=call),
    )
    result = archive(acme, tmp_path)
    assert (result.rows, result.kept) == ({}, {("calls", "with later call analyses"): 1})
    assert len(contents("call_analysis")["call_analysis"]) == 2


@postgres_only
def test_locked_rows_are_archived_by_the_next_run(acme, tmp_path, monkeypatch):
    monkeypatch.setattr(archiving, "LOCK_TIMEOUT_MS", 50)
    call = old_call(acme)
    with another_session() as other:
        other.execute("SELECT set_config('crm.all_companies', 'on', false)")
        other.execute("SELECT FROM calls WHERE id = %s FOR UPDATE", [call.pk])
        result = archive(acme, tmp_path)
        assert result.kept == {("calls", "in use"): 1}
        assert not result.rows
    assert not list(tmp_path.rglob("*.parquet*"))
    assert archive(acme, tmp_path).rows == {"calls": 1}


def test_rows_of_a_wrong_file_are_kept(acme, tmp_path, monkeypatch):
    old_call(acme)
    before = contents()

    def write_no_rows(table, path):
        return write_part(table.slice(0, 0), path)

    monkeypatch.setattr(archiving, "write_part", write_no_rows)
    assert not archive(acme, tmp_path).rows
    assert contents() == before


def test_manifest_describes_the_folder(acme, tmp_path):
    make_history(acme)
    result = archive(acme, tmp_path)
    manifest = json.loads((result.folder / NAME).read_text())
    assert manifest["company"] == {"id": acme.pk, "slug": "acme", "name": "Acme Roofing"}
    assert datetime.fromisoformat(manifest["cut_off"]) < now() - CUT_OFF
    assert manifest["migrations"].keys() >= {"crm", "calls", "messaging", "analytics"}
    assert {table: facts["rows"] for table, facts in manifest["tables"].items()} == result.rows
    assert manifest["tables"]["calls"]["columns"]["quoted_price"] == "decimal128(12, 2)"
    files = {file["file"]: file for chunk in manifest["chunks"] for file in chunk["files"]}
    assert files.keys() == {path.name for path in result.folder.glob("*.parquet")}
    rows = Counter()
    for name, file in files.items():
        path = result.folder / name
        table = read_file(path)
        rows[file["table"]] += table.num_rows
        assert (file["sha256"], file["content"]) == (hash_file(path), hash_rows(table))
        assert file["bytes"] == path.stat().st_size
        assert hash_rows(table.take(list(range(table.num_rows))[::-1])) == file["content"]  # in any order
    assert rows == result.rows


def test_files_are_readable_by_their_owner_only(acme, tmp_path):
    make_history(acme)
    archive(acme, tmp_path / "archives")
    for path in (tmp_path / "archives", *(tmp_path / "archives").rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_large_webhook_events_are_split_into_chunks(acme, tmp_path, monkeypatch):
    monkeypatch.setattr(archiving, "MAX_BYTES", 250)
    for _ in range(5):
        factories.WebhookEventFactory(
            company=acme, created_at=now() - OLD, body=b"x" * 100, processed=True, status="processed"
        )
    archive(acme, tmp_path)
    assert [pq.ParquetFile(path).metadata.num_rows for path in sorted(tmp_path.rglob("*.parquet"))] == [2, 2, 1]


def test_simultaneous_roots_are_not_lost_between_batches(acme, tmp_path):
    at = now() - OLD
    for _ in range(5):
        factories.WebhookEventFactory(company=acme, created_at=at, processed=True, status="processed")
    factories.WebhookEventFactory(company=acme, created_at=at)
    result = archive(acme, tmp_path, batch_size=2)
    assert (result.rows, result.kept) == ({"webhook_events": 5}, {("webhook_events", "pending or dead"): 1})


def test_dry_run_counts_the_rows_of_a_run_and_changes_nothing(acme, tmp_path):
    make_history(acme)
    make_needed_rows(acme)
    before = contents()
    would = archive(acme, tmp_path, dry_run=True)
    assert contents() == before
    assert not list(tmp_path.rglob("*.parquet*"))
    result = archive(acme, tmp_path)
    assert (result.rows, result.kept) == (would.rows, would.kept)


def test_every_foreign_key_to_an_archived_table_is_in_its_bundle_or_a_reason_to_keep_rows():
    archived = {table.model for bundle in BUNDLES for table in bundle.tables}
    for bundle in BUNDLES:
        bundled = {table.model for table in bundle.tables} | {*DERIVED}
        references = {(field.model, field.name) for _, field in bundle.references()}
        for model in apps.get_models():
            for field in model._meta.concrete_fields:
                if field.related_model in {table.model for table in bundle.tables}:
                    assert model in bundled or (model, field.name) in references
    assert not {model._meta.db_table for model in archived} & OPT_OUTS_AND_EVIDENCE


@pytest.mark.parametrize("table", MODELS)
def test_every_column_has_a_parquet_type(table):
    stored = [field for field in MODELS[table]._meta.concrete_fields if not field.generated]
    assert len(schema_of(MODELS[table])) == len(stored)


def test_days_of_every_time_zone_begin_with_a_quarter_of_an_hour():
    for name in available_timezones():
        for year in range(1980, 2038, 3):
            for month in (1, 7):
                start = start_of(datetime(year, month, 1, tzinfo=UTC).date(), ZoneInfo(name))
                assert (start.minute % 15, start.second) == (0, 0), (name, start)


def test_call_just_before_midnight_is_counted_before_midnight(acme, tmp_path):
    at = datetime(2024, 3, 2, 6, 59, 59, 999_999, tzinfo=UTC)
    factories.CallFactory(contact__company=acme, created_at=at)
    archive(acme, tmp_path)
    with tenant(acme.pk):
        assert ArchivedCalls.objects.get().quarter_hour == datetime(2024, 3, 2, 6, 45, tzinfo=UTC)
    [found] = find_archives(tmp_path)
    assert restore_archive(found).rows == {"calls": 1}


def test_webhook_body_is_restored_byte_by_byte(acme, tmp_path):
    body = bytes(range(256))
    event = factories.WebhookEventFactory(
        company=acme, created_at=now() - OLD, body=body, processed=True, status="processed"
    )
    archive(acme, tmp_path)
    [found] = find_archives(tmp_path)
    restore_archive(found)
    with tenant(acme.pk):
        assert bytes(WebhookEvent.objects.get(pk=event.pk).body) == body
