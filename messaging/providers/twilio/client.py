"""Twilio's API, version 2010-04-01: messages. Calls are not listed: no company makes calls through Twilio."""

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from operator import itemgetter
from typing import Any

from crm.choices import Provider
from messaging.providers import fields
from messaging.providers.answers import MAX_SEARCH_S, list_rows, read_sent_message
from messaging.providers.errors import FieldError, InvalidPayload, UnknownOutcome
from messaging.providers.events import CallEvent, Envelope, MessageEvent
from messaging.providers.http import api_url, request_json, request_with_retries
from messaging.providers.interfaces import Line, SentMessage
from messaging.providers.payloads import try_read
from messaging.providers.twilio import webhook

API_URL = "https://api.twilio.com"
PAGE = 1000  # the maximum


class TwilioClient:
    def __init__(self, *, account_id: str, key: str) -> None:
        self._auth = (account_id, key)
        self._path = f"/2010-04-01/Accounts/{account_id}/Messages.json"

    def send(self, *, line: Line, to: str, body: str, media_urls: Sequence[str] = ()) -> SentMessage:
        message = request_json(
            "POST",
            api_url(Provider.TWILIO, API_URL) + self._path,
            recipient=to,
            auth=self._auth,
            data={"To": to, "From": _sender(line), "Body": body}
            | ({"MediaUrl": list(media_urls)} if media_urls else {}),
        )
        return read_sent_message(message, id_field="sid")

    def find_sent(self, *, line: Line, to: str, body: str, since: datetime) -> list[SentMessage]:
        # Without a time filter: a message still queued at Twilio has no DateSent to filter by.
        rows = self._pages(request=request_json, within_s=MAX_SEARCH_S, To=to, From=_sender(line))
        try:
            found = [
                (_created_at(row), read_sent_message(row, id_field="sid")) for row in rows if row.get("body") == body
            ]
        except InvalidPayload as error:
            raise UnknownOutcome(f"The provider's message list is invalid: {error}") from None
        since = since.replace(microsecond=0)  # this API rounds to whole seconds
        return [message for created_at, message in sorted(found, key=itemgetter(0)) if created_at >= since]

    def list_messages(self, *, line: Line, since: datetime) -> Iterator[MessageEvent | InvalidPayload]:
        for side in ("From", "To"):
            params: dict[str, Any] = {side: _sender(line), "DateSent>": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
            for row in self._pages(request=request_with_retries, **params):
                yield try_read(_message_event, row)

    def list_calls(self, *, line: Line, since: datetime) -> Iterator[CallEvent | InvalidPayload]:
        return iter(())

    def _pages(
        self, *, request: Callable[..., dict[str, Any]], within_s: float | None = None, **params: str
    ) -> Iterator[dict[str, Any]]:
        def fetch(path: str) -> dict[str, Any]:
            query = None if path else params | {"PageSize": PAGE}  # the path of a further page includes it
            return request(
                "GET", api_url(Provider.TWILIO, API_URL) + (path or self._path), auth=self._auth, params=query
            )

        return list_rows(fetch, field="messages", next_page=_next_page, within_s=within_s)


def file_headers(account_id: str, key: str) -> dict[str, str]:
    """Return the headers of requests for media: accounts may demand them."""
    return {"Authorization": f"Basic {base64.b64encode(f'{account_id}:{key}'.encode()).decode()}"}


def _sender(line: Line) -> str:
    """Return the line's number. An RCS agent has an id in its place."""
    return line.number or line.provider_id


def _next_page(answer: dict[str, Any], _number: int) -> str:
    """Return the path of the next page. Another host must not get the key."""
    path = fields.text(answer, "next_page_uri")
    if path and not path.startswith("/"):
        raise FieldError("next_page_uri", "must be a path")
    return path


def _read_date(text: str) -> datetime:
    """Parse a time in the format of RFC 2822. Raises ValueError for a year that Python would complete, such as 0001."""
    moment = parsedate_to_datetime(text)
    if f" {moment.year} " not in text:
        raise ValueError(text)
    return moment


def _created_at(row: dict[str, Any]) -> datetime:
    created_at = fields.instant(row, "date_created", read=_read_date)
    if created_at is None:
        raise FieldError("date_created", "missing")
    return created_at


def _message_event(row: dict[str, Any]) -> MessageEvent:
    """Read a list row as a webhook event. Attachments are a separate list, which is not requested."""
    incoming = row.get("direction") == "inbound"
    content = {
        "MessageSid": row.get("sid"),
        "From": row.get("from"),
        "To": row.get("to"),
        "Body": row.get("body"),
        "SmsStatus": row.get("status"),
        "ErrorCode": row.get("error_code"),
    }
    event_type = "inbound_message" if incoming else "status_callback"
    envelope = Envelope(id="", type=event_type, content=content, warning="")
    event = webhook.read_event(envelope, received_at=_created_at(row))
    return event if incoming else replace(event, status=fields.sent_status(row.get("status")))
