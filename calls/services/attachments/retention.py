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
from crm.models import Company, StoredFile

BATCH = 100  # files of one transaction: each may have hundreds of parts
UNUSED_FOR = timedelta(days=1)
EVERY_S = 3600
_last_s = float("-inf")


def remove_expired_attachments() -> None:
    """Delete the files whose time is over, at most once an hour in each process."""
    global _last_s
    if time.monotonic() - _last_s < EVERY_S:
        return
    _last_s = time.monotonic()
    remove_old_recordings()
    remove_unused_uploads()


def remove_old_recordings() -> None:
    """Delete each company's recordings and voicemails from before its `recording_retention_days`."""
    limited = Company.objects.filter(recording_retention_days__isnull=False)
    for company_id, days in limited.values_list("pk", "recording_retention_days"):
        before = timezone.now() - timedelta(days=days or 0)

        def old() -> QuerySet[Attachment]:
            return Attachment.objects.filter(kind__in=OF_CALLS, created_at__lt=before)  # noqa: B023  # called at once

        while True:
            with tenant(company_id):
                if _remove_some(old) < BATCH:
                    break


def remove_unused_uploads() -> None:
    """Delete uploads that were not sent or attached within a day."""
    before = timezone.now() - UNUSED_FOR
    while True:
        with all_tenants():
            if _remove_some(lambda: Attachment.objects.filter(OF_NOBODY, created_at__lt=before)) < BATCH:
                break


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
        StoredFile.objects.filter(pk=instance.file_id).delete()


def _remove_some(rows: Callable[[], QuerySet[Attachment]]) -> int:
    oldest = rows().order_by("created_at").values("pk")[:BATCH]
    return remove_attachments(Attachment.objects.filter(pk__in=list(oldest.values_list("pk", flat=True))))
