"""Files of outgoing messages: uploads that a user attaches, and that the provider reads by signed links."""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings

from calls.choices import AttachmentStatus
from calls.models import Attachment
from calls.services.attachments.links import make_link
from calls.services.attachments.uploads import find_unused
from crm.db.tenancy import tenant
from crm.error_codes import ErrorCode
from crm.models import PhoneLine
from crm.refusals import Refusal
from messaging.models import Message
from messaging.providers.registry import PROVIDERS

MAX_FILES = 10
MAX_BYTES = 5 * 1024**2  # of all files of a message, as carriers take them
READ_WITHIN = timedelta(hours=4)  # the provider may queue the message


class MediaUnsupported(Refusal):
    """The line's provider can't send files."""

    code, attr = ErrorCode.MEDIA_UNSUPPORTED, "attachments"


class FilesUnusable(Refusal):
    """A file is missing, belongs to something else already, or all are too large together."""

    code, attr = ErrorCode.DOES_NOT_EXIST, "attachments"


def check_line(line: PhoneLine) -> None:
    """Raise MediaUnsupported if the line's provider can't send files."""
    if not PROVIDERS[line.provider].sends_files:
        raise MediaUnsupported(f"{line.get_provider_display()} can't send files. Send the text without them.")


def attach_files(*, message: Message, ids: Sequence[int]) -> None:
    """Attach uploads to a queued message, in this order. Raises FilesUnusable."""
    found = find_unused(ids)
    if len(found) != len(set(ids)):
        raise FilesUnusable("Each must be the ID of an upload that was not used yet.")
    files = [found[pk].file for pk in dict.fromkeys(ids)]
    if sum(file.size for file in files if file) > MAX_BYTES:
        raise FilesUnusable(f"The files of a message must have at most {MAX_BYTES // 1024**2} MiB together.")
    for position, pk in enumerate(dict.fromkeys(ids)):
        Attachment.objects.filter(pk=pk).update(activity=message.activity, position=position)
    message.media = [
        {"url": f"{settings.PUBLIC_URL}/api/v1/attachments/{pk}", "type": file.content_type if file else ""}
        for pk, file in zip(dict.fromkeys(ids), files, strict=True)
    ]
    message.save(update_fields=["media"])


def media_urls_of(message: Message) -> list[str]:
    """Return links to the message's files for its provider."""
    with tenant(message.company_id):
        files = Attachment.objects.filter(activity=message.activity_id, status=AttachmentStatus.STORED)
        return [settings.PUBLIC_URL + make_link(file, lifetime=READ_WITHIN).path for file in files.order_by("position")]
