"""CallRail's API, version 3, read only: calls.

Messages in its lists have no id, so they can't be matched with those from webhook events.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from django.utils import timezone

from crm.choices import Provider
from messaging.providers import fields
from messaging.providers.answers import list_rows
from messaging.providers.callrail import webhook
from messaging.providers.errors import FieldError, InvalidPayload, LineSuspended
from messaging.providers.events import CallEvent, Envelope, MessageEvent
from messaging.providers.http import api_url, in_an_hour, request_with_retries
from messaging.providers.interfaces import Line, SentMessage
from messaging.providers.payloads import try_read

API_URL = "https://api.callrail.com"
PAGE = 250  # the maximum
LONGEST_CALL = timedelta(hours=4)  # an older call has ended, even if it lasted 0 seconds


class CallRailClient:
    def __init__(self, *, account_id: str, key: str) -> None:
        self._headers = file_headers(account_id, key)
        self._path = f"/v3/a/{account_id}/calls.json"

    def send(self, *, line: Line, to: str, body: str, media_urls: Sequence[str] = ()) -> SentMessage:
        raise LineSuspended("CallRail can't send messages; use another provider's line.", until=in_an_hour())

    def find_sent(self, *, line: Line, to: str, body: str, since: datetime) -> list[SentMessage]:
        return []

    def list_messages(self, *, line: Line, since: datetime) -> Iterator[MessageEvent | InvalidPayload]:
        return iter(())

    def list_calls(self, *, line: Line, since: datetime) -> Iterator[CallEvent | InvalidPayload]:
        def fetch(page: str) -> dict[str, Any]:
            return request_with_retries(
                "GET",
                api_url(Provider.CALLRAIL, API_URL) + self._path,
                headers=self._headers,
                params={"start_date": since.isoformat(), "per_page": PAGE, "page": page or 1},
            )

        for row in list_rows(fetch, field="calls", next_page=_next_page):
            event = try_read(_call_event, row)
            if isinstance(event, InvalidPayload) or event.company_numbers == (line.number,):
                yield event


def file_headers(_account_id: str, key: str) -> dict[str, str]:
    """Return the headers of requests for recordings."""
    return {"Authorization": f'Token token="{key}"'}


def _next_page(answer: dict[str, Any], number: int) -> str:
    pages = fields.seconds(answer, "total_pages")
    if pages is None:
        raise FieldError("total_pages", "must be a number")
    return str(number + 1) if number < pages else ""


def _call_event(row: dict[str, Any]) -> CallEvent:
    """Read a list row as a webhook event. A start time is required."""
    started_at, now = fields.instant(row, "start_time"), timezone.now()
    if started_at is None:
        raise FieldError("start_time", "missing")
    event_type = "post_call" if started_at < now - LONGEST_CALL else webhook.call_type_of(row)
    envelope = Envelope(id="", type=event_type, content=row, warning="")
    return cast(CallEvent, webhook.read_event(envelope, received_at=now))
