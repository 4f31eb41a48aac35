"""Idempotency keys of POST requests."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.errors import invalid
from crm.api.base.etags import ETAG
from crm.api.base.renderers import FastJSONRenderer
from crm.api.base.roles import visible
from crm.error_codes import ErrorCode
from crm.models import Contact, User
from crm.services.idempotency import StoredResponse, run_idempotently

HEADER = "Idempotency-Key"
PARAMETER = {
    "name": HEADER,
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[!-~]+$"},
    "description": "Chosen by the client, new for each operation. Within a day, a repeat of the key with the same body "
    "and query returns the stored response, marked `Idempotency-Replayed: true`, without repeating the operation. With "
    "another body or query it is a 422; while the first request is in progress, a 409. A rejected request may be sent "
    "again.",
}


def answer_once(handler: Callable[..., Response], *, user: User, request: Request, **kwargs: Any) -> Response:
    """Return the handler's response to a request with a key, or the stored response to the same request before."""
    key = request.headers[HEADER]
    if not re.fullmatch("[!-~]{1,100}", key):
        raise invalid(HEADER, "Must be 1 to 100 visible ASCII characters, without spaces.")

    def operation() -> StoredResponse:
        response = handler(request, **kwargs)
        text = FastJSONRenderer().render(response.data).decode()
        return StoredResponse(response.status_code, text, response.get(ETAG, ""))

    stored = run_idempotently(
        user=user,
        key=key,
        request=f"{request.method} {request.path}",
        body=describe_body(request.data) + describe_parameters(request),
        operation=operation,
    )
    data = json.loads(stored.text)
    headers = {ETAG: stored.etag} if stored.etag else {}
    if stored.replayed:
        check_reach(data, user)
        headers["Idempotency-Replayed"] = "true"
    return Response(data, stored.status, headers=headers)


def check_reach(data: Any, user: User) -> None:
    """Refuse a stored response about a contact that has left the user's reach since, as the request would be now."""
    contact = data.get("contact") if isinstance(data, dict) else None
    if contact and not visible(Contact.objects.filter(pk=contact), user, "contacts").exists():
        raise invalid("contact", code=ErrorCode.DOES_NOT_EXIST)


def describe_body(data: Any) -> bytes:
    """Return a text that is the same for the same body: JSON in any order of its fields, or a form with its files."""
    fields = dict(data.lists()) if isinstance(data, MultiValueDict) else data
    return json.dumps(fields, sort_keys=True, default=_describe_file).encode()


def describe_parameters(request: Request) -> bytes:
    """Return the query parameters: with `dry_run=1` the same body asks for something else."""
    parameters = sorted(request.query_params.lists())
    return json.dumps(parameters).encode() if parameters else b""


def _describe_file(file: UploadedFile) -> list[Any]:
    digest = hashlib.sha256()
    for chunk in file.chunks():  # from the start of the file
        digest.update(chunk)
    file.seek(0)
    return [file.name, file.content_type, digest.hexdigest()]
