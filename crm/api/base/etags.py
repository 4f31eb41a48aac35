"""Entity tags of single rows. With `If-Match`, a change is refused if the row has changed since it was read.

A tag has two parts: the version of the row's own fields, and that of its companions. `If-None-Match` compares both,
since the response shows both. `If-Match` compares the first alone: a message that arrives in a conversation must not
refuse the change of its assignee.
"""

import re
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_200_OK, HTTP_304_NOT_MODIFIED

from crm.api.base.errors import CodedError, invalid
from crm.error_codes import ErrorCode
from crm.versions import version_of

TAG = r'(W/)?"[!#-~]*"'
TAGS = rf"^(\*|{TAG}( *, *{TAG})*)$"
ETAG, IF_MATCH, IF_NONE_MATCH = "ETag", "If-Match", "If-None-Match"


class Stale(CodedError):
    """The row isn't the one that the client has read. The response has the row as it is now."""

    def __init__(self, current: Any) -> None:
        super().__init__(ErrorCode.STALE, current=current)
        self.etag = etag_of(current)


def etag_of(row: Any) -> str:
    """Return the tag of a row, as the serializer shows it."""
    companions = {str(field.field_name) for field in getattr(row.serializer, "companions", ()) if not field.is_own}
    own = version_of({name: value for name, value in row.items() if name not in companions})
    beside = {name: row[name] for name in row if name in companions}
    return f'"{own}-{version_of(beside)}"' if beside else f'"{own}"'


def tagged_response(request: Request, row: Any, *, status: int = HTTP_200_OK) -> Response:
    """Return a row with its tag; 304 without the row if the client has it, by `If-None-Match`."""
    tag = etag_of(row)
    if request.method in ("GET", "HEAD") and matches(request, IF_NONE_MATCH, tag):
        return Response(status=HTTP_304_NOT_MODIFIED, headers={ETAG: tag})
    return Response(row, status, headers={ETAG: tag})


def check_if_match(request: Request, row: Any) -> None:
    """Compare `If-Match`, if given, with the tag of a locked row. Raises Stale if they differ."""
    if IF_MATCH in request.headers and not matches(request, IF_MATCH, etag_of(row)):
        raise Stale(row)


def matches(request: Request, header: str, tag: str) -> bool:
    """Return whether a header names the tag, `If-Match` the part of the row's own fields.

    Proxies that compress a response mark its tag as weak (`W/`). It still names the same row.

    Raises:
        ValidationError: the header isn't a list of tags.
    """
    text = request.headers.get(header)
    if text is None:
        return False
    if not re.fullmatch(TAGS, text):
        raise invalid(header, 'Must be an ETag as it was received, with its quotes, or "*" without quotes.')
    named = re.findall(r'"([^"]*)"', text)
    if header == IF_MATCH:
        return text == "*" or own_part(tag) in map(own_part, named)
    return text == "*" or tag.strip('"') in named


def own_part(tag: str) -> str:
    return tag.strip('"').partition("-")[0]
