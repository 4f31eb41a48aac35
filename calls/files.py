"""The view of signed links to attachments: whole files, and ranges of them."""

import re
from collections.abc import Iterator
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header, http_date
from django.views.decorators.http import require_safe

from calls.choices import AttachmentStatus
from calls.models import Attachment
from calls.services.attachments.links import LinkExpired, LinkInvalid, read_link
from crm.content_types import is_shown
from crm.db.tenancy import tenant_autocommit
from crm.error_codes import ErrorCode
from crm.models import StoredFile
from crm.outages import RETRY_AFTER_S
from crm.services.file_storage import FileStorageUnavailable
from crm.services.stored_files import open_range

RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
KEPT_S = 300  # by the reader's browser alone
SAFETY = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",  # a front end elsewhere shows it in its pages
    "Cache-Control": f"private, max-age={KEPT_S}",
    "Accept-Ranges": "bytes",
}


@require_safe
def attachment_file(request: HttpRequest, token: str) -> HttpResponse | StreamingHttpResponse:
    """Send a file by its signed link. A link that nobody has signed is a 404, and one whose time is over a 410."""
    try:
        target = read_link(token)
    except LinkInvalid:
        return _say("There is no such file.", HTTPStatus.NOT_FOUND)
    except LinkExpired:
        return _say("This link has expired. Open the file again from where you found it.", HTTPStatus.GONE)
    request.company_id = target.company_id  # type: ignore[attr-defined]  # for the request log
    with tenant_autocommit(target.company_id):
        stored = Attachment.objects.filter(pk=target.attachment_id, status=AttachmentStatus.STORED)
        attachment = stored.select_related("file").first()
    if attachment is None or attachment.file is None:
        return _say("The file was deleted.", HTTPStatus.GONE)
    return send_file(request, attachment.file)


def send_file(request: HttpRequest, file: StoredFile) -> HttpResponse | StreamingHttpResponse:
    """Return the response with the file, or with the range that the request asks for."""
    etag = f'"{file.company_id}-{file.pk}"'
    headers = SAFETY | {
        "ETag": etag,
        "Last-Modified": http_date(file.created_at.timestamp()),
        "Content-Disposition": content_disposition_header(not is_shown(file.content_type), file.name) or "attachment",
    }
    wanted = request.headers.get("Range", "") if request.headers.get("If-Range", etag) == etag else ""
    try:
        part = read_range(wanted, file.size)
    except ValueError:
        response = _say("The file has no such part.", HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        response["Content-Range"] = f"bytes */{file.size}"
        return response
    first, last = part or (0, file.size - 1)
    if part:
        headers["Content-Range"] = f"bytes {first}-{last}/{file.size}"
    headers["Content-Length"] = str(last - first + 1)
    is_empty = request.method == "HEAD" or last < first
    body: Iterator[bytes] = iter(())
    if not is_empty:
        try:
            body = open_range(file=file, first=first, last=last)
        except FileStorageUnavailable:
            return _say_unavailable()
    return StreamingHttpResponse(
        body,
        status=HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK,
        content_type=file.content_type,
        headers=headers,
    )


def read_range(header: str, size: int) -> tuple[int, int] | None:
    """Return the first and the last byte of a Range header; None for the whole file. Raises ValueError outside of it.

    Several ranges, and other units, are ignored, as RFC 9110 allows.
    """
    match = RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:  # the last bytes
        begin, end = max(size - int(last), 0), size - 1
        if not int(last):
            raise ValueError(header)
    else:
        begin, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < begin:
            return None  # no range at all
    if begin >= size:
        raise ValueError(header)
    return begin, end


def _say(text: str, status: HTTPStatus) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8", headers=SAFETY)


def _say_unavailable() -> HttpResponse:
    body = ErrorCode.UNAVAILABLE.body("The file can't be read at the moment. Try again.")
    again = {"Retry-After": str(RETRY_AFTER_S), "Cache-Control": "no-store"}
    return JsonResponse(body, status=ErrorCode.UNAVAILABLE.status, headers=SAFETY | again)
