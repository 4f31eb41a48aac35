"""OpenPhone's API, version 1 (quo.com/docs, API reference): 10 requests per second and key."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from django.utils import timezone

from crm.choices import Direction, Provider
from messaging.providers import fields
from messaging.providers.answers import MAX_SEARCH_S, list_rows, read_sent_message
from messaging.providers.errors import FieldError, InvalidPayload, LineSuspended, UnknownOutcome
from messaging.providers.events import CallEvent, Envelope, Event, MessageEvent
from messaging.providers.http import api_url, in_an_hour, request_json, request_with_retries
from messaging.providers.interfaces import Line, SentMessage
from messaging.providers.openphone import webhook
from messaging.providers.payloads import try_read

API_URL = "https://api.openphone.com"
PAGE = 100  # the maximum
UNFINISHED = ("queued", "initiated", "ringing", "in-progress")


class OpenPhoneClient:
    def __init__(self, *, key: str, account_id: str = "") -> None:
        self._headers = {"Authorization": key}

    def send(self, *, line: Line, to: str, body: str, media_urls: Sequence[str] = ()) -> SentMessage:
        answer = request_json(
            "POST",
            self._url("messages"),
            recipient=to,
            headers=self._headers,
            json={"content": body, "from": line.provider_id or line.number, "to": [to]},
        )
        message = answer.get("data")
        if not isinstance(message, dict):
            raise UnknownOutcome("The provider's answer has no message.")
        return read_sent_message(message, id_field="id")

    def find_sent(self, *, line: Line, to: str, body: str, since: datetime) -> list[SentMessage]:
        rows = self._pages(
            "messages",
            request=request_json,
            within_s=MAX_SEARCH_S,
            phoneNumberId=self._line_id(line),
            participants=[to],
            createdAfter=_iso(since),
        )
        same_text = [row for row in rows if row.get("direction") == Direction.OUTGOING and row.get("text") == body]
        try:
            found = [row for row in same_text if fields.numbers(row, "to") == (to,)]  # a group message is another one
        except InvalidPayload as error:
            raise UnknownOutcome(f"The provider's message list is invalid: {error}") from None
        found.sort(key=lambda row: str(row.get("createdAt")))
        return [read_sent_message(row, id_field="id") for row in found]

    def list_messages(self, *, line: Line, since: datetime) -> Iterator[MessageEvent | InvalidPayload]:
        line_id = self._line_id(line)
        for participants in self._conversations(line_id, since):
            for message in self._pages(
                "messages", phoneNumberId=line_id, participants=participants, createdAfter=_iso(since)
            ):
                yield try_read(_message_event, message)

    def list_calls(self, *, line: Line, since: datetime) -> Iterator[CallEvent | InvalidPayload]:
        line_id = self._line_id(line)
        for participants in self._conversations(line_id, since):
            if len(participants) > 1:
                continue  # the API lists calls of one number at a time, and a group can't be called
            for call in self._pages(
                "calls", phoneNumberId=line_id, participants=participants, createdAfter=_iso(since)
            ):
                if call.get("status") not in UNFINISHED:
                    yield try_read(_call_event, call)

    def _conversations(self, line_id: str, since: datetime) -> Iterator[list[str]]:
        """Yield the participants of each conversation since then: messages and calls are listed per conversation."""
        for row in self._pages("conversations", phoneNumbers=[line_id], updatedAfter=_iso(since)):
            participants = row.get("participants")
            if isinstance(participants, list) and participants:
                yield [number for number in participants if isinstance(number, str)]

    def _pages(
        self,
        resource: str,
        *,
        request: Callable[..., dict[str, Any]] = request_with_retries,
        within_s: float | None = None,
        **params: Any,
    ) -> Iterator[dict[str, Any]]:
        def fetch(token: str) -> dict[str, Any]:
            page = {"pageToken": token} if token else {}
            return request(
                "GET",
                self._url(resource),
                headers=self._headers,
                params=params | {"maxResults": PAGE} | page,
            )

        return list_rows(
            fetch,
            field="data",
            next_page=lambda answer, _: fields.text(answer, "nextPageToken"),
            within_s=within_s,
        )

    def _line_id(self, line: Line) -> str:
        """Return the provider's id of the line, which lists require; unknown ids are looked up by number."""
        if line.provider_id:
            return line.provider_id
        lines = list_rows(
            lambda _: request_json("GET", self._url("phone-numbers"), headers=self._headers),
            field="data",
            next_page=lambda *_: "",  # all lines are on one page
        )
        for row in lines:
            if row.get("number") == line.number:
                return read_sent_message(row, id_field="id").openphone_id
        raise LineSuspended("The provider doesn't have this phone line; check its number.", until=in_an_hour())

    def _url(self, resource: str) -> str:
        return f"{api_url(Provider.OPENPHONE, API_URL)}/v1/{resource}"


def _message_event(message: dict[str, Any]) -> MessageEvent:
    """Read a list row as a webhook event, with the status of the row."""
    incoming = message.get("direction") == Direction.INCOMING
    event = cast(MessageEvent, _read("message.received" if incoming else "message.delivered", message))
    return event if incoming else replace(event, status=fields.sent_status(message.get("status")))


def _call_event(call: dict[str, Any]) -> CallEvent:
    return cast(CallEvent, _read("call.completed", call))


def _read(event_type: str, resource: dict[str, Any]) -> Event:
    for required in ("id", "createdAt"):
        if not resource.get(required):
            raise FieldError(required, "missing")
    envelope = Envelope(id="", type=event_type, content={"data": {"object": resource}}, warning="")
    return webhook.read_event(envelope, received_at=timezone.now())


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
