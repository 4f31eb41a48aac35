"""Files that users upload: for a contact, an appointment, or a message that is written next."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from calls.choices import AttachmentKind, AttachmentStatus
from calls.models import Appointment, Attachment
from calls.models.attachments import OF_NOBODY
from crm.choices import AuditAction
from crm.content_types import FIRST_BYTES, find_content_type
from crm.db.tenancy import current_company_id
from crm.error_codes import ErrorCode
from crm.models import Contact, User
from crm.refusals import Refusal
from crm.services.audited_actions import record_action
from crm.services.stored_files import store_file

MAX_UPLOAD = 25 * 1024**2  # bytes
MAX_ON_ONE = 200  # files of one contact or appointment


class FileRefused(Refusal):
    """The file is too large, or of a type that isn't kept."""

    code, attr = ErrorCode.UNREADABLE_FILE, "file"


class TooManyFiles(Refusal):
    """The contact or the appointment has as many files as it can have."""

    code = ErrorCode.LIMIT_REACHED


class NotAnUpload(Refusal):
    """The file came from the provider."""

    code = ErrorCode.NOT_ALLOWED


def upload_file(
    *, upload: UploadedFile, user: User, contact: Contact | None = None, appointment: Appointment | None = None
) -> Attachment:
    """Store a file, and put it on a contact or an appointment; without one it waits a day for its message.

    What is put on one is recorded in the audit.

    Raises:
        FileRefused: it is too large, or neither a picture, a sound, a video, a PDF nor a contact card.
        TooManyFiles: the contact or the appointment has enough.
    """
    if (upload.size or 0) > MAX_UPLOAD:
        raise FileRefused(f"The file must have at most {MAX_UPLOAD // 1024**2} MiB.")
    content_type = find_content_type(upload.read(FIRST_BYTES))
    if not content_type:
        raise FileRefused("The file must be a picture, a sound, a video, a PDF or a contact card.")
    owner = {"contact": contact, "appointment": appointment}
    given = {name: row for name, row in owner.items() if row is not None}
    if given and Attachment.objects.filter(**given).count() >= MAX_ON_ONE:
        raise TooManyFiles(f"It has {MAX_ON_ONE} files; delete one first.")
    upload.seek(0)
    file = store_file(
        company_id=current_company_id(), name=upload.name or "file", content_type=content_type, parts=upload.chunks(),
        user=user, kept_for=None,
    )  # fmt: skip
    attachment = Attachment.objects.create(
        company_id=current_company_id(), kind=AttachmentKind.UPLOAD, status=AttachmentStatus.STORED, file=file,
        created_by=user, **owner,
    )  # fmt: skip
    if given:
        changes = {name: (None, row.pk) for name, row in given.items()}
        _record(attachment, user, AuditAction.INSERT, changes)
    return attachment


def remove_upload(*, attachment: Attachment, user: User) -> None:
    """Delete a file that a user has uploaded. Raises NotAnUpload for one of a message or a call."""
    if attachment.kind != AttachmentKind.UPLOAD or attachment.activity_id:
        raise NotAnUpload("The files of messages and calls can't be deleted one by one.")
    ids = {"contact": attachment.contact_id, "appointment": attachment.appointment_id}
    changes = {name: (pk, None) for name, pk in ids.items() if pk}
    if changes:
        _record(attachment, user, AuditAction.DELETE, changes)
    attachment.delete()


def find_unused(ids: Sequence[int]) -> dict[int, Attachment]:
    """Return the uploads of the active company with these IDs that belong to nothing yet, locked."""
    unused = Attachment.objects.filter(OF_NOBODY, pk__in=ids, status=AttachmentStatus.STORED)
    locked = unused.select_for_update(of=("self",)).order_by("pk")
    return {each.pk: each for each in locked.select_related("file")}


def _record(attachment: Attachment, user: User, action: AuditAction, changes: Mapping[str, tuple[Any, Any]]) -> None:
    """Record who has put a file on a contact or an appointment, or removed it. Its name may be words of a person."""
    record_action(user=user, table="attachments", row_id=attachment.pk, changes=changes, action=action)
