"""Objects of the file storage, which FILE_STORAGE_URL names: written, read in ranges, and deleted, each by its key."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, storages

from crm.worker import first_line_of

PART_BYTES = 256 * 1024

logger = logging.getLogger(__name__)


class FileStorageUnavailable(Exception):
    """The storage can't be reached, or gives no such object."""


class Content(Iterator[bytes]):
    """A part of an object, read as it is sent. Close it."""

    def __init__(self, source: IO[bytes], size: int) -> None:
        self._source, self._left = source, size

    def __next__(self) -> bytes:
        if not self._left:
            raise StopIteration
        part = self._source.read(min(self._left, PART_BYTES))
        if not part:
            raise FileStorageUnavailable("The object is shorter than its file.")
        self._left -= len(part)
        return part

    def close(self) -> None:
        self._source.close()


def has_file_storage() -> bool:
    """Return whether there is a file storage besides the database."""
    return "files" in settings.STORAGES


def put_object(key: str, path: Path) -> None:
    """Copy a file of this machine to the storage, over what a killed worker has left of it.

    Raises:
        FileStorageUnavailable: afterwards the object isn't there whole.
        Exception: the storage refused it, or couldn't be reached; each storage has errors of its own.
    """
    storage = _storage()
    if isinstance(storage, FileSystemStorage) and not Path(storage.location).is_dir():
        raise FileStorageUnavailable("The folder is missing: a disk may not be mounted.")
    with path.open("rb") as content:
        storage.save(key, File(content))
    if storage.size(key) != path.stat().st_size:
        raise FileStorageUnavailable("The object isn't whole.")
    if isinstance(storage, FileSystemStorage):
        _sync(Path(storage.path(key)), Path(storage.location))


def open_object(key: str, *, first: int, last: int) -> Content:
    """Return the bytes from `first` to `last` of an object. Raises FileStorageUnavailable."""
    try:
        storage = _storage()
        if isinstance(storage, FileSystemStorage):
            source = cast(IO[bytes], storage.open(key))
            source.seek(first)
        else:  # django-storages' own files read the whole object
            client = storage.connection.meta.client
            source = client.get_object(Bucket=storage.bucket_name, Key=key, Range=f"bytes={first}-{last}")["Body"]
    except Exception as error:  # each storage has errors of its own
        logger.error("Object %s can't be read: %s", key, first_line_of(error))
        raise FileStorageUnavailable(key) from error
    return Content(source, last - first + 1)


def delete_object(key: str) -> None:
    """Delete an object, which may be gone already. Raises the errors of `put_object`."""
    _storage().delete(key)


def _storage() -> Any:
    return storages["files"]


def _sync(path: Path, root: Path) -> None:
    """Wait until the file, and the folders that name it, are on the disk: the database's copy is deleted next."""
    for each in (path, *(folder for folder in path.parents if folder.is_relative_to(root))):
        handle = os.open(each, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
