"""Idempotency keys: a client that lost a response repeats the request with the same key."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from django.db import transaction
from django.utils.timezone import now

from crm.db.advisory_locks import try_advisory_xact_lock
from crm.db.tenancy import current_company_id
from crm.encryption import keyed_hash
from crm.error_codes import ErrorCode
from crm.models import IdempotencyKey, User
from crm.refusals import Refusal


class KeyInProgress(Refusal):
    """The first request with this key is still running."""

    code = ErrorCode.KEY_IN_USE


class KeyReused(Refusal):
    """The key was used for a request with another body, method, path or query."""

    code = ErrorCode.KEY_REUSED


@dataclass(frozen=True)
class StoredResponse:
    """Response of a request: status, JSON text, the row's tag, and whether it was stored by an earlier request."""

    status: int
    text: str
    etag: str = ""
    replayed: bool = False


def run_idempotently(
    *, user: User, key: str, request: str, body: bytes, operation: Callable[[], StoredResponse]
) -> StoredResponse:
    """Return the response of `operation`, or the stored response if the user has sent `key` within a day.

    The response is stored in the transaction of `operation`. If that raises, nothing is changed or stored, and the
    request can be repeated. PostgreSQL refuses a second request with the key while the first is running. SQLite has one
    writer at a time: there the second request waits and gets the first one's response.

    Raises:
        KeyInProgress, KeyReused: nothing is changed.
    """
    # Keyed, since a body may have a password; not with SECRET_KEY, which may change between two requests.
    request_hash = keyed_hash("idempotent request", sha256(body).hexdigest())
    with transaction.atomic():
        # A row can't serve as the lock, since other transactions don't see it before the commit.
        if not try_advisory_xact_lock("idempotency key", user.pk, key):
            raise KeyInProgress
        known = IdempotencyKey.objects.filter(user=user, key=key)
        known.expired(now()).delete()
        if before := known.first():
            if (before.request, before.request_hash) != (request, request_hash):
                raise KeyReused
            return StoredResponse(before.status, before.response, before.etag, replayed=True)
        response = operation()
        IdempotencyKey(
            company_id=current_company_id(),
            user=user,
            key=key,
            request=request,
            request_hash=request_hash,
            status=response.status,
            response=response.text,
            etag=response.etag,
        ).save()
        return response
