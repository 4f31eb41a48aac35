"""Twilio's API, version 2010-04-01: messages. Calls are not listed: no company makes calls through Twilio."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from operator import itemgetter
from typing import Any

from django.conf import settings

from messaging.providers import fields
from messaging.providers.errors import FieldError, InvalidPayload, OptedOut, UnknownOutcome
from messaging.providers.events import CallEvent, Envelope, MessageEvent
from messaging.providers.http import Errors, request_json, request_with_retries
from messaging.providers.interfaces import Line, SentMessage
from messaging.providers.payloads import try_read
from messaging.providers.twilio import webhook

PAGE = 1000  # the maximum
ERRORS: Errors = {"21610": OptedOut}  # the recipient sent STOP to Twilio itself


class TwilioClient:
    def __init__(self, *, account_id: str, key: str) -> None:
        self._auth = (account_id, key)
        self._path = f"/2010-04-01/Accounts/{account_id}/Messages.json"

    def send(self, *, line: Line, to: str, body: str) -> SentMessage:
        message = request_json(
            "POST",
            settings.TWILIO_API_URL + self._path,
            errors=ERRORS,
            auth=self._auth,
            data={"To": to, "From": line.number, "Body": body},
        )
        return _sent_message(message)

    def find_sent(self, *, line: Line, to: str, body: str, since: datetime) -> list[SentMessage]:
        # Without a time filter: a message still queued at Twilio has no DateSent to filter by.
        try:
            found = [
                (_created_at(row), _sent_message(row))
                for row in self._pages(request=request_json, To=to, From=line.number)
                if row.get("body") == body
            ]
        except InvalidPayload as error:
            raise UnknownOutcome(f"The provider's message list is invalid: {error}") from None
        since = since.replace(microsecond=0)  # this API rounds to whole seconds
        return [message for created_at, message in sorted(found, key=itemgetter(0)) if created_at >= since]

    def list_messages(self, *, line: Line, since: datetime) -> Iterator[MessageEvent | InvalidPayload]:
        for side in ("From", "To"):
            params = {side: line.number, "DateSent>": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
            for row in self._pages(request=request_with_retries, **params):
                yield try_read(_message_event, row)

    def list_calls(self, *, line: Line, since: datetime) -> Iterator[CallEvent | InvalidPayload]:
        return iter(())

    def _pages(self, *, request: Callable[..., dict[str, Any]], **params: str) -> Iterator[dict[str, Any]]:
        path: str | None = self._path
        query: dict[str, Any] | None = params | {"PageSize": PAGE}
        while path and path.startswith("/"):
            answer = request("GET", settings.TWILIO_API_URL + path, errors=ERRORS, auth=self._auth, params=query)
            yield from answer.get("messages") or []
            path, query = answer.get("next_page_uri"), None  # it includes the query


def _sent_message(message: dict[str, Any]) -> SentMessage:
    sid = message.get("sid")
    if not isinstance(sid, str) or not sid:
        raise UnknownOutcome("The provider's answer has no message ID.")
    return SentMessage(
        openphone_id=sid,
        status=fields.sent_status(message.get("status")),
        error_code=str(message.get("error_code") or ""),
    )


def _created_at(row: dict[str, Any]) -> datetime:
    try:
        return parsedate_to_datetime(fields.text(row, "date_created")).astimezone(UTC)
    except ValueError as error:
        raise FieldError("date_created", "must be a time in the format of RFC 2822") from error


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
