"""Fetching of providers' files: media of messages, recordings and voicemails, each once, into the stored files.

A worker leases a file, downloads it without a transaction, and stores it only if the lease is still its own. The key of
the company's account is sent to the provider's own API alone, not to where that redirects to.
"""

import json
import logging
import tempfile
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import IO

import httpx
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from calls.choices import OF_CALLS, AttachmentStatus
from calls.models import Attachment
from calls.services.attachments.noting import noted
from calls.services.attachments.retention import remove_attachments
from crm.content_types import ENDINGS, FIRST_BYTES, find_content_type
from crm.db.audit_context import program_transaction
from crm.db.tenancy import all_tenants, all_tenants_autocommit, tenant
from crm.encryption import SecretUnreadable
from crm.public_http import DOWNLOAD_S, RequestFailed, RequestRefused, download, origin_of
from crm.services.stored_files import parts_of, store_file
from messaging.models import ProviderAccount
from messaging.providers.http import api_url
from messaging.providers.registry import PROVIDERS

PROGRAM = "attachments"
LEASE = timedelta(seconds=2 * DOWNLOAD_S + 60)  # a link may have to be read before the file
LOOK_EVERY_S = 60.0  # for files that other processes have noted, and for retries
FIRST_WAIT_S, MAX_WAIT_S = 30, 6 * 3600  # between attempts of one file: 30 s, 2 min, 8 min, …
MAX_FILE, MAX_RECORDING = 25 * 1024**2, 200 * 1024**2  # bytes
MAX_JSON = 16 * 1024
MEMORY = 1024**2  # bytes of a download that are not written to the disk

logger = logging.getLogger(__name__)
_look_at_s = float("-inf")


def is_file_due() -> bool:
    """Ask the database once a minute, and as soon as this process has noted a file."""
    global _look_at_s
    if not noted.is_set() and time.monotonic() < _look_at_s:
        return False
    noted.clear()
    _look_at_s = time.monotonic() + LOOK_EVERY_S
    with all_tenants_autocommit():
        return Attachment.objects.due_to_fetch(timezone.now()).exists()


def has_new_files() -> bool:
    """Return whether a file waits for its first attempt. Nobody waits for the retries."""
    with all_tenants():
        waits = Attachment.objects.due_to_fetch(timezone.now()).filter(tries=0).exists()
    if waits:
        noted.set()
    return waits


def fetch_next_file() -> bool:
    """Fetch one file, of any company. Returns False if none is due."""
    attachment = claim_file()
    if attachment is None:
        return False
    with tempfile.SpooledTemporaryFile(max_size=MEMORY) as content:
        try:
            _download(attachment, content)
            store_content(attachment, content)
        except RequestRefused as error:
            record_failure(attachment, str(error), is_final=True)
        except RequestFailed as error:
            record_failure(attachment, str(error))
        except Exception:
            if not connection.is_usable():
                raise  # the lease ends, and the file is fetched again
            logger.exception("Attachment %d couldn't be fetched.", attachment.pk)
            record_failure(attachment, "An internal error ended the attempt.")
    return True


def claim_file() -> Attachment | None:
    """Lease the file that has waited longest. Returns None if none is due."""
    now = timezone.now()
    with all_tenants(), transaction.atomic():
        due = Attachment.objects.due_to_fetch(now).select_related("company")
        attachment: Attachment | None = due.select_for_update(skip_locked=True, no_key=True, of=("self",)).first()
        if attachment is not None:
            attachment.run_at = now + LEASE
            attachment.tries += 1
            attachment.save(update_fields=["run_at", "tries"])
    return attachment


