"""Notes of files that providers keep. A worker fetches them: see `messaging.services.attachments`."""

from collections.abc import Iterable, Sequence
from threading import Event

from django.db import transaction
from django.utils import timezone

from calls.choices import AttachmentKind, AttachmentStatus
from calls.models import Attachment, Call
from crm.models import Activity

File = dict[str, str]  # with `url` and `type`

noted = Event()
"""Set when this process has noted a file: its worker then looks at once, and not only once a minute."""


def note_files_of_messages(messages: Iterable[tuple[Activity, Sequence[File]]], *, provider: str) -> None:
    """Note the files of messages for the worker, once each, in one statement."""
    _note(
        [
            _pending(activity.company_id, file, provider=provider, kind=AttachmentKind.MESSAGE, activity=activity,
                     position=position, created_at=activity.created_at)
            for activity, files in messages
            for position, file in enumerate(files)
        ]
    )  # fmt: skip


def note_files_of_call(call: Call, *, provider: str, recordings: Sequence[File] = (), voicemail_url: str = "") -> None:
    """Note the files of a call for the worker. The caller has locked the call.

    A provider may send a recording's URL again, with another signature behind it: that is the same file.
    """
    sent = [(AttachmentKind.RECORDING, file["url"]) for file in recordings]
    sent += [(AttachmentKind.VOICEMAIL, voicemail_url)] if voicemail_url else []
    if not sent:
        return
    known = {(each.kind, _without_query(each.source_url)): each for each in Attachment.objects.filter(call=call)}
    new = []
    for kind, url in sent:
        key = (kind, _without_query(url))
        if key not in known:
            position = sum(1 for other, _ in known if other == kind)
            known[key] = _pending(
                call.company_id, {"url": url}, provider=provider, kind=kind, call=call, position=position,
                created_at=call.created_at,
            )  # fmt: skip
            new.append(known[key])
        elif known[key].pk and known[key].source_url != url and known[key].status != AttachmentStatus.STORED:
            _renew(known[key], url)
    _note(new)


def _pending(company_id: int, file: File, **values: object) -> Attachment:
    return Attachment(company_id=company_id, source_url=file["url"], run_at=timezone.now(), **values)


def _renew(attachment: Attachment, url: str) -> None:
    """Fetch a file from its new URL."""
    Attachment.objects.filter(pk=attachment.pk).exclude(status=AttachmentStatus.STORED).update(
        source_url=url, status=AttachmentStatus.PENDING, tries=0, run_at=timezone.now(), error=""
    )
    transaction.on_commit(noted.set)


def _note(attachments: Sequence[Attachment]) -> None:
    if attachments:
        Attachment.objects.bulk_create(attachments, ignore_conflicts=True)
        transaction.on_commit(noted.set)


def _without_query(url: str) -> str:
    return url.partition("?")[0]
