"""Removal of recordings and voicemails after the company's time, and of uploads that were never used."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from calls.choices import OF_CALLS
from calls.models import Attachment
from calls.models.attachments import OF_NOBODY
from crm.db.tenancy import all_tenants, tenant
from crm.models import Company
from crm.services.stored_files import delete_file

BATCH = 100  # files of one transaction: each may have hundreds of parts
UNUSED_FOR = timedelta(days=1)
BATCHES = 5  # of one turn: the worker has other work
EVERY_S = 3600
_last_s = float("-inf")


def remove_expired_attachments() -> None:
    """Delete some of the files whose time is over. Once there are no more, each process looks again in an hour."""
    global _last_s
    if time.monotonic() - _last_s < EVERY_S:
        return
    if remove_old_recordings() and remove_unused_uploads():
        _last_s = time.monotonic()


def remove_old_recordings() -> bool:
    """Delete companies' recordings and voicemails from before their `recording_retention_days`.

    Returns whether that was the last of them.
    """
    batches = 0
    limited = Company.objects.filter(recording_retention_days__isnull=False)
    for company_id, days in limited.values_list("pk", "recording_retention_days"):
        before = timezone.now() - timedelta(days=days or 0)

        def old() -> QuerySet[Attachment]:
            return Attachment.objects.filter(kind__in=OF_CALLS, created_at__lt=before)  # noqa: B023  # called at once

        while batches < BATCHES:
            batches += 1
            with tenant(company_id):
                if _remove_some(old) < BATCH:
                    break
        else:
            return False
    return True


def remove_unused_uploads() -> bool:
    """Delete uploads that were not sent or attached within a day. Returns whether that was the last of them."""
    before = timezone.now() - UNUSED_FOR
    for _ in range(BATCHES):
        with all_tenants():
            if _remove_some(lambda: Attachment.objects.filter(OF_NOBODY, created_at__lt=before)) < BATCH:
                return True
    return False


def remove_attachments(attachments: QuerySet[Attachment]) -> int:
    """Delete attachments with their files. Returns their number."""
    # A worker that is storing one of the files holds its row.
    locked = attachments.select_for_update(of=("self",)).order_by("pk")
    found = list(locked.values_list("pk", flat=True))
    Attachment.objects.filter(pk__in=found).delete()
    return len(found)


def remove_file(*, instance: Attachment, **_signal: Any) -> None:
    """Delete the file of an attachment that was deleted (`post_delete`), also together with its call or contact."""
    if instance.file_id:
        delete_file(file_id=instance.file_id)


def _remove_some(rows: Callable[[], QuerySet[Attachment]]) -> int:
    """Delete the oldest of the rows, and return how many were found."""
    oldest = list(rows().order_by("created_at").values_list("pk", flat=True)[:BATCH])
    remove_attachments(rows().filter(pk__in=oldest))  # an upload that was sent meanwhile is none of them any more
    return len(oldest)
