"""Plain polls for changes, answered in one statement, before views and serializers.

Each open client polls every two seconds: no other request is as frequent. A poll with a valid token and cursor needs no
user row, view or negotiation. Any other request, and any doubt, is left to `ChangesView`, which gives the same answers.
"""

import re
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache, lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch, resolve
from django.utils.timezone import now
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings

from crm.api.base.renderers import FastJSONRenderer
from crm.api.base.throttles import RateUsage
from crm.api.base.token_users import counter_of
from crm.api.changes import USUAL_LIMIT, tell_changes
from crm.api.seen_changes import concerning, needs_reach
from crm.api.tokens import REMEMBERED, SESSION, SignedAccessToken
from crm.changes.cursors import Cursor, ExpiredCursor, InvalidCursor, Owner, open_cursor
from crm.changes.pages import pages_of
from crm.db.rate_counters import present_minute
from crm.db.tenancy import tenant_autocommit

URL = "/api/v1/changes"
QUERY = re.compile(r"after=([\w%:.-]{1,500})", re.ASCII)
BEARER = re.compile(r"Bearer ([\w.-]+)", re.ASCII)
# One message. The function, of crm.db.request_functions, activates the company. A limit of time must precede it.
STATEMENT = (
    "SET LOCAL statement_timeout = %s; SELECT * FROM poll_changes(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)


class Claims(NamedTuple):
    """The claims of an access token that a poll needs."""

    session: str
    password_hash: str
    end: int  # in seconds since 1970


class Poll(NamedTuple):
    """A poll whose token and cursor are valid, as far as that shows without the database."""

    claims: Claims
    user: Owner
    cursor: Cursor


class PlainPolls:
    """Answers plain polls."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # In a transaction, as of a test, the settings would last.
        if request.path_info == URL and connection.vendor == "postgresql" and not connection.in_atomic_block:
            poll = read_poll(request)
            if poll is not None and (response := answer_poll(request, poll)):
                return response
        return self.get_response(request)


def read_poll(request: HttpRequest) -> Poll | None:
    """Return the poll of a request, if it is a plain one."""
    query = QUERY.fullmatch(request.META.get("QUERY_STRING", ""))
    bearer = BEARER.fullmatch(request.META.get("HTTP_AUTHORIZATION", ""))
    if request.method != "GET" or not query or not bearer or not _takes_json(request):
        return None
    try:
        claims = read_claims(bearer[1].encode())
        owner, cursor = open_cursor(unquote(query[1]))
    except (TokenError, InvalidCursor, ExpiredCursor):
        return None
    return Poll(claims, owner, cursor) if claims.end > time.time() else None


@lru_cache(REMEMBERED)
def read_claims(token: bytes) -> Claims:
    """Return the claims of a token. Those that were read before are remembered: it may have expired since."""
    claims = SignedAccessToken(token)  # type: ignore[arg-type]  # bytes, as DRF passes them
    return Claims(str(claims.get(SESSION)), str(claims.get(api_settings.REVOKE_TOKEN_CLAIM)), claims["exp"])


def answer_poll(request: Any, poll: Poll) -> HttpResponse | None:
    """Return the answer to a poll. None: the view must answer it."""
    request.get_host()  # refuses a host that isn't ours, as CommonMiddleware does
    user, position, limit = poll.user, poll.cursor.position, settings.THROTTLE_USER_PER_MIN
    company_id = user.company_id
    parameters = [
        settings.WEB_STATEMENT_TIMEOUT_MS, counter_of(user.pk) if limit else None, present_minute(),
        poll.claims.session, now(), user.pk, company_id, user.role, poll.claims.password_hash,
        position.xid, position.id, USUAL_LIMIT, str(settings.WEB_LOCK_TIMEOUT_MS),
    ]  # fmt: skip
    with connection.cursor() as database:
        database.execute(STATEMENT, parameters)
        found = database.fetchall()
    if not found or found[0][0] > limit > 0:
        return None
    page = pages_of((row[1:-1] for row in found), limit=USUAL_LIMIT)[company_id]
    if page.history != poll.cursor.history:
        return None
    if page.rows:
        page = page._replace(rows=concerning(user, page.rows, [in_reach for *_, in_reach in found]))
    with tenant_autocommit(company_id) if needs_reach(user, page.rows) else nullcontext():
        body, headers = tell_changes(user, page, is_first=False)
    request.resolver_match, request.company_id = _match(), company_id  # for the log
    if limit:
        request.rate_usage = RateUsage("user", limit, remaining=limit - found[0][0])
    content = FastJSONRenderer().render(body)
    headers |= {"Allow": "GET, HEAD, OPTIONS", "Content-Length": str(len(content))}
    return HttpResponse(content, content_type="application/json", headers=headers)


def _takes_json(request: HttpRequest) -> bool:
    accepted = request.META.get("HTTP_ACCEPT", "*/*")
    return "*/*" in accepted or accepted == "application/json"


@cache
def _match() -> ResolverMatch:
    return resolve(URL)
