"""OpenPhone's API, version 1 (quo.com/docs, API reference): 10 requests per second and key."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from crm.choices import Direction
from messaging.providers.errors import InvalidPayload, LineSuspended, Rejected, SendError, UnknownOutcome
from messaging.providers.events import CallEvent, Envelope, Event, MessageEvent
from messaging.providers.fields import sent_status
from messaging.providers.http import in_an_hour, request_json, request_with_retries
from messaging.providers.interfaces import Line, SentMessage
from messaging.providers.openphone import webhook
from messaging.providers.payloads import try_read

PAGE = 100  # the maximum
# The zone of the carrier's daily cap isn't documented: UTC and the west coast were observed. The line is tried again at
# the earlier midnight, which costs one rejected request if it was the other zone.
CAP_ZONES = (UTC, ZoneInfo("America/Los_Angeles"))
UNFINISHED = ("queued", "initiated", "ringing", "in-progress")


class OpenPhoneClient:
    def __init__(self, *, key: str, account_id: str = "") -> None:
        self._headers = {"Authorization": key}

    def send(self, *, line: Line, to: str, body: str) -> SentMessage:
        answer = request_json(
            "POST",
            self._url("messages"),
            # 403 for a foreign number: the country isn't enabled, so the line isn't paused.
            errors=ERRORS if to.startswith("+1") else ERRORS | {"403": Rejected},
            headers=self._headers,
            json={"content": body, "from": line.provider_id or line.number, "to": [to]},
        )
        message = answer.get("data")
        if not isinstance(message, dict):
            raise UnknownOutcome("The provider's answer has no message.")
        return _sent_message(message)

    def find_sent(self, *, line: Line, to: str, body: str, since: datetime) -> list[SentMessage]:
        found = [
            message
            for message in self._pages(
                "messages",
                request=request_json,
                phoneNumberId=self._line_id(line),
                participants=[to],
                createdAfter=_iso(since),
            )
            if message.get("direction") == Direction.OUTGOING
            and message.get("to") == [to]  # a group message is another message
            and message.get("text") == body
        ]
        return [_sent_message(message) for message in sorted(found, key=lambda message: str(message.get("createdAt")))]

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
                yield [str(number) for number in participants]

    def _pages(
        self, resource: str, *, request: Callable[..., dict[str, Any]] = request_with_retries, **params: Any
    ) -> Iterator[dict[str, Any]]:
        token = None
        while True:
            page: dict[str, Any] = {"pageToken": token} if token else {}
            answer = request(
                "GET",
                self._url(resource),
                errors=ERRORS,
                headers=self._headers,
                params=params | {"maxResults": PAGE} | page,
            )
            rows = answer.get("data")
            yield from (row for row in (rows if isinstance(rows, list) else []) if isinstance(row, dict))
            token = answer.get("nextPageToken")
            if not token:
                return

    def _line_id(self, line: Line) -> str:
        """Return the provider's id of the line, which lists require; unknown ids are looked up by number."""
        if line.provider_id:
            return line.provider_id
        answer = request_json("GET", self._url("phone-numbers"), errors=ERRORS, headers=self._headers)
        ids = [row["id"] for row in answer.get("data") or [] if row.get("number") == line.number]
        if not ids:
            raise LineSuspended("The provider doesn't have this phone line; check its number.", until=in_an_hour())
        return ids[0]

    def _url(self, resource: str) -> str:
        return f"{settings.OPENPHONE_API_URL}/v1/{resource}"


def _next_midnight() -> datetime:
    tomorrows = (timezone.now().astimezone(zone) + timedelta(days=1) for zone in CAP_ZONES)
    return min(day.replace(hour=0, minute=0, second=0, microsecond=0) for day in tomorrows).astimezone(UTC)


ERRORS: dict[str, Callable[..., SendError]] = {
    "0206400": lambda reason, *, code: LineSuspended(reason, until=timezone.now() + timedelta(days=1), code=code),
    "0204403": lambda reason, *, code: LineSuspended(reason, until=_next_midnight(), code=code),
}


def _sent_message(message: dict[str, Any]) -> SentMessage:
    openphone_id = message.get("id")
    if not isinstance(openphone_id, str) or not openphone_id:
        raise UnknownOutcome("The provider's answer has no message ID.")
    return SentMessage(openphone_id=openphone_id, status=sent_status(message.get("status")))


def _message_event(message: dict[str, Any]) -> MessageEvent:
    """Read a list row as a webhook event, with the status of the row."""
    incoming = message.get("direction") == Direction.INCOMING
    event = cast(MessageEvent, _read("message.received" if incoming else "message.delivered", message))
    return event if incoming else replace(event, status=sent_status(message.get("status")))


def _call_event(call: dict[str, Any]) -> CallEvent:
    return cast(CallEvent, _read("call.completed", call))


def _read(event_type: str, resource: dict[str, Any]) -> Event:
    envelope = Envelope(id="", type=event_type, content={"data": {"object": resource}}, warning="")
    return webhook.read_event(envelope, received_at=timezone.now())


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
