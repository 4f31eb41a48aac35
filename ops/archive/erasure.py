"""What archives hold of one person: shown to who asks, and taken out of the files when they are to be forgotten."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from django.conf import settings
from django.db import models, transaction

from analytics.models import ArchivedChunk
from crm.models import Contact, User
from messaging.models import WebhookEvent
from ops.archive.manifest import MODELS
from ops.archive.parquet import read_file, stored_fields, write_part
from ops.archive.storage import exclusive_lock, folder_of, recover_unlocked_folder
from ops.privacy.export_erase import erase_contact
from ops.privacy.unlinked_data import names_contact

PROVIDER_ID = "openphone_id"


class ArchiveMissing(Exception):
    """Files of the company's archives are not where they should be, so nobody can say whom they name."""


@dataclass(frozen=True)
class Found:
    """A file of an archive, and which of its rows are the contact's, by position."""

    chunk: ArchivedChunk
    path: Path
    table_name: str
    rows: pa.Table
    theirs: list[bool]


def export_archived(*, contact: Contact) -> dict[str, list[dict[str, Any]]]:
    """The contact's rows in archives, by table. Raises ArchiveMissing."""
    exported: dict[str, list[dict[str, Any]]] = {}
    with ExitStack() as alone:
        for found in _find(contact, _enter_folders(contact, alone)):
            rows = found.rows.filter(pa.array(found.theirs)).to_pylist()
            exported.setdefault(found.table_name, []).extend(_readable(row) for row in rows)
    return exported


def count_archived(*, contact: Contact) -> dict[str, int]:
    """How many rows of archives an erasure would take out, by table. Raises ArchiveMissing."""
    counts: Counter[str] = Counter()
    with ExitStack() as alone:
        for found in _find(contact, _enter_folders(contact, alone)):
            counts[f"archived {found.table_name}"] += sum(found.theirs)
    return dict(counts)


def erase_contact_everywhere(*, contact: Contact, by: User | str) -> dict[str, int]:
    """Erase a contact of the company entered, and take their rows out of its archives, for good.

    The files are written anew beside the old ones, made true in the erasure's transaction, and put in place after it.
    What is counted of archived calls stays. Returns how many rows of each table that touched. Raises ArchiveMissing,
    and then nothing is changed.
    """
    counts: Counter[str] = Counter()
    provider_ids: set[str] = set()
    folders: set[Path] = set()
    with transaction.atomic(), ExitStack() as alone:
        for found in _find(contact, _enter_folders(contact, alone)):
            counts[f"archived {found.table_name}"] += sum(found.theirs)
            provider_ids |= _provider_ids(found)
            _write_without(found)
            folders.add(found.path.parent)
        counts.update(erase_contact(contact=contact, by=by, provider_ids=frozenset(provider_ids)))
        # Until then nobody else may tidy the folder: what is written there is not known yet.
        held = alone.pop_all()
        transaction.on_commit(lambda: _publish_parts(contact, folders, held))
    return dict(counts)


def _publish_parts(contact: Contact, folders: set[Path], held: ExitStack) -> None:
    with held:
        for folder in folders:
            recover_unlocked_folder(contact.company, folder)


def _enter_folders(contact: Contact, alone: ExitStack) -> list[tuple[ArchivedChunk, Path]]:
    """The company's chunks with their folders, which nobody else changes until `alone` is left."""
    chunks = [
        (chunk, folder_of(chunk, settings.ARCHIVE_DIR, contact.company))
        for chunk in ArchivedChunk.objects.filter(company=contact.company_id).order_by("archive", "number")
    ]
    folders = {folder for _, folder in chunks}
    missing = sorted(str(folder) for folder in folders if not folder.is_dir())
    if missing:
        raise ArchiveMissing(
            f"Archives that may name this person are missing: {', '.join(missing)}. Put them back, or, where they were"
            " destroyed, delete their chunks in the admin."
        )
    for home in sorted({folder.parent for folder in folders}):
        alone.enter_context(exclusive_lock(home))
    for folder in folders:
        recover_unlocked_folder(contact.company, folder)
    return chunks


def _find(contact: Contact, chunks: list[tuple[ArchivedChunk, Path]]) -> Iterator[Found]:
    """Every file with rows of the contact. Deliveries last: they may name a call or text by its id alone."""
    ids: set[str] = set()
    deliveries = WebhookEvent._meta.db_table
    for chunk, folder in chunks:
        if chunk.bundle != deliveries:
            for found in _find_in(contact, chunk, folder):
                ids |= _provider_ids(found)
                yield found
    names = names_contact(contact, frozenset(ids))
    for chunk, folder in chunks:
        if chunk.bundle == deliveries:
            for file in chunk.files:
                path = folder / file["file"]
                rows = read_file(path)
                theirs = [names(body) for body in rows.column("body").to_pylist()]
                if any(theirs):
                    yield Found(chunk, path, deliveries, rows, theirs)


def _find_in(contact: Contact, chunk: ArchivedChunk, folder: Path) -> Iterator[Found]:
    """Rows that name the contact, and rows that hang on those or on which those hang."""
    tables = {MODELS[file["table"]]: read_file(folder / file["file"]) for file in chunk.files}
    links = [
        (model, field) for model in tables for field in stored_fields(model) if isinstance(field, models.ForeignKey)
    ]
    columns = {
        (model, name): tables[model].column(name).to_pylist()
        for model, name in [(model, "id") for model in tables] + [(model, str(field.column)) for model, field in links]
    }
    theirs: dict[Any, set[int]] = {model: set() for model in tables}
    for _ in tables:  # as far as one may hang on another
        for model, field in links:
            for pk, target in zip(columns[model, "id"], columns[model, str(field.column)], strict=True):
                if field.related_model is Contact:
                    theirs[model] |= {pk} if target == contact.pk else set()
                elif field.related_model in tables and target is not None:
                    if target in theirs[field.related_model]:
                        theirs[model].add(pk)
                    elif pk in theirs[model]:
                        theirs[field.related_model].add(target)
    for file in chunk.files:
        model = MODELS[file["table"]]
        if theirs[model]:
            marks = [pk in theirs[model] for pk in columns[model, "id"]]
            yield Found(chunk, folder / file["file"], file["table"], tables[model], marks)


def _provider_ids(found: Found) -> set[str]:
    if PROVIDER_ID not in found.rows.column_names:
        return set()
    ids = found.rows.filter(pa.array(found.theirs)).column(PROVIDER_ID).to_pylist()
    return {provider_id for provider_id in ids if provider_id}


def _write_without(found: Found) -> None:
    kept = found.rows.filter(pa.array([not theirs for theirs in found.theirs]))
    new = {"table": found.table_name} | write_part(kept, found.path)
    chunk = ArchivedChunk.objects.select_for_update().get(pk=found.chunk.pk)
    chunk.files = [new if file["file"] == new["file"] else file for file in chunk.files]
    chunk.save(update_fields=["files"])


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    """With texts in place of bytes, as JSON wants them."""
    return {name: value.decode(errors="replace") if isinstance(value, bytes) else value for name, value in row.items()}
