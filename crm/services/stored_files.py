"""Stored files, written to the database and read from there, or from the file storage, in parts."""

import io
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.timezone import now

from crm.db.tenancy import all_tenants, tenant_autocommit
from crm.models import StoredFile, StoredFileChunk, StoredObject, User
from crm.models.stored_files import KEPT_FOR
from crm.services.file_storage import Content, open_object

CHUNK_BYTES = 1024 * 1024
# Of zlib. Tables shrink to a fifth at a hundred megabytes a second; PostgreSQL's own compression is slower.
LEVEL = 1
MAX_EXPIRED = 10  # files in one run: each may have hundreds of parts


def store_file(
    *,
    company_id: int,
    name: str,
    content_type: str,
    parts: Iterable[bytes],
    user: User | None = None,
    kept_for: timedelta | None = KEPT_FOR,
) -> StoredFile:
    """Store a file whose content comes in parts of any size.

    Args:
        kept_for: None: until it is deleted together with what refers to it.
    """
    with transaction.atomic():
        file = StoredFile.objects.create(
            company_id=company_id, name=_safe_name(name), content_type=content_type[:100], created_by=user,
            expires_at=None if kept_for is None else now() + kept_for,
        )  # fmt: skip
        for position, part in enumerate(_even_parts(parts)):
            file.size += len(part)
            StoredFileChunk.objects.create(
                company_id=company_id, file=file, position=position, data=zlib.compress(part, LEVEL)
            )
        file.save(update_fields=["size"])
    return file


def read_file(*, file: StoredFile) -> Iterator[bytes]:
    """Yield the content of a file in parts, each by a statement of its own."""
    position = 0
    while data := StoredFileChunk.objects.filter(file=file, position=position).values_list("data", flat=True).first():
        yield zlib.decompress(bytes(data))
        position += 1


def open_range(*, file: StoredFile, first: int, last: int) -> Iterator[bytes] | Content:
    """Return the bytes from `first` to `last`, for a response that outlives its view's transaction.

    Raises:
        FileStorageUnavailable: an object has the content, and can't be read now.
    """
    return _open_copy(file, first, last) or _stream_chunks(file, first, last)


def _open_copy(file: StoredFile, first: int, last: int) -> Content | None:
    """Return the bytes as the file storage has them; None if the database has the content."""
    if not file.has_object:
        return None
    with tenant_autocommit(file.company_id):
        key = StoredObject.objects.filter(file=file, copied_at__isnull=False).values_list("key", flat=True).first()
    return open_object(key, first=first, last=last) if key else None


def _stream_chunks(file: StoredFile, first: int, last: int) -> Iterator[bytes]:
    for position in range(first // CHUNK_BYTES, last // CHUNK_BYTES + 1):
        start = position * CHUNK_BYTES
        with tenant_autocommit(file.company_id):
            chunk = StoredFileChunk.objects.filter(file=file, position=position)
            data = chunk.values_list("data", flat=True).first()
            if data is None:
                file.refresh_from_db(fields=["has_object"])
        if data is None:  # a worker has moved the content meanwhile
            moved = _open_copy(file, max(first, start), last)
            if moved is None:
                raise StoredFileChunk.DoesNotExist(f"Stored file #{file.pk} has no part {position}.")
            with closing(moved):
                yield from moved
            return
        yield zlib.decompress(bytes(data))[max(first - start, 0) : last - start + 1]


def stream_file(*, file: StoredFile) -> Iterator[bytes]:
    """Yield the content of a file in parts, for a response that outlives its view's transaction."""
    with tenant_autocommit(file.company_id):
        yield from read_file(file=file)


@contextmanager
def file_on_disk(*, file: StoredFile) -> Iterator[Path]:
    """Copy a file to this machine for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="crm-file-") as folder:
        path = Path(folder) / "content"
        with path.open("wb") as copy, tenant_autocommit(file.company_id):
            for part in read_file(file=file):
                copy.write(part)
        yield path


@contextmanager
def upload_on_disk(file: UploadedFile) -> Iterator[Path]:
    """Give an upload a path. A large one has one already."""
    if hasattr(file, "temporary_file_path"):
        yield Path(file.temporary_file_path())
        return
    with tempfile.NamedTemporaryFile(prefix="crm-upload-") as copy:
        for chunk in file.chunks():
            copy.write(chunk)
        copy.flush()
        yield Path(copy.name)


def parts_of(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield what a stream has left, in parts."""
    while part := stream.read(CHUNK_BYTES):
        yield part


def delete_file(*, file_id: int) -> None:
    """Delete a file; a worker deletes its object."""
    # Under its lock: a worker that is about to make an object for the file comes before, and is noticed, or after.
    locked = list(StoredFile.objects.select_for_update().filter(pk=file_id).values_list("pk", flat=True))
    StoredFile.objects.filter(pk__in=locked).delete()


def remove_expired_files() -> None:
    """Delete files whose time is over, a few at a time."""
    with all_tenants():
        expired = StoredFile.objects.filter(expires_at__lt=now()).order_by("expires_at")[:MAX_EXPIRED]
        StoredFile.objects.filter(pk__in=[file.pk for file in expired]).delete()


def _even_parts(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same content in parts of CHUNK_BYTES, the last one excepted."""
    buffer = io.BytesIO()
    for part in parts:
        view = memoryview(part)
        while view.nbytes:
            taken = view[: CHUNK_BYTES - buffer.tell()]
            buffer.write(taken)
            view = view[taken.nbytes :]
            if buffer.tell() == CHUNK_BYTES:
                yield buffer.getvalue()
                buffer = io.BytesIO()
    if buffer.tell():
        yield buffer.getvalue()


def _safe_name(name: str) -> str:
    """Return the last part of a name, without characters that a header or the database can't hold."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in last if character.isprintable())[-255:] or "file"
