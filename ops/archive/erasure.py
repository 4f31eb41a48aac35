"""Export and erasure of a person's rows in archives."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from re import Pattern
from typing import Any

import pyarrow as pa
from django.conf import settings
from django.db import models, transaction

from analytics.models import ArchivedChunk
from crm.models import Activity, Company, Contact, User
from messaging.models import WebhookEvent
from ops.archive.manifest import MODELS
from ops.archive.parquet import read_file, stored_fields, write_part
from ops.archive.storage import exclusive_lock, folder_of, recover_unlocked_folder
from ops.privacy.export_erase import erase_person
from ops.privacy.mentions import replace_numbers, searched_fields
from ops.privacy.people import Person, add_provider_ids
from ops.privacy.unlinked_data import names_person

PROVIDER_ID = "openphone_id"
EVENTS = WebhookEvent._meta.db_table
# The columns with numbers of a call or message.
NUMBERS = {"calls": ("from_number", "to_number"), "message_threads": ("from_number", "to_numbers")}


class ArchiveMissing(Exception):
    """Archive files of the company are missing, so they can't be searched for the person."""


@dataclass(frozen=True)
class MatchedFile:
    """A file of an archive with rows of the person, or that mention a number of the person."""

    chunk: ArchivedChunk
    path: Path
    table_name: str
    rows: pa.Table
    matches: list[bool]
    """For each row, whether it belongs to the person."""
    mentions: dict[str, dict[int, str]]
    """Texts without the person's numbers, by column and position, in the other rows that mention one."""

    def own_rows(self) -> list[dict[str, Any]]:
        return [_decode_bytes(row) for row in self.rows.filter(pa.array(self.matches)).to_pylist()]

    def mentioning_rows(self) -> list[dict[str, Any]]:
        """Return the mentions as an export shows them, with the numbers."""
        positions = sorted({position for texts in self.mentions.values() for position in texts})
        return [
            {
                "table_name": self.table_name,
                "id": self.rows.column("id")[position].as_py(),
                "texts": {
                    name: self.rows.column(name)[position].as_py()
                    for name, texts in self.mentions.items()
                    if position in texts
                },
            }
            for position in positions
        ]


def export_archived(*, person: Person) -> dict[str, list[dict[str, Any]]]:
    """Return the person's rows in archives, by table, and `mentions` in other rows. Raises ArchiveMissing."""
    exported: dict[str, list[dict[str, Any]]] = {}
    with ExitStack() as locks:
        chunks = _lock_folders(person, locks)
        for found in _find(_add_archived_ids(person, chunks), chunks):
            for name, rows in ((found.table_name, found.own_rows()), ("mentions", found.mentioning_rows())):
                if rows:
                    exported.setdefault(name, []).extend(rows)
    return exported


def count_archived(*, person: Person) -> dict[str, int]:
    """Return how many rows an erasure would remove or change in archives, by table. Raises ArchiveMissing."""
    return {f"archived {table}": len(rows) for table, rows in export_archived(person=person).items()}


def erase_person_everywhere(*, person: Person, by: User | str) -> dict[str, int]:
    """Erase a person in the active tenant, and remove their rows from its archives. It can't be undone.

    Numbers that other archived rows mention are replaced. New files are written beside the old ones, become valid in
    the erasure's transaction, and are published after it. Archived counts stay. Returns the number of affected rows by
    table. Raises ArchiveMissing, and then nothing changes.
    """
    counts: Counter[str] = Counter()
    folders: set[Path] = set()
    with transaction.atomic(), ExitStack() as locks:
        chunks = _lock_folders(person, locks)
        person = _add_archived_ids(person, chunks)
        for found in _find(person, chunks):
            counts[f"archived {found.table_name}"] += sum(found.matches)
            counts["archived mentions"] += len(found.mentioning_rows())
            _write_without(found)
            folders.add(found.path.parent)
        counts.update(erase_person(person=person, by=by))
        # Keep the locks until the commit: before it, a recovery would delete the new parts as invalid.
        held = locks.pop_all()
        transaction.on_commit(lambda: _publish_parts(person, folders, held))
    return dict(counts)


def _publish_parts(person: Person, folders: set[Path], held: ExitStack) -> None:
    with held:
        for folder in folders:
            recover_unlocked_folder(Company.objects.get(pk=person.company_id), folder)


def _lock_folders(person: Person, locks: ExitStack) -> list[tuple[ArchivedChunk, Path]]:
    """Return the company's chunks with their folders, locked until `locks` closes. Raises ArchiveMissing."""
    company = Company.objects.get(pk=person.company_id)
    chunks = [
        (chunk, folder_of(chunk, settings.ARCHIVE_DIR, company))
        for chunk in ArchivedChunk.objects.filter(company=company).order_by("archive", "number")
    ]
    folders = {folder for _, folder in chunks}
    missing = sorted(str(folder) for folder in folders if not folder.is_dir())
    if missing:
        raise ArchiveMissing(
            f"Archives that may contain this person are missing: {', '.join(missing)}. Copy them back; if they were"
            " destroyed, delete their archive files in the admin."
        )
    for home in sorted({folder.parent for folder in folders}):
        locks.enter_context(exclusive_lock(home))
    for folder in folders:
        recover_unlocked_folder(company, folder)
    return chunks


