"""Archive folders, `<ARCHIVE_DIR>/<company>/<archive>/`. The database decides which of their files are valid."""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from analytics.models import ArchivedChunk
from crm.db.tenancy import tenant
from crm.models import Company
from ops.archive.manifest import NAME, describe, read_manifest, write_manifest
from ops.archive.parquet import PART, hash_file, part_of, sync_folder

LOCK = ".lock"


def make_folder(folder: Path) -> None:
    """Create the folder and its parents, readable by their owner only."""
    for path in (*reversed(folder.parents), folder):
        if not path.is_dir():
            path.mkdir(mode=0o700, exist_ok=True)
            sync_folder(path.parent)


@contextmanager
def exclusive_lock(folder: Path) -> Iterator[None]:
    """Lock a company's folder against other processes of this machine."""
    make_folder(folder)
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def publish_parts(folder: Path, paths: Iterable[Path]) -> None:
    """Rename parts in the folder that have become valid."""
    for path in paths:
        part_of(path).replace(path)
    sync_folder(folder)


def recover_folder(company: Company, folder: Path) -> None:
    """Complete an interrupted run in one archive's folder, and update its manifest.

    A part that the database knows by name and checksum is published. Any other part was never valid and is deleted.
    """
    with exclusive_lock(folder.parent):
        recover_unlocked_folder(company, folder)


def recover_unlocked_folder(company: Company, folder: Path) -> None:
    """Recover a folder under the caller's `exclusive_lock`."""
    with tenant(company.pk):
        chunks = list(ArchivedChunk.objects.filter(archive=folder.name).order_by("number"))
    known = {file["file"]: file["sha256"] for chunk in chunks for file in chunk.files}
    for part in sorted(folder.glob(f"*{PART}")):
        path = part.with_name(part.name.removesuffix(PART))
        if known.get(path.name) == hash_file(part):
            publish_parts(folder, [path])
        else:
            part.unlink()
    if chunks:
        manifest = describe(company, chunks)
        if not (folder / NAME).exists() or read_manifest(folder / NAME) != manifest:
            write_manifest(folder, manifest)
    elif not any(folder.iterdir()):
        folder.rmdir()


def folder_of(chunk: ArchivedChunk, root: Path, company: Company) -> Path:
    """Return the folder of the chunk's files: the original one if it exists, else the one below `root`."""
    written = Path(chunk.folder)
    return written if written.is_dir() else root / company.slug / chunk.archive
