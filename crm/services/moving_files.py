"""Moves of stored files from the database to the file storage, and deletions of objects whose file is gone.

A worker leases an object, and copies or deletes it without a transaction. The key is stored before the copy begins, so
a worker that follows a killed one copies to the same key. The database's copy is deleted once the object is there.
Without a file storage nothing is asked.
"""

import time
import uuid
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from crm.db.tenancy import all_tenants, all_tenants_autocommit, tenant
from crm.models import StoredFile, StoredFileChunk, StoredObject
from crm.models.stored_files import IN_DATABASE
from crm.services.file_storage import delete_object, has_file_storage, put_object
from crm.services.stored_files import file_on_disk
from crm.worker import backoff, first_line_of

LEASE = timedelta(minutes=30)  # a file has at most 200 MiB
LOOK_EVERY_S = 60.0  # nobody waits for a move

_look_at_s = float("-inf")


class FileDamaged(Exception):
    """The database doesn't have the whole content."""


def is_move_due() -> bool:
    """Ask the database once a minute, if there is a file storage."""
    global _look_at_s
    if not has_file_storage() or time.monotonic() < _look_at_s:
        return False
    _look_at_s = time.monotonic() + LOOK_EVERY_S
    with all_tenants_autocommit():
        return StoredObject.objects.due(timezone.now()).exists() or StoredFile.objects.filter(IN_DATABASE).exists()


def has_unfinished_objects() -> bool:
    """Return whether a file waits for its first attempt, or a worker is at one. Nobody waits for the retries."""
    if not has_file_storage():
        return False
    with all_tenants():
        objects = StoredObject.objects.unfinished().filter(error="")
        return objects.exists() or StoredFile.objects.filter(IN_DATABASE).exists()


def move_next_file() -> bool:
    """Copy one file, or delete one object. Returns False if none is due.

    Raises:
        Exception: the failure, which the object's row has, too. So the job waits while the storage can't be reached.
    """
    moved = claim_object() if has_file_storage() else None
    if moved is None:
        return False
    try:
        if moved.file_id is None:
            _delete(moved)
        else:
            _copy(moved)
    except Exception as error:
        if connection.is_usable():  # otherwise the lease ends, and it is tried again
            _record_failure(moved, error)
        raise
    return True


def claim_object() -> StoredObject | None:
    """Lease the object that has waited longest, or else make one for the oldest file without. None if none is due."""
    now = timezone.now()
    with all_tenants(), transaction.atomic():
        due = StoredObject.objects.due(now).select_for_update(skip_locked=True, no_key=True)
        moved: StoredObject | None = due.first() or _make_object()
        if moved is not None:
            moved.run_at = now + LEASE
            moved.tries += 1
            moved.save(update_fields=["run_at", "tries"])
    return moved


def _make_object() -> StoredObject | None:
    waiting = StoredFile.objects.filter(IN_DATABASE).order_by("created_at")
    file = waiting.select_for_update(skip_locked=True, no_key=True).first()
    if file is None:
        return None
    StoredFile.objects.filter(pk=file.pk).update(has_object=True)
    # Not the file's number: a restored copy of the database counts on from an earlier one.
    key = f"{file.company_id}/{uuid.uuid4().hex}"
    return StoredObject.objects.create(company_id=file.company_id, file=file, key=key)


def _copy(moved: StoredObject) -> None:
    with tenant(moved.company_id):
        file = StoredFile.objects.filter(object=moved).first()
    if file is None:
        return  # deleted meanwhile: the object is, too, once the lease ends
    with file_on_disk(file=file) as path:
        if path.stat().st_size != file.size:
            raise FileDamaged("The database doesn't have the whole file.")
        put_object(moved.key, path)
    with tenant(moved.company_id), transaction.atomic():
        StoredFileChunk.objects.filter(file=file).delete()  # first, as a deletion of the file does
        StoredObject.objects.filter(pk=moved.pk, file=file, copied_at=None).update(
            copied_at=timezone.now(), run_at=timezone.now(), tries=0, error=""
        )
        is_known = StoredObject.objects.filter(pk=moved.pk).exists()
    if not is_known:  # the lease had ended, the file was deleted, and another worker has deleted what was there
        delete_object(moved.key)


def _delete(moved: StoredObject) -> None:
    delete_object(moved.key)
    with tenant(moved.company_id):
        StoredObject.objects.filter(pk=moved.pk).delete()


def _record_failure(moved: StoredObject, error: Exception) -> None:
    """Try again later, without an end: nothing is lost meanwhile."""
    with tenant(moved.company_id):
        own = StoredObject.objects.filter(pk=moved.pk, run_at=moved.run_at)
        own.update(run_at=timezone.now() + backoff(moved.tries), error=first_line_of(error)[:200])
