"""Export and erasure of a contact's rows in archives."""

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
    """Archive files of the company are missing, so they can't be searched for the contact."""


@dataclass(frozen=True)
class MatchedFile:
    """A file of an archive with rows of the contact."""

    chunk: ArchivedChunk
    path: Path
    table_name: str
    rows: pa.Table
    matches: list[bool]
    """For each row, whether it belongs to the contact."""


def export_archived(*, contact: Contact) -> dict[str, list[dict[str, Any]]]:
    """Return the contact's rows in archives, by table. Raises ArchiveMissing."""
    exported: dict[str, list[dict[str, Any]]] = {}
    with ExitStack() as locks:
        for found in _find(contact, _lock_folders(contact, locks)):
            rows = found.rows.filter(pa.array(found.matches)).to_pylist()
            exported.setdefault(found.table_name, []).extend(_decode_bytes(row) for row in rows)
    return exported


def count_archived(*, contact: Contact) -> dict[str, int]:
    """Return how many rows an erasure would remove from archives, by table. Raises ArchiveMissing."""
    return {f"archived {table}": len(rows) for table, rows in export_archived(contact=contact).items()}


def erase_contact_everywhere(*, contact: Contact, by: User | str) -> dict[str, int]:
    """Erase a contact of the active tenant, and remove their rows from its archives. It can't be undone.

    New files are written beside the old ones, become valid in the erasure's transaction, and are published after it.
    Archived counts stay. Returns the number of affected rows by table. Raises ArchiveMissing, and then nothing changes.
    """
    counts: Counter[str] = Counter()
    provider_ids: set[str] = set()
    folders: set[Path] = set()
    with transaction.atomic(), ExitStack() as locks:
        for found in _find(contact, _lock_folders(contact, locks)):
            counts[f"archived {found.table_name}"] += sum(found.matches)
            provider_ids |= _provider_ids(found)
            _write_without(found)
            folders.add(found.path.parent)
        counts.update(erase_contact(contact=contact, by=by, provider_ids=frozenset(provider_ids)))
        # Keep the locks until the commit: before it, a recovery would delete the new parts as invalid.
        held = locks.pop_all()
        transaction.on_commit(lambda: _publish_parts(contact, folders, held))
    return dict(counts)


def _publish_parts(contact: Contact, folders: set[Path], held: ExitStack) -> None:
    with held:
        for folder in folders:
            recover_unlocked_folder(contact.company, folder)


def _lock_folders(contact: Contact, locks: ExitStack) -> list[tuple[ArchivedChunk, Path]]:
    """Return the company's chunks with their folders, locked until `locks` closes. Raises ArchiveMissing."""
    chunks = [
        (chunk, folder_of(chunk, settings.ARCHIVE_DIR, contact.company))
        for chunk in ArchivedChunk.objects.filter(company=contact.company_id).order_by("archive", "number")
    ]
    folders = {folder for _, folder in chunks}
    missing = sorted(str(folder) for folder in folders if not folder.is_dir())
    if missing:
        raise ArchiveMissing(
            f"Archives that may contain this contact are missing: {', '.join(missing)}. Copy them back; if they were"
            " destroyed, delete their archive files in the admin."
        )
    for home in sorted({folder.parent for folder in folders}):
        locks.enter_context(exclusive_lock(home))
    for folder in folders:
        recover_unlocked_folder(contact.company, folder)
    return chunks


def _find(contact: Contact, chunks: list[tuple[ArchivedChunk, Path]]) -> Iterator[MatchedFile]:
    """Yield each file with rows of the contact. Webhook events come last: some only name a call or message."""
    ids: set[str] = set()
    events = WebhookEvent._meta.db_table
    for chunk, folder in chunks:
        if chunk.bundle != events:
            for found in _find_in(contact, chunk, folder):
                ids |= _provider_ids(found)
                yield found
    names = names_contact(contact, frozenset(ids))
    for chunk, folder in chunks:
        if chunk.bundle == events:
            for file in chunk.files:
                path = folder / file["file"]
                rows = read_file(path)
                matches = [names(body) for body in rows.column("body").to_pylist()]
                if any(matches):
                    yield MatchedFile(chunk, path, events, rows, matches)


def _find_in(contact: Contact, chunk: ArchivedChunk, folder: Path) -> Iterator[MatchedFile]:
    """Yield the chunk's files with rows that reference the contact, and with rows linked to those."""
    tables = {MODELS[file["table"]]: read_file(folder / file["file"]) for file in chunk.files}
    links = [
        (model, field) for model in tables for field in stored_fields(model) if isinstance(field, models.ForeignKey)
    ]
    columns = {
        (model, name): tables[model].column(name).to_pylist()
        for model, name in [(model, "id") for model in tables] + [(model, str(field.column)) for model, field in links]
    }
    found: dict[Any, set[int]] = {model: set() for model in tables}
    for _ in tables:  # the longest possible chain of links
        for model, field in links:
            for pk, target in zip(columns[model, "id"], columns[model, str(field.column)], strict=True):
                if field.related_model is Contact:
                    found[model] |= {pk} if target == contact.pk else set()
                elif field.related_model in tables and target is not None:
                    if target in found[field.related_model]:
                        found[model].add(pk)
                    elif pk in found[model]:
                        found[field.related_model].add(target)
    for file in chunk.files:
        model = MODELS[file["table"]]
        if found[model]:
            matches = [pk in found[model] for pk in columns[model, "id"]]
            yield MatchedFile(chunk, folder / file["file"], file["table"], tables[model], matches)


def _provider_ids(found: MatchedFile) -> set[str]:
    if PROVIDER_ID not in found.rows.column_names:
        return set()
    ids = found.rows.filter(pa.array(found.matches)).column(PROVIDER_ID).to_pylist()
    return {provider_id for provider_id in ids if provider_id}


def _write_without(found: MatchedFile) -> None:
    kept = found.rows.filter(pa.array([not match for match in found.matches]))
    new = {"table": found.table_name} | write_part(kept, found.path)
    chunk = ArchivedChunk.objects.select_for_update().get(pk=found.chunk.pk)
    chunk.files = [new if file["file"] == new["file"] else file for file in chunk.files]
    chunk.save(update_fields=["files"])


def _decode_bytes(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.decode(errors="replace") if isinstance(value, bytes) else value for name, value in row.items()}
