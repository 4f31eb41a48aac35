"""Polls for changes that find nothing new, answered in one statement.

Each open client polls every two seconds, and nearly always nothing has changed. Such a poll needs no user, view or
serializer. Any other poll, and any doubt, is left to `ChangesView`, which gives the same answer to a quiet one.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import unquote

import orjson
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch, resolve
from django.utils.timezone import now
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings

from crm.api.base.throttles import RateUsage
from crm.api.base.token_users import counter_of
from crm.api.tokens import SESSION, SignedAccessToken
from crm.changes.cursors import Cursor, InvalidCursor, Owner, open_cursor
from crm.db.rate_counters import present_minute
from crm.db.tenancy import tenant_autocommit

URL = "/api/v1/changes"
QUERY = re.compile(r"after=([\w%:.-]{1,500})", re.ASCII)
BEARER = re.compile(r"Bearer ([\w.-]+)", re.ASCII)
# Then the client gets a new cursor: an old one would expire, and its search would read all positions since.
CURSOR_AGE = timedelta(minutes=5)
STATEMENT = "SELECT count_of_quiet_poll(%s, %s, %s, %s, %s, %s, %s, %s, %s)"  # of crm.db.request_functions


class Poll(NamedTuple):
    """A poll whose token and cursor are valid, as far as that shows without the database."""

    session: str
    owner: Owner
    cursor: Cursor
    text: str


class QuietPolls:
    """Answers the polls that find nothing new."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == URL and connection.vendor == "postgresql":
            poll = read_poll(request)
            if poll is not None and (response := answer_quiet(request, poll)):
                return response
        return self.get_response(request)


def read_poll(request: HttpRequest) -> Poll | None:
    """Return the poll of a request, if it is a plain one with a fresh cursor."""
    query = QUERY.fullmatch(request.META.get("QUERY_STRING", ""))
    bearer = BEARER.fullmatch(request.META.get("HTTP_AUTHORIZATION", ""))
    if request.method != "GET" or not query or not bearer or not _takes_json(request):
        return None
    text = unquote(query[1])
    try:
        token = SignedAccessToken(bearer[1].encode())  # type: ignore[arg-type]  # bytes, as DRF passes them
        owner, cursor = open_cursor(text)
    except (TokenError, InvalidCursor):
        return None
    if str(token.get(api_settings.USER_ID_CLAIM)) != str(owner.user_id) or cursor.at < now() - CURSOR_AGE:
        return None
    return Poll(str(token.get(SESSION)), owner, cursor, text)


def answer_quiet(request: Any, poll: Poll) -> HttpResponse | None:
    """Return the answer of a poll that finds nothing new, else None.

    The session is proof enough of the user: a change of the password, role or company ends it.
    """
    request.get_host()  # refuses a host that isn't ours, as CommonMiddleware does
    limit: int = settings.THROTTLE_USER_PER_MIN
    owner, cursor = poll.owner, poll.cursor
    parameters = [
        counter_of(owner.user_id) if limit else None, present_minute(), poll.session, now(), owner.user_id,
        owner.company_id, cursor.history, cursor.position.xid, cursor.position.id,
    ]  # fmt: skip
    with tenant_autocommit(owner.company_id), connection.cursor() as database:
        database.execute(STATEMENT, parameters)
        [count] = database.fetchone()
    if count is None or count > limit > 0:
        return None
    request.resolver_match, request.company_id = _match(), owner.company_id  # for the log
    if limit:
        request.rate_usage = RateUsage("user", limit, remaining=limit - count)
    content = orjson.dumps({"results": [], "next": poll.text})
    headers = {
        "Poll-After": str(settings.CHANGES_POLL_AFTER_S), "Allow": "GET, HEAD, OPTIONS",
        "Content-Length": str(len(content)),
    }  # fmt: skip
    return HttpResponse(content, content_type="application/json", headers=headers)


def _takes_json(request: HttpRequest) -> bool:
    accepted = request.META.get("HTTP_ACCEPT", "*/*")
    return "*/*" in accepted or accepted == "application/json"


@cache
def _match() -> ResolverMatch:
    return resolve(URL)
