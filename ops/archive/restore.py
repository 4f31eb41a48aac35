"""Bringing archived rows back, as they were, a chunk in a transaction; the counts kept of them go in the same one."""

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
from crm.db.tenancy import tenant
from crm.models import Company, Contact
from ops.archive.archived_counts import subtract_archived_counts
from ops.archive.archiving import Progress, no_progress
from ops.archive.manifest import MODELS, NAME, read_manifest
from ops.archive.parquet import (
    ArchiveDamaged,
    hash_file,
    read_file,
    read_rows,
    rows_of,
    schema_of,
    stored_fields,
)
from ops.archive.storage import recover_folder
from ops.privacy.personal_data_map import ERASED_NUMBER

Row = tuple[Any, ...]


class RestoreRefused(Exception):
    """There is nothing to restore, or not here."""


@dataclass
class Restored:
    """What a restore did, by table."""

    rows: Counter[str] = field(default_factory=Counter)
    already_present: Counter[str] = field(default_factory=Counter)
    """Rows that were there already, and equal."""
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Rows that stay in the archive, by table and reason."""
    conflicts: list[str] = field(default_factory=list)
    """Rows in whose place others stand."""

    def skip(self, table: str, why: str, rows: set[int]) -> None:
        if rows:
            self.skipped[table, why] += len(rows)


@dataclass(frozen=True)
class Archive:
    """A folder whose files have been found to be what its manifest says."""

    folder: Path
    manifest: dict[str, Any]
    company: Company

    @property
    def total(self) -> int:
        return sum(table["rows"] for table in self.manifest["tables"].values())


def find_archives(path: Path, *, slug: str | None = None) -> list[Archive]:
    """The archives at or below a folder, or that of a manifest, oldest first, checked to the last byte.

    What an `archive` that was killed has left there is put in order first.

    Raises:
        RestoreRefused: there are none, or their company is not in this database.
        ArchiveDamaged: naming the file.
    """
    files = [path] if path.is_file() else [*path.rglob("*.parquet*"), *path.rglob(NAME)]
    archives = []
    for folder in sorted({file.parent for file in files}):
        if slug and folder.parent.name != slug:
            continue
        company = Company.objects.filter(slug=folder.parent.name).first()
        if company is None:
            raise RestoreRefused(f"{folder}: there is no company {folder.parent.name!r} here.")
        recover_folder(company, folder)
        if not folder.is_dir():
            continue
        manifest = read_manifest(folder / NAME)
        if manifest["company"]["id"] != company.pk:
            raise RestoreRefused(f"{folder}: {company.slug} has another id here; its rows would be another company's.")
        _check_files(folder, manifest)
        archives.append(Archive(folder, manifest, company))
    if not archives:
        raise RestoreRefused(f"{path}: there is no archive{f' of {slug}' if slug else ''}.")
    return archives


def restore_archive(archive: Archive, *, dry_run: bool = False, progress: Progress = no_progress) -> Restored:
    """Bring the rows of an archive back. What is there already stays as it is; so running it again does no harm.

    Rows of a person who was erased since, and rows whose contact or call is gone, stay in the archive.
    """
    restored = Restored()
    for chunk in archive.manifest["chunks"]:
        with tenant(archive.company.pk), transaction.atomic():
            _restore_chunk(archive, chunk, restored)
            if dry_run:
                transaction.set_rollback(True)
        progress(chunk["bundle"], sum(file["rows"] for file in chunk["files"]))
    return restored


def _check_files(folder: Path, manifest: dict[str, Any]) -> None:
    for chunk in manifest["chunks"]:
        for file in chunk["files"]:
            path = folder / file["file"]
            if not path.is_file():
                raise ArchiveDamaged(f"{path} is missing.")
            if hash_file(path) != file["sha256"]:
                raise ArchiveDamaged(f"{path} has been changed: its checksum is not the manifest's.")
            table = read_file(path)
            if not table.schema.equals(schema_of(MODELS[file["table"]])) or table.num_rows != file["rows"]:
                raise ArchiveDamaged(f"{path} has other columns or rows than the manifest says.")


def _restore_chunk(archive: Archive, chunk: dict[str, Any], restored: Restored) -> None:
    known = ArchivedChunk.objects.select_for_update().filter(
        archive=archive.manifest["archive"], number=chunk["number"]
    ).first()  # fmt: skip
    if known is None:  # of a database that was lost since, or is older than the archive
        known = ArchivedChunk(
            company=archive.company, folder=str(archive.folder.resolve()), archive=archive.manifest["archive"],
            number=chunk["number"], bundle=chunk["bundle"], cut_off=datetime.fromisoformat(archive.manifest["cut_off"]),
            files=chunk["files"],
        )  # fmt: skip
    for file in chunk["files"]:
        rows = read_file(archive.folder / file["file"])
        back = _restore_rows(MODELS[file["table"]], rows, restored, again=known.restored_at is not None)
        if MODELS[file["table"]] is Call:
            calls = back
    if known.pk and chunk["bundle"] == "calls" and not known.restored_at:
        subtract_archived_counts(calls)
    for file in chunk["files"]:
        _forget_gone_references(MODELS[file["table"]], read_file(archive.folder / file["file"]))
    if not known.restored_at:
        known.restored_at = now()
        known.save()


def _restore_rows(model: type[models.Model], table: pa.Table, restored: Restored, *, again: bool) -> list[int]:
    """Insert what is not there. Returns the ids of rows that were inserted."""
    name = model._meta.db_table
    rows = {row[0]: row for row in rows_of(table)}
    already_present = _standing(model, rows)
    missing = rows.keys() - already_present.keys()
    _compare(name, rows, already_present, restored)
    if again:
        restored.skip(name, "deleted, or archived again, since they came back", missing)
        return []
    for why, stay in _rows_to_keep(model, [rows[pk] for pk in missing]).items():
        restored.skip(name, why, missing & stay)
        missing -= stay
    _insert(model, [row for row in table.to_pylist() if row["id"] in missing])
    inserted = _standing(model, missing)
    refused = missing - inserted.keys()  # a unique key has been given away, such as a delivery that came once more
    restored.conflicts += [f"{name} {pk}: another row has its place." for pk in sorted(refused)]
    different = [pk for pk, row in inserted.items() if row != rows[pk]]
    if different:
        raise ArchiveDamaged(f"{name} {different[0]} came back as another row than the archive has.")
    if inserted:
        _count_ids_on(name, last=max(inserted))
    restored.rows[name] += len(inserted)
    return list(inserted)


def _standing(model: type[models.Model], ids: Iterable[int]) -> dict[int, Row]:
    return {row[0]: row for row in rows_of(read_rows(model._base_manager.filter(pk__in=list(ids))))}


def _compare(name: str, rows: dict[int, Row], already_present: dict[int, Row], restored: Restored) -> None:
    equal = {pk for pk, row in already_present.items() if row == rows[pk]}
    restored.already_present[name] += len(equal)
    restored.conflicts += [f"{name} {pk}: is there, and differs." for pk in sorted(already_present.keys() - equal)]


def _rows_to_keep(model: type[models.Model], rows: Sequence[Row]) -> dict[str, set[int]]:
    """Ids of rows that can't come back, by the reason: of erased people, and of rows that are gone."""
    stay: dict[str, set[int]] = {}
    links = [
        (position, field_)
        for position, field_ in enumerate(stored_fields(model))
        if isinstance(field_, models.ForeignKey) and field_.remote_field.on_delete is not models.SET_NULL
    ]
    for position, field_ in sorted(links, key=lambda link: link[1].related_model is not Contact):
        target = field_.related_model
        named = {row[position] for row in rows} - {None}
        unwanted = {f"their {target._meta.verbose_name} is gone": named - _existing(target, named)}
        if target is Contact:
            erased = Contact.objects.filter(pk__in=named, phone__startswith=ERASED_NUMBER)
            unwanted["their contact was erased"] = set(erased.values_list("pk", flat=True))
        for why, targets in unwanted.items():
            stay.setdefault(why, set()).update(row[0] for row in rows if row[position] in targets)
    return stay


