"""Scopes of API tokens: the first word of a URL below /api/v1/, and `read` or `write`."""

from collections.abc import Container

from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from crm.api.base.errors import CodedError
from crm.api.base.roles import PERMISSIONS
from crm.error_codes import ErrorCode

API = "/api/v1/"
READ, WRITE = "read", "write"  # alone: of every resource
# By these a token could give itself more than its scopes: other tokens, feeds, passwords, sessions, webhook events.
NEVER = frozenset(
    {
        "api-tokens:read", "api-tokens:write", "calendar-feeds:read", "calendar-feeds:write", "users:write",
        "events:write", "me:read", "me:write", "provider-connections:write",
    }
)  # fmt: skip


def all_scopes() -> list[str]:
    """Return every scope that a token may have."""
    words = sorted({resource.partition("/")[0] for resource in PERMISSIONS})
    return [READ, WRITE, *sorted({f"{word}:{kind}" for word in words for kind in (READ, WRITE)} - NEVER)]


def check_scope(request: Request, scopes: Container[str]) -> None:
    """Raise CodedError for a request that needs another scope. A route without one is refused to every token."""
    path: str = request._request.path_info
    if not path.startswith(API):
        return
    kind = READ if request.method in SAFE_METHODS else WRITE
    word = path.removeprefix(API).partition("/")[0]
    needed = f"{word}:{kind}"
    if path == f"{API}me" and kind == READ:
        return
    if needed in NEVER or needed not in all_scopes():
        raise CodedError(ErrorCode.SCOPE_MISSING, "API tokens can't be used here: sign in as a user.")
    if needed not in scopes and kind not in scopes:
        raise CodedError(ErrorCode.SCOPE_MISSING, f"The token needs the scope {needed}.")