def _add_archived_ids(person: Person, chunks: list[tuple[ArchivedChunk, Path]]) -> Person:
    """Add the ids of archived calls and messages: a voicemail or a webhook event may name nothing else."""
    ids: set[str] = set()
    for found in _find(person, [(chunk, folder) for chunk, folder in chunks if chunk.bundle != EVENTS]):
        if PROVIDER_ID in found.rows.column_names:
            ids |= {row[PROVIDER_ID] for row in found.own_rows() if row[PROVIDER_ID]}
    return add_provider_ids(person, frozenset(ids))


def _find(person: Person, chunks: list[tuple[ArchivedChunk, Path]]) -> Iterator[MatchedFile]:
    """Yield each file with rows of the person, or with mentions of a number."""
    names = names_person(person)
    for chunk, folder in chunks:
        tables = {MODELS[file["table"]]: read_file(folder / file["file"]) for file in chunk.files}
        if chunk.bundle == EVENTS:
            bodies = tables[WebhookEvent].column("body").to_pylist()
            matching: dict[Any, list[bool]] = {WebhookEvent: [names(body) for body in bodies]}
        else:
            matching = _find_own(person, tables)
        for file in chunk.files:
            model = MODELS[file["table"]]
            rows, matches = tables[model], matching[model]
            mentions = _find_mentions(model, rows, matches, person.spellings)
            if any(matches) or mentions:
                yield MatchedFile(chunk, folder / file["file"], file["table"], rows, matches, mentions)


def _find_own(person: Person, tables: dict[Any, pa.Table]) -> dict[Any, list[bool]]:
    """Return for each row of a chunk whether it is the person's: by contact, by number, or by a row linked to it."""
    links = [
        (model, field) for model in tables for field in stored_fields(model) if isinstance(field, models.ForeignKey)
    ]
    columns = {
        (model, name): tables[model].column(name).to_pylist()
        for model, name in [(model, "id") for model in tables] + [(model, str(field.column)) for model, field in links]
    }
    found = {model: _find_unlinked(person, model, table) for model, table in tables.items()}
    for _ in tables:  # the longest possible chain of links
        for model, field in links:
            for pk, target in zip(columns[model, "id"], columns[model, str(field.column)], strict=True):
                if field.related_model is Contact:
                    found[model] |= {pk} if target in person.contact_ids else set()
                elif field.related_model in tables and target is not None:
                    if target in found[field.related_model]:
                        found[model].add(pk)
                    elif pk in found[model]:
                        found[field.related_model].add(target)
    return {model: [pk in found[model] for pk in columns[model, "id"]] for model in tables}


def _find_unlinked(person: Person, model: Any, table: pa.Table) -> set[int]:
    """Return the ids of rows without a contact that have a number or a provider's id of the person."""
    found: set[int] = set()
    numbers = NUMBERS.get(model._meta.db_table, ())
    reported = {*person.provider_ids, *(f"{provider_id}:voicemail" for provider_id in person.provider_ids)}
    if not numbers and model is not Activity:
        return found
    contact = str(model._meta.get_field("contact").column)
    names = ["id", contact, *numbers, *([PROVIDER_ID] if model is Activity else [])]
    for row in table.select(names).to_pylist():
        if row[contact] is None and (
            row.get(PROVIDER_ID) in reported or any(person.column_spellings.search(row[name]) for name in numbers)
        ):
            found.add(row["id"])
    return found


def _find_mentions(
    model: Any, rows: pa.Table, matches: Sequence[bool], pattern: Pattern[str]
) -> dict[str, dict[int, str]]:
    mentions: dict[str, dict[int, str]] = {}
    for field in searched_fields(model):
        for position, text in enumerate(rows.column(str(field.column)).to_pylist()):
            if text and not matches[position] and pattern.search(text):
                replace = _replace_in_json if isinstance(field, models.JSONField) else replace_numbers
                mentions.setdefault(str(field.column), {})[position] = replace(text, pattern)
    return mentions


def _replace_in_json(text: str, pattern: Pattern[str]) -> str:
    """Return JSON text without the numbers. It stays as the database writes it, or a restore would find it changed."""
    replaced: str = replace_numbers(text, pattern)
    try:
        json.loads(replaced)
    except ValueError:  # a number outside of quotes
        return json.dumps(replace_numbers(json.loads(text), pattern), ensure_ascii=False)
    return replaced


def _write_without(found: MatchedFile) -> None:
    rows = found.rows
    for name, texts in found.mentions.items():
        values = rows.column(name).to_pylist()
        changed = [texts.get(position, value) for position, value in enumerate(values)]
        rows = rows.set_column(rows.column_names.index(name), rows.schema.field(name), pa.array(changed, pa.string()))
    kept = rows.filter(pa.array([not match for match in found.matches]))
    new = {"table": found.table_name} | write_part(kept, found.path)
    chunk = ArchivedChunk.objects.select_for_update().get(pk=found.chunk.pk)
    chunk.files = [new if file["file"] == new["file"] else file for file in chunk.files]
    chunk.save(update_fields=["files"])


def _decode_bytes(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.decode(errors="replace") if isinstance(value, bytes) else value for name, value in row.items()}
