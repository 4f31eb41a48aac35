"""Restore of archived rows, one chunk in a transaction together with its archived counts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from django.db import connection, models, transaction
from django.utils.timezone import now

from analytics.models import ArchivedChunk
from calls.models import Call
from calls.models.calls import keep_lead_of_booked_calls
from crm.db.tenancy import tenant
from crm.models import Company, Contact
from crm.phones import ERASED_NUMBER
from crm.services.companies import UnknownCompany, find_company
from ops.archive.archived_counts import subtract_archived_counts
from ops.archive.archiving import Progress, no_progress
from ops.archive.manifest import MODELS, NAME, read_manifest
from ops.archive.merged_contacts import follow_merges
from ops.archive.parquet import (
    ArchiveDamaged,
    read_file,
    read_rows,
    rows_of,
    stored_fields,
)
from ops.archive.storage import recover_folder
from ops.archive.verification import read_checked_file

Row = tuple[Any, ...]
CLEARED = {models.SET_NULL, keep_lead_of_booked_calls}  # references that a deletion may empty


class RestoreRefused(Exception):
    """There is no archive at the path, or its company is not in this database."""


@dataclass
class Restored:
    """Result of a restore."""

    rows: Counter[str] = field(default_factory=Counter)
    """Restored rows by table."""
    already_present: Counter[str] = field(default_factory=Counter)
    """Equal rows found in the database, by table."""
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Rows left in the archive, by table and reason."""
    conflicts: list[str] = field(default_factory=list)
    """Messages about rows that differ from the database."""

    def skip(self, table: str, reason: str, rows: set[int]) -> None:
        if rows:
            self.skipped[table, reason] += len(rows)


@dataclass(frozen=True)
class Archive:
    """A folder whose files match its manifest."""

    folder: Path
    manifest: dict[str, Any]
    company: Company

    @property
    def total(self) -> int:
        return sum(table["rows"] for table in self.manifest["tables"].values())


def find_archives(path: Path, *, slug: str | None = None) -> list[Archive]:
    """Return the archives at or below a folder, or the archive of a manifest, oldest first, with all files checked.

    Completes interrupted runs in these folders first.

    Raises:
        RestoreRefused: there is no archive, or its company is not in this database.
        ArchiveDamaged: a file does not match its manifest.
    """
    files = [path] if path.is_file() else [*path.rglob("*.parquet*"), *path.rglob(NAME)]
    archives = []
    for folder in sorted({file.parent for file in files}):
        if slug and folder.parent.name != slug:
            continue
        try:
            company = find_company(slug=folder.parent.name)
        except UnknownCompany as error:
            raise RestoreRefused(f"{folder}: {error}") from error
        recover_folder(company, folder)
        if not folder.is_dir():
            continue
        manifest = read_manifest(folder / NAME)
        if manifest["company"]["id"] != company.pk:
            raise RestoreRefused(f"{folder}: {company.slug} has another ID here; restore it in its own database.")
        for chunk in manifest["chunks"]:
            for file in chunk["files"]:
                read_checked_file(folder, file)
        archives.append(Archive(folder, manifest, company))
    if not archives:
        raise RestoreRefused(f"{path}: there is no archive{f' of {slug}' if slug else ''}.")
    return archives


def restore_archive(archive: Archive, *, dry_run: bool = False, progress: Progress = no_progress) -> Restored:
    """Restore the rows of an archive. Repeating it is harmless: rows in the database are never changed.

    Skips rows of erased contacts and rows whose contact or call is gone.
    """
    restored = Restored()
    for chunk in archive.manifest["chunks"]:
        with tenant(archive.company.pk), transaction.atomic():
            _restore_chunk(archive, chunk, restored)
            if dry_run:
                transaction.set_rollback(True)
        progress(chunk["bundle"], sum(file["rows"] for file in chunk["files"]))
    return restored


def _restore_chunk(archive: Archive, chunk: dict[str, Any], restored: Restored) -> None:
    known = ArchivedChunk.objects.select_for_update().filter(
        archive=archive.manifest["archive"], number=chunk["number"]
    ).first()  # fmt: skip
    if known is None:  # the database was lost, or is older than the archive
        known = ArchivedChunk(
            company=archive.company, folder=str(archive.folder.resolve()), archive=archive.manifest["archive"],
            number=chunk["number"], bundle=chunk["bundle"], cut_off=datetime.fromisoformat(archive.manifest["cut_off"]),
            files=chunk["files"],
        )  # fmt: skip
    for file in chunk["files"]:
        rows = follow_merges(MODELS[file["table"]], read_file(archive.folder / file["file"]))
        inserted = _restore_rows(MODELS[file["table"]], rows, restored, again=known.restored_at is not None)
        if MODELS[file["table"]] is Call:
            calls = inserted
    if known.pk and chunk["bundle"] == "calls" and not known.restored_at:
        subtract_archived_counts(calls)
    for file in chunk["files"]:
        _clear_missing_references(MODELS[file["table"]], read_file(archive.folder / file["file"]))
    if not known.restored_at:
        known.restored_at = now()
        known.save()


