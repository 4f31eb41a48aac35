"""One request to a provider, and what its answer means for a text."""

import json
import random
import re
import ssl
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import httpx
from django.utils import timezone

from messaging.providers.sms_client import LineSuspended, RateLimited, Rejected, SendError, UnknownOutcome

CONNECT_S, ANSWER_S = 3.0, 7.0  # together well under a worker's lease
MAX_ANSWER = 5 * 1024 * 1024  # bytes
UNREACHABLE_WAIT_S = 10.0
MAX_WAIT_S = 3600.0
PATIENCE, MAX_PATIENT_WAIT_S = 6, 30.0
MAX_REASON = 200

_NUMBER = re.compile(r"\+?\d[\d\s().-]{5,}\d")

Errors = Mapping[str, Callable[..., SendError]]  # by the provider's code, or by the status; made of `words, code=`
NO_ERRORS: Errors = {}


def request_json(method: str, url: str, *, errors: Errors = NO_ERRORS, **options: Any) -> dict[str, Any]:
    """What the provider answers, an object.

    Args:
        errors: what certain answers mean; the others mean what their status says.
        options: httpx's `json`, `data`, `params`, `headers`, `auth`.

    Raises:
        RateLimited, LineSuspended, Refused: nothing was done.
        Ambiguous: no answer, or none that can be read: it may have been done, or not.
    """
    deadline = time.monotonic() + CONNECT_S + ANSWER_S
    try:
        # A connection for each request: one that is kept may have been closed meanwhile, and a text written into it
        # would be one that nobody can say of whether it has left.
        with (
            httpx.Client(verify=_trusted(), timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S)) as client,
            client.stream(method, url, **options) as response,
        ):
            content = _read(response, deadline)
    except (httpx.ConnectError, httpx.ConnectTimeout):
        raise RateLimited("The provider can't be reached.", wait_s=UNREACHABLE_WAIT_S) from None
    except httpx.TimeoutException:
        raise UnknownOutcome("The provider gave no answer in time.") from None
    except httpx.RequestError as error:  # its text may quote the request, so that it is not passed on
        raise UnknownOutcome(f"The connection broke off ({type(error).__name__}).") from None
    answer = _object_in(content)
    if response.is_success and answer is not None:
        return answer
    raise _error_of(response, answer or {}, errors)


def request_patiently(method: str, url: str, **options: Any) -> dict[str, Any]:
    """The same; where the provider asks for fewer requests it waits. For long lists alone: a worker must not sleep."""
    for _ in range(PATIENCE):
        try:
            return request_json(method, url, **options)
        except RateLimited as error:
            if error.wait_s > MAX_PATIENT_WAIT_S:
                raise
            time.sleep(error.wait_s)
    return request_json(method, url, **options)


def in_an_hour() -> datetime:
    """When a refused line is tried again: by then somebody may have paid, or put the key right."""
    return timezone.now() + timedelta(hours=1)


def _read(response: httpx.Response, deadline: float) -> bytes:
    """The body. httpx's own time limit is for each piece, of which a slow answer may have any number."""
    content = b""
    for piece in response.iter_bytes():
        content += piece
        if time.monotonic() > deadline or len(content) > MAX_ANSWER:
            raise httpx.ReadTimeout("too slow, or too long")
    return content


def _object_in(content: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _error_of(response: httpx.Response, answer: dict[str, Any], errors: Errors) -> SendError:
    status, code = response.status_code, str(answer.get("code") or "")[:20]
    words = _plain(str(answer.get("message") or answer.get("error") or response.reason_phrase))
    if known := errors.get(code) or errors.get(str(status)):
        return known(words, code=code)
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return RateLimited("The provider asks for fewer requests.", wait_s=_wait_s(response.headers.get("Retry-After")))
    if status == httpx.codes.UNAUTHORIZED:
        return LineSuspended("The provider refuses the key.", until=in_an_hour(), code=code)
    if status in (httpx.codes.PAYMENT_REQUIRED, httpx.codes.FORBIDDEN):
        return LineSuspended(words, until=in_an_hour(), code=code)
    if response.is_client_error and status != httpx.codes.REQUEST_TIMEOUT:
        return Rejected(words, code=code)
    return UnknownOutcome(f"The provider answered {status}, which says nothing for sure.", code=code)


def _wait_s(retry_after: str | None) -> float:
    """With jitter where the provider doesn't say: else all workers would come back at once."""
    try:
        seconds = float(retry_after or "")
    except ValueError:
        return 1 + random.random()  # noqa: S311  # nothing secret
    return min(max(seconds, 0.0), MAX_WAIT_S)


def _plain(words: str) -> str:
    """The provider's words without phone numbers: an error's text may reach a log."""
    return _NUMBER.sub("(number)", words)[:MAX_REASON]


@cache
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context()  # reads a file of certificates, each time
