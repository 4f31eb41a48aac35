"""HTTP requests to providers, with responses translated into send errors."""

import math
import random
import re
import ssl
import time
from contextlib import closing
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import httpx
from django.conf import settings
from django.utils import timezone

from crm.http_deadline import cut_after
from messaging.providers.answers import read_code
from messaging.providers.error_codes import MEANINGS, Effect, is_foreign, names_recipient, pause_until
from messaging.providers.errors import (
    InvalidPayload,
    LineSuspended,
    NotCalled,
    RateLimited,
    Rejected,
    SendError,
    UnknownOutcome,
    Unreachable,
)
from messaging.providers.payloads import read_json

CONNECT_TIMEOUT_S, RESPONSE_TIMEOUT_S = 3.0, 7.0  # together well under a worker's lease
MAX_RESPONSE = 5 * 1024 * 1024  # bytes
UNREACHABLE_RETRY_S = 10.0
MAX_WAIT_S = 3600.0
MAX_RETRIES, MAX_RETRY_WAIT_S = 6, 30.0
MAX_REASON = 200
MAX_READ_REASON = 1000  # characters that are searched for numbers

_NUMBER = re.compile(r"\+?\d[\d\s().-]{5,}\d")


def api_url(provider: str, default: str) -> str:
    """Return the URL of a provider's API. The environment may name another, as tests do."""
    return str(settings.PROVIDER_API_URLS.get(provider, default))


def request_json(method: str, url: str, *, recipient: str = "", **options: Any) -> dict[str, Any]:
    """Send a request and return the JSON object of the response.

    Args:
        recipient: E.164, of a message. An error that concerns it doesn't suspend the line.
        options: httpx's `json`, `data`, `params`, `headers`, `auth`.

    Raises:
        NotCalled: the request could not be made.
        RateLimited, LineSuspended, Rejected: the provider did nothing.
        UnknownOutcome: no response, or an unreadable one: the provider may have acted.
    """
    # A compressed answer of a few bytes can fill the memory when it is decompressed.
    options["headers"] = {**options.get("headers", {}), "Accept-Encoding": "identity"}
    auth = options.pop("auth", None)
    try:
        # A new connection for each request: the provider may have closed a kept one. A message written into that would
        # have an unknown outcome.
        client = httpx.Client(
            verify=_ssl_context(), timeout=httpx.Timeout(RESPONSE_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        )
        request = client.build_request(method, url, **options)
    except Exception as error:
        raise NotCalled(error) from error
    try:
        with client, cut_after(CONNECT_TIMEOUT_S + RESPONSE_TIMEOUT_S) as extensions:
            request.extensions.update(extensions)
            with closing(client.send(request, auth=auth, stream=True)) as response:
                content = _read(response)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError):
        raise Unreachable("The provider can't be reached.", wait_s=UNREACHABLE_RETRY_S) from None
    except httpx.TimeoutException:
        raise UnknownOutcome("The provider didn't respond in time.") from None
    except httpx.RequestError as error:  # its text may quote the request
        raise UnknownOutcome(f"The connection was lost ({type(error).__name__}).") from None
    answer = _parse_object(content)
    if response.is_success and answer is not None:
        return answer
    raise _to_error(response, answer or {}, recipient)


def request_with_retries(method: str, url: str, **options: Any) -> dict[str, Any]:
    """Call `request_json` and wait when rate limited. For long lists only: a worker must not sleep."""
    for _ in range(MAX_RETRIES):
        try:
            return request_json(method, url, **options)
        except RateLimited as error:
            if error.wait_s > MAX_RETRY_WAIT_S:
                raise
            time.sleep(error.wait_s)
    return request_json(method, url, **options)


def in_an_hour() -> datetime:
    """Return the time to retry a suspended line: by then the company may have paid, or corrected the key."""
    return timezone.now() + timedelta(hours=1)


def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    for chunk in response.iter_raw():
        content += chunk
        if len(content) > MAX_RESPONSE:
            raise httpx.ReadError("too long")
    return bytes(content)


def _parse_object(content: bytes) -> dict[str, Any] | None:
    """Return the answer, cleaned as webhook events are; None if it is unreadable."""
    try:
        return read_json(content)[0]
    except InvalidPayload:
        return None


def _to_error(response: httpx.Response, answer: dict[str, Any], recipient: str) -> SendError:
    status, code = response.status_code, read_code(answer, "code")
    reasons = (answer.get("message"), answer.get("error"), response.reason_phrase)
    reason = next((text for text in reasons if isinstance(text, str) and text.strip()), f"Status {status}.")
    reason = _redact_numbers(reason[:MAX_READ_REASON])
    if not response.is_client_error or status == httpx.codes.REQUEST_TIMEOUT:
        return UnknownOutcome(f"The provider answered with status {status}; the outcome is unknown.", code=code)
    effect = MEANINGS[code].effect if code in MEANINGS else None
    # Of two limits, such as a daily cap, the code says which one was reached.
    if effect == Effect.RETRY or (status == httpx.codes.TOO_MANY_REQUESTS and effect is None):
        return RateLimited(
            "The provider's rate limit was reached.", wait_s=_retry_after_s(response.headers.get("Retry-After"))
        )
    if status == httpx.codes.UNAUTHORIZED:
        return LineSuspended("The provider rejects the API key.", until=in_an_hour(), code=code)
    about_account = status in (httpx.codes.PAYMENT_REQUIRED, httpx.codes.FORBIDDEN)
    if about_account and recipient and names_recipient(answer, recipient):
        return Rejected(reason, code=code)
    until = pause_until(effect, timezone.now()) if effect else None
    if until is None and about_account and effect is None:
        if status == httpx.codes.FORBIDDEN and is_foreign(recipient):  # the country isn't enabled
            return Rejected(reason, code=code)
        until = in_an_hour()
    return LineSuspended(reason, until=until, code=code) if until else Rejected(reason, code=code)


def _retry_after_s(retry_after: str | None) -> float:
    """Return the seconds to wait, with jitter if there is no header: else all workers would retry at once."""
    try:
        seconds = float(retry_after or "")
    except ValueError:
        seconds = math.nan
    if math.isnan(seconds):
        return 1 + random.random()  # noqa: S311  # nothing secret
    return min(max(seconds, 0.0), MAX_WAIT_S)


def _redact_numbers(text: str) -> str:
    """Replace phone numbers: the text of an error may reach a log."""
    return _NUMBER.sub("(number)", text)[:MAX_REASON]


@cache
def _ssl_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()  # reads the certificates file each time