def store_content(attachment: Attachment, content: IO[bytes]) -> None:
    """Store what was downloaded, unless the lease has ended meanwhile. Raises RequestRefused for another type."""
    content.seek(0)
    content_type = find_content_type(content.read(FIRST_BYTES))
    if not content_type:
        raise RequestRefused("It is neither a picture, a sound, a video, a PDF nor a contact card.")
    content.seek(0)
    with program_transaction(PROGRAM, company_id=attachment.company_id):
        if not _is_leased(attachment):
            return
        days = attachment.company.recording_retention_days
        if attachment.kind in OF_CALLS and days and attachment.created_at < timezone.now() - timedelta(days=days):
            remove_attachments(Attachment.objects.filter(pk=attachment.pk))
            return
        name = f"{attachment.kind}-{attachment.activity_id or attachment.call_id}-{attachment.position + 1}"
        file = store_file(
            company_id=attachment.company_id, name=f"{name}.{ENDINGS[content_type]}", content_type=content_type,
            parts=parts_of(content), kept_for=None,
        )  # fmt: skip
        Attachment.objects.filter(pk=attachment.pk).update(
            file=file, status=AttachmentStatus.STORED, run_at=None, error=""
        )


def record_failure(attachment: Attachment, error: str, *, is_final: bool = False) -> None:
    """Try again later; the last time, or after a final failure, never."""
    failed = is_final or attachment.tries >= settings.WORKER_MAX_TRIES
    wait = timedelta(seconds=min(FIRST_WAIT_S * 4 ** (attachment.tries - 1), MAX_WAIT_S))
    with program_transaction(PROGRAM, company_id=attachment.company_id):
        if _is_leased(attachment):
            Attachment.objects.filter(pk=attachment.pk).update(
                status=AttachmentStatus.FAILED if failed else AttachmentStatus.PENDING,
                run_at=None if failed else timezone.now() + wait, error=error[:200],
            )  # fmt: skip


def fetch_again(attachment: Attachment) -> bool:
    """Let a worker fetch a file that has failed. Returns False if it hasn't."""
    failed = Attachment.objects.filter(pk=attachment.pk, status=AttachmentStatus.FAILED)
    again = failed.update(status=AttachmentStatus.PENDING, tries=0, run_at=timezone.now(), error="")
    transaction.on_commit(noted.set)
    return bool(again)


def _is_leased(attachment: Attachment) -> bool:
    """Lock the row, and return whether it is still leased to this worker. An erasure may have deleted it."""
    own = Attachment.objects.filter(pk=attachment.pk, status=AttachmentStatus.PENDING, run_at=attachment.run_at)
    return own.select_for_update(no_key=True).values_list("pk").first() is not None


def _download(attachment: Attachment, content: IO[bytes]) -> None:
    provider = PROVIDERS.get(attachment.provider)
    own_origin = origin_of(httpx.URL(api_url(attachment.provider, provider.api_url))) if provider else ""
    secret = _headers_of_account(attachment)
    url = attachment.source_url
    for _ in range(2):
        download(
            url, into=content, networks=settings.FILE_NETWORKS,
            max_bytes=MAX_RECORDING if attachment.kind in OF_CALLS else MAX_FILE,
            headers_of=lambda origin: secret if origin == own_origin else {},
        )  # fmt: skip
        url = _url_in(content)
        if not url:
            return


def _url_in(content: IO[bytes]) -> str:
    """Return the URL of the file if this is JSON that names one, as CallRail answers, and empty the content."""
    content.seek(0)
    head = content.read(MAX_JSON)
    try:
        url = json.loads(head).get("url") if head.startswith(b"{") else None
    except (ValueError, AttributeError, RecursionError):
        return ""
    if not isinstance(url, str):
        return ""
    content.seek(0)
    content.truncate()
    return url


def _headers_of_account(attachment: Attachment) -> Mapping[str, str]:
    """Return the headers that the provider's API wants with a request for a file."""
    provider = PROVIDERS.get(attachment.provider)
    try:
        with tenant(attachment.company_id):
            account = ProviderAccount.objects.filter(provider=attachment.provider).first()
    except SecretUnreadable:
        raise RequestFailed("The key of the company's account can't be read.") from None
    return provider.file_headers(account.account_id, account.api_key) if provider and account else {}
