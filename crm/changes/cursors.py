"""Cursors: signed positions in the changes, each of one user."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import orjson
from django.core.signing import BadSignature, Signer, b64_encode
from django.utils.encoding import force_bytes
from django.utils.timezone import now

from crm.error_codes import ErrorCode
from crm.models import User
from crm.refusals import Refusal

LIFETIME = timedelta(hours=48)


class CursorSigner(Signer):
    """Django's signer, for less: each poll reads a cursor and writes one."""

    def signature(self, value: str | bytes, key: str | bytes | None = None) -> str:
        digest = hmac.digest(_derive_key(self.salt, key or self.key), force_bytes(value), self.algorithm)
        return b64_encode(digest).decode()


@lru_cache(10)
def _derive_key(salt: str, key: str | bytes) -> bytes:
    """Return the key that Django derives anew for each signature."""
    return hashlib.sha256(force_bytes(f"{salt}signer") + force_bytes(key)).digest()


class CursorJSON:
    """The text of cursors, as Django's serializer writes it."""

    dumps, loads = staticmethod(orjson.dumps), staticmethod(orjson.loads)


_signer = CursorSigner(salt="crm.changes")


class InvalidCursor(Refusal):
    """The text isn't a cursor, or another user's."""

    code, attr = ErrorCode.INVALID_CURSOR, "after"


class ExpiredCursor(Refusal):
    """Changes after the cursor may be missing: the client must load its lists again."""

    code, attr = ErrorCode.CURSOR_EXPIRED, "after"


@dataclass(frozen=True, order=True)
class Position:
    """A transaction and a change in it. Later changes have a greater position."""

    xid: int = 0
    id: int = 0


@dataclass(frozen=True)
class Cursor:
    """A position up to which a user has the changes.

    `history` names the database's history: after a failover or a restored backup, transactions have other numbers.
    """

    position: Position
    history: str
    at: datetime

    def check_history(self, history: str) -> None:
        if self.history != history:
            raise ExpiredCursor


class Owner(NamedTuple):
    """The user that a cursor was given to, as it was then. A change of company or role ends the user's sessions."""

    pk: int
    company_id: int
    role: str


def write_cursor(cursor: Cursor, user: User | Owner) -> str:
    """Return the cursor as text that only this user can use."""
    position, at = cursor.position, int(cursor.at.timestamp())
    values = [user.pk, user.company_id, user.role, cursor.history, position.xid, position.id, at]
    return _signer.sign_object(values, serializer=CursorJSON)


def read_cursor(text: str, user: User) -> Cursor:
    """Return the user's cursor.

    Raises:
        InvalidCursor: it was never given to this user.
        ExpiredCursor: it is too old, or the user's role has changed, and so what the user sees.
    """
    owner, cursor = open_cursor(text)
    if (owner.pk, owner.company_id) != (user.pk, user.company_id):
        raise InvalidCursor
    if owner.role != user.role:
        raise ExpiredCursor
    return cursor


def open_cursor(text: str) -> tuple[Owner, Cursor]:
    """Return a cursor with the user it was given to. Raises InvalidCursor, or ExpiredCursor if it is too old."""
    try:
        user_id, company_id, role, history, xid, change_id, seconds = _signer.unsign_object(text, serializer=CursorJSON)
    except (BadSignature, ValueError) as error:
        raise InvalidCursor from error
    cursor = Cursor(Position(xid, change_id), history, datetime.fromtimestamp(seconds, UTC))
    if cursor.at < now() - LIFETIME:
        raise ExpiredCursor
    return Owner(user_id, company_id, role), cursor
