"""Manifest of an archive folder, with which the archive can be read without its database."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from analytics.models import ArchivedChunk
from crm.models import Company
from ops.archive.bundles import BUNDLES
from ops.archive.parquet import PART, ArchiveDamaged, open_private, schema_of, sync_folder

NAME = "manifest.json"
FORMAT = 1
MODELS = {table.name: table.model for bundle in BUNDLES for table in bundle.tables}


def describe(company: Company, chunks: Sequence[ArchivedChunk]) -> dict[str, Any]:
    """Return the manifest of one archive, built from its chunks in the database."""
    rows: Counter[str] = Counter()
    for chunk in chunks:
        rows.update({file["table"]: file["rows"] for file in chunk.files})
    return {
        "format": FORMAT,
        "company": {"id": company.pk, "slug": company.slug, "name": company.name},
        "archive": chunks[0].archive,
        "cut_off": chunks[-1].cut_off.isoformat(),
        "made_at": chunks[-1].created_at.isoformat(),
        "migrations": _last_migrations(),
        "tables": {
            table: {"rows": rows[table], "columns": {field.name: str(field.type) for field in schema_of(MODELS[table])}}
            for table in sorted(rows)
        },
        "chunks": [{"number": chunk.number, "bundle": chunk.bundle, "files": chunk.files} for chunk in chunks],
    }


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest atomically and durably."""
    part = folder / (NAME + PART)
    with open_private(part) as file:
        file.write(json.dumps(manifest, indent=1, ensure_ascii=False).encode())
    part.replace(folder / NAME)
    sync_folder(folder)


def read_manifest(path: Path) -> dict[str, Any]:
    """Return the manifest. Raises ArchiveDamaged if it is unreadable, or its format or tables are unknown."""
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version, tables = manifest["format"], manifest["tables"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArchiveDamaged(f"{path} can't be read: {error}") from error
    if version != FORMAT:
        raise ArchiveDamaged(f"{path} has the format {version!r}; this version reads {FORMAT}.")
    for table, facts in tables.items():
        if table not in MODELS:
            raise ArchiveDamaged(f"{path} has a table {table!r}, which this database does not have.")
        here = {field.name: str(field.type) for field in schema_of(MODELS[table])}
        if facts["columns"] != here:
            differing = sorted(dict(facts["columns"].items() ^ here.items()))
            raise ArchiveDamaged(f"{path}: columns of {table} differ from this database: {', '.join(differing)}.")
    return manifest


def _last_migrations() -> dict[str, str]:
    """Return the last applied migration of each app."""
    applied = sorted(MigrationRecorder(connection).applied_migrations())
    return {app: name for app, name in applied if app in apps.app_configs}
