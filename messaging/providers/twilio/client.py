"""Twilio's API, version 2010-04-01: texts. Calls are not asked for: none of ours go through it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from operator import itemgetter
from typing import Any

from django.conf import settings

from messaging.providers import fields
from messaging.providers.events import CallEvent, Envelope, FieldError, MessageEvent, Unreadable
from messaging.providers.http import Errors, request_json, request_patiently
from messaging.providers.list_rows import read_or_say
from messaging.providers.sent_statuses import status_of_sent
from messaging.providers.sms_client import Line, OptedOut, SentText, UnknownOutcome
from messaging.providers.twilio import webhook

PAGE = 1000  # the most
ERRORS: Errors = {"21610": OptedOut}  # who said STOP to Twilio itself


class TwilioClient:
    def __init__(self, *, account_id: str, key: str) -> None:
        self._auth = (account_id, key)
        self._path = f"/2010-04-01/Accounts/{account_id}/Messages.json"

    def send(self, *, line: Line, to: str, body: str) -> SentText:
        message = request_json(
            "POST",
            settings.TWILIO_API_URL + self._path,
            errors=ERRORS,
            auth=self._auth,
            data={"To": to, "From": line.number, "Body": body},
        )
        return _sent_text(message)

    def find_sent(self, *, line: Line, to: str, body: str, since: datetime) -> list[SentText]:
        # Not asked for by time: what is still queued there has no DateSent that it could be found by.
        try:
            found = [
                (_created_at(row), _sent_text(row))
                for row in self._pages(ask=request_json, To=to, From=line.number)
                if row.get("body") == body
            ]
        except Unreadable as error:
            raise UnknownOutcome(f"The provider's list can't be read: {error}") from None
        since = since.replace(microsecond=0)  # this API tells whole seconds
        return [text for created_at, text in sorted(found, key=itemgetter(0)) if created_at >= since]

    def list_messages(self, *, line: Line, since: datetime) -> Iterator[MessageEvent | Unreadable]:
        for side in ("From", "To"):
            params = {side: line.number, "DateSent>": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
            for row in self._pages(ask=request_patiently, **params):
                yield read_or_say(_message_event, row)

    def list_calls(self, *, line: Line, since: datetime) -> Iterator[CallEvent | Unreadable]:
        return iter(())

    def _pages(self, *, ask: Callable[..., dict[str, Any]], **params: str) -> Iterator[dict[str, Any]]:
        path: str | None = self._path
        query: dict[str, Any] | None = params | {"PageSize": PAGE}
        while path and path.startswith("/"):
            answer = ask("GET", settings.TWILIO_API_URL + path, errors=ERRORS, auth=self._auth, params=query)
            yield from answer.get("messages") or []
            path, query = answer.get("next_page_uri"), None  # it has the query in it


def _sent_text(message: dict[str, Any]) -> SentText:
    sid = message.get("sid")
    if not isinstance(sid, str) or not sid:
        raise UnknownOutcome("The provider's answer has no id of the text.")
    return SentText(
        openphone_id=sid, status=status_of_sent(message.get("status")), error_code=str(message.get("error_code") or "")
    )


def _created_at(row: dict[str, Any]) -> datetime:
    try:
        return parsedate_to_datetime(fields.text(row, "date_created")).astimezone(UTC)
    except ValueError as error:
        raise FieldError("date_created", "must be a time as in e-mails") from error


def _message_event(row: dict[str, Any]) -> MessageEvent:
    """As if a delivery had told of it, but for the time. Attachments are a list of their own, which isn't asked for."""
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
    envelope = Envelope(id="", type=event_type, content=content, remark="")
    event = webhook.read_event(envelope, received_at=_created_at(row))
    return event if incoming else replace(event, status=status_of_sent(row.get("status")))