def _restore_rows(model: type[models.Model], table: pa.Table, restored: Restored, *, again: bool) -> list[int]:
    """Insert missing rows. Returns the ids of the inserted rows."""
    name = model._meta.db_table
    rows = {row[0]: row for row in rows_of(table)}
    already_present = _read_existing(model, rows)
    missing = rows.keys() - already_present.keys()
    equal = {pk for pk, row in already_present.items() if row == rows[pk]}
    restored.already_present[name] += len(equal)
    changed = sorted(already_present.keys() - equal)
    restored.conflicts += [f"{name} {pk}: the database has a different row." for pk in changed]
    if again:
        restored.skip(name, "deleted or archived again after a restore", missing)
        return []
    for reason, ids in _rows_to_skip(model, [rows[pk] for pk in missing]).items():
        restored.skip(name, reason, missing & ids)
        missing -= ids
    _insert(model, [row for row in table.to_pylist() if row["id"] in missing])
    inserted = _read_existing(model, missing)
    refused = missing - inserted.keys()  # another row has a unique key, such as a webhook event sent again
    restored.conflicts += [f"{name} {pk}: another row has the same unique key." for pk in sorted(refused)]
    different = [pk for pk, row in inserted.items() if row != rows[pk]]
    if different:
        raise ArchiveDamaged(f"{name} {different[0]} differs from the archive after its restore.")
    if inserted:
        _advance_sequence(name, last=max(inserted))
    restored.rows[name] += len(inserted)
    return list(inserted)


def _read_existing(model: type[models.Model], ids: Iterable[int]) -> dict[int, Row]:
    return {row[0]: row for row in rows_of(read_rows(model._base_manager.filter(pk__in=list(ids))))}


def _rows_to_skip(model: type[models.Model], rows: Sequence[Row]) -> dict[str, set[int]]:
    """Return the ids of rows that can't be restored, by reason: their contact was erased, or a parent row is gone."""
    skipped: dict[str, set[int]] = {}
    links = [
        (position, field_)
        for position, field_ in enumerate(stored_fields(model))
        if isinstance(field_, models.ForeignKey) and field_.remote_field.on_delete not in CLEARED
    ]
    for position, field_ in sorted(links, key=lambda link: link[1].related_model is not Contact):
        target = field_.related_model
        referenced = {row[position] for row in rows} - {None}
        unwanted = {f"their {target._meta.verbose_name} is gone": referenced - _existing(target, referenced)}
        if target is Contact:
            erased = Contact.objects.filter(pk__in=referenced, phone__startswith=ERASED_NUMBER)
            unwanted["their contact was erased"] = set(erased.values_list("pk", flat=True))
        for reason, targets in unwanted.items():
            skipped.setdefault(reason, set()).update(row[0] for row in rows if row[position] in targets)
    return skipped


def _existing(model: type[models.Model], ids: set[int]) -> set[int]:
    return set(model._base_manager.filter(pk__in=list(ids)).values_list("pk", flat=True)) if ids else set()


def _insert(model: type[models.Model], rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows in as few statements as the database allows, leaving out those whose unique key is taken."""
    fields = stored_fields(model)
    columns = ", ".join(connection.ops.quote_name(str(field_.column)) for field_ in fields)
    batch_size = connection.ops.bulk_batch_size(fields, rows) if rows else 1
    for start in range(0, len(rows), batch_size):
        batch = rows[start : start + batch_size]
        values = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * len(batch))
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {model._meta.db_table} ({columns}) VALUES {values} ON CONFLICT DO NOTHING",  # noqa: S608  # names of models
                [_as_parameter(field_, row[str(field_.column)]) for row in batch for field_ in fields],
            )


def _advance_sequence(table: str, *, last: int) -> None:
    """Advance the sequence of ids past restored ones, for a new database. SQLite does so automatically."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [table])
            if cursor.fetchone()[0] < last:
                cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, last])


def _as_parameter(field_: models.Field, value: Any) -> Any:
    """Return the value as a query parameter. Integers and texts, JSON included, skip Django's slow conversion."""
    return value if value is None or isinstance(value, str | int) else field_.get_db_prep_save(value, connection)


def _clear_missing_references(model: type[models.Model], table: pa.Table) -> None:
    """Clear references to deleted rows that SET_NULL would have cleared: a call's lead, a message's membership."""
    for field_ in stored_fields(model):
        if isinstance(field_, models.ForeignKey) and field_.remote_field.on_delete in CLEARED:
            referenced = set(table.column(field_.column).to_pylist()) - {None}
            gone = referenced - _existing(field_.related_model, referenced)
            ids = table.column("id").to_pylist()
            if gone:
                model._base_manager.filter(pk__in=ids, **{f"{field_.name}__in": gone}).update(**{field_.attname: None})