def _existing(model: type[models.Model], ids: set[int]) -> set[int]:
    return set(model._base_manager.filter(pk__in=list(ids)).values_list("pk", flat=True)) if ids else set()


def _insert(model: type[models.Model], rows: Sequence[dict[str, Any]]) -> None:
    """As the file has them, in one statement as far as the database takes one; a row whose place is taken is left."""
    fields = stored_fields(model)
    columns = ", ".join(connection.ops.quote_name(str(field_.column)) for field_ in fields)
    many = connection.ops.bulk_batch_size(fields, rows) if rows else 1
    for start in range(0, len(rows), many):
        some = rows[start : start + many]
        values = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * len(some))
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {model._meta.db_table} ({columns}) VALUES {values} ON CONFLICT DO NOTHING",  # noqa: S608  # names of our own models
                [_as_parameter(field_, row[str(field_.column)]) for row in some for field_ in fields],
            )


def _count_ids_on(table: str, *, last: int) -> None:
    """Where a database was made anew, its sequence has still to pass the ids that came back. SQLite sees to it."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [table])
            if cursor.fetchone()[0] < last:
                cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, last])


def _as_parameter(field_: models.Field, value: Any) -> Any:
    """What a database takes as it is stays so, JSON as the text that it was too: of a million rows Django asks long."""
    return value if value is None or isinstance(value, str | int) else field_.get_db_prep_save(value, connection)


def _forget_gone_references(model: type[models.Model], table: pa.Table) -> None:
    """What would have been emptied when the row it points at was deleted: a call's lead, a text's campaign."""
    for field_ in stored_fields(model):
        if isinstance(field_, models.ForeignKey) and field_.remote_field.on_delete is models.SET_NULL:
            named = set(table.column(field_.column).to_pylist()) - {None}
            gone = named - _existing(field_.related_model, named)
            ids = table.column("id").to_pylist()
            if gone:
                model._base_manager.filter(pk__in=ids, **{f"{field_.name}__in": gone}).update(**{field_.attname: None})
