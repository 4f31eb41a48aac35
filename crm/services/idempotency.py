"""Doing once what was asked for twice: a client that lost the answer sends the same request with the same key."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils.timezone import now

from crm.db.tenancy import current_company_id
from crm.models import IdempotencyKey, User


class KeyInUse(Exception):
    """The first request with this key is still at work."""


class KeyOfAnotherRequest(Exception):
    """The key was used with another body, or for something else."""


@dataclass(frozen=True)
class Answer:
    """Status, JSON text, and whether they were kept from the first time."""

    status: int
    text: str
    kept: bool = False


def answer_once(*, user: User, key: str, request: str, body: bytes, act: Callable[[], Answer]) -> Answer:
    """The answer of `act`, or, where this user has sent `key` within a day, the one that was given then.

    The answer is kept in the transaction of what `act` does. Where it raises, nothing is done and nothing kept: the
    request may come again. Two at once with one key: on PostgreSQL the later is refused while the first is at work;
    SQLite has one writer at a time, so there it waits, and gets the first one's answer.

    Raises:
        KeyInUse, KeyOfAnotherRequest: and nothing is done.
    """
    request_hash = hashlib.sha256(body).hexdigest()
    with transaction.atomic():
        _lock(user, key)
        known = IdempotencyKey.objects.filter(user=user, key=key)
        known.expired(now()).delete()
        if before := known.first():
            if (before.request, before.request_hash) != (request, request_hash):
                raise KeyOfAnotherRequest("This key was used for another request.")
            return Answer(before.status, before.response, kept=True)
        answer = act()
        IdempotencyKey(
            company_id=current_company_id(),
            user=user,
            key=key,
            request=request,
            request_hash=request_hash,
            status=answer.status,
            response=answer.text,
        ).save()
        return answer


def _lock(user: User, key: str) -> None:
    """Until the transaction ends. A row can't be the lock: nobody else sees it before it is committed."""
    if connection.vendor != "postgresql":
        return
    number = int.from_bytes(hashlib.sha256(f"{user.pk} {key}".encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        if not cursor.fetchone()[0]:
            raise KeyInUse("The first request with this key is still at work.")
