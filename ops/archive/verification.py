"""Verification of archives: every file is read and compared with its manifest and the database."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from analytics.models import ArchivedChunk
from crm.db.tenancy import tenant
from crm.models import Company
from ops.archive.manifest import MODELS, NAME, read_manifest
from ops.archive.parquet import ArchiveDamaged, hash_file, hash_rows, read_file, schema_of
from ops.archive.storage import folder_of


@dataclass
class Verification:
    """Result for the archives of one company."""

    files: int = 0
    rows: int = 0
    faults: list[str] = field(default_factory=list)
    """Messages, each with the name of its file."""


def verify_company(*, company: Company, root: Path) -> Verification:
    """Read every file of the company's archives below `root`, and those that the database knows. Changes nothing.

    A restored archive may be gone: its folder may be deleted.
    """
    known: dict[Path, list[ArchivedChunk]] = defaultdict(list)
    with tenant(company.pk):
        for chunk in ArchivedChunk.objects.order_by("number"):
            known[folder_of(chunk, root, company)].append(chunk)
    needed = {folder for folder, chunks in known.items() if not all(chunk.restored_at for chunk in chunks)}
    written = {path.parent.resolve() for path in (root / company.slug).glob(f"*/{NAME}")}
    result = Verification()
    for folder in sorted({folder.resolve() for folder in needed} | written):
        chunks = [chunk for path, found in known.items() if path.resolve() == folder for chunk in found]
        _verify_folder(folder, chunks, result)
    return result


def read_checked_file(folder: Path, file: dict[str, Any]) -> pa.Table:
    """Return the rows of a file. Raises ArchiveDamaged if it differs from its description in the manifest."""
    path = folder / file["file"]
    if not path.is_file():
        raise ArchiveDamaged(f"{path} is missing.")
    if hash_file(path) != file["sha256"]:
        raise ArchiveDamaged(f"{path} has been changed: its checksum differs from the manifest.")
    table = read_file(path)
    if not table.schema.equals(schema_of(MODELS[file["table"]])) or table.num_rows != file["rows"]:
        raise ArchiveDamaged(f"{path} has other columns or rows than its manifest.")
    return table


def _verify_folder(folder: Path, chunks: Sequence[ArchivedChunk], result: Verification) -> None:
    try:
        manifest = read_manifest(folder / NAME)
        files = {file["file"]: file for chunk in manifest["chunks"] for file in chunk["files"]}
    except ArchiveDamaged as damage:
        result.faults.append(str(damage))
        return
    recorded = {file["file"]: file for chunk in chunks for file in chunk.files}
    for name in sorted(recorded):
        if files.get(name) != recorded[name]:
            result.faults.append(f"{folder / name} is described otherwise in {NAME} than in the database.")
    rows: Counter[str] = Counter()
    for file in files.values():
        try:
            table = read_checked_file(folder, file)
            if hash_rows(table) != file["content"]:
                raise ArchiveDamaged(f"{folder / file['file']} has rows whose checksum differs from the manifest.")
        except ArchiveDamaged as damage:
            result.faults.append(str(damage))
        rows[file["table"]] += file["rows"]
    if rows != Counter({table: facts["rows"] for table, facts in manifest["tables"].items()}):
        result.faults.append(f"{folder / NAME}: its rows by table are not the sums of its files.")
    result.files += len(files)
    result.rows += rows.total()
