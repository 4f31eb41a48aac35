"""OpenPhone's API, version 1 (docs: quo.com/docs, API reference). 10 requests a second and key."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from crm.choices import Direction
from messaging.providers.events import CallEvent, Envelope, Event, MessageEvent, Unreadable
from messaging.providers.http import in_an_hour, request_json, request_patiently
from messaging.providers.list_rows import read_or_say
from messaging.providers.openphone import webhook
from messaging.providers.sent_statuses import status_of_sent
from messaging.providers.sms_client import Line, LineSuspended, Rejected, SendError, SentText, UnknownOutcome

PAGE = 100  # the most
# Whose day the carrier's cap counts isn't documented: UTC's and the west coast's are seen. At the sooner midnight it is
# asked again, which costs one refused request where it was the other.
CAP_ZONES = (UTC, ZoneInfo("America/Los_Angeles"))
UNFINISHED = ("queued", "initiated", "ringing", "in-progress")


class OpenPhoneClient:
    def __init__(self, *, key: str) -> None:
        self._headers = {"Authorization": key}

    def send(self, *, line: Line, to: str, body: str) -> SentText:
        answer = request_json(
            "POST",
            self._url("messages"),
            # Texts abroad are not enabled, then, which is no reason to pause the line.
            errors=ERRORS if to.startswith("+1") else ERRORS | {"403": Rejected},
            headers=self._headers,
            json={"content": body, "from": line.provider_id or line.number, "to": [to]},
        )
        message = answer.get("data")
        if not isinstance(message, dict):
            raise UnknownOutcome("The provider's answer names no text.")
        return _sent_text(message)

    def find_sent(self, *, line: Line, to: str, body: str, since: datetime) -> list[SentText]:
        found = [
            message
            for message in self._pages(
                "messages",
                ask=request_json,
                phoneNumberId=self._line_id(line),
                participants=[to],
                createdAfter=_iso(since),
            )
            if message.get("direction") == Direction.OUTGOING
            and message.get("to") == [to]  # a group with them is another text
            and message.get("text") == body
        ]
        return [_sent_text(message) for message in sorted(found, key=lambda message: str(message.get("createdAt")))]

    def list_messages(self, *, line: Line, since: datetime) -> Iterator[MessageEvent | Unreadable]:
        line_id = self._line_id(line)
        for participants in self._conversations(line_id, since):
            for message in self._pages(
                "messages", phoneNumberId=line_id, participants=participants, createdAfter=_iso(since)
            ):
                yield read_or_say(_message_event, message)

    def list_calls(self, *, line: Line, since: datetime) -> Iterator[CallEvent | Unreadable]:
        line_id = self._line_id(line)
        for participants in self._conversations(line_id, since):
            if len(participants) > 1:
                continue  # calls are listed for one number at a time, and a group can't be called
            for call in self._pages(
                "calls", phoneNumberId=line_id, participants=participants, createdAfter=_iso(since)
            ):
                if call.get("status") not in UNFINISHED:
                    yield read_or_say(_call_event, call)

    def _conversations(self, line_id: str, since: datetime) -> Iterator[list[str]]:
        """Whom the line spoke with since then. Texts and calls are listed for one such circle at a time."""
        for row in self._pages("conversations", phoneNumbers=[line_id], updatedAfter=_iso(since)):
            participants = row.get("participants")
            if isinstance(participants, list) and participants:
                yield [str(number) for number in participants]

    def _pages(
        self, noun: str, *, ask: Callable[..., dict[str, Any]] = request_patiently, **params: Any
    ) -> Iterator[dict[str, Any]]:
        token = None
        while True:
            page: dict[str, Any] = {"pageToken": token} if token else {}
            answer = ask(
                "GET",
                self._url(noun),
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
        """The provider's id of the line, which lists ask for; looked up by its number where we don't know it."""
        if line.provider_id:
            return line.provider_id
        answer = request_json("GET", self._url("phone-numbers"), errors=ERRORS, headers=self._headers)
        ids = [row["id"] for row in answer.get("data") or [] if row.get("number") == line.number]
        if not ids:
            raise LineSuspended("The provider knows no such line.", until=in_an_hour())
        return ids[0]

    def _url(self, noun: str) -> str:
        return f"{settings.OPENPHONE_API_URL}/v1/{noun}"


def _next_midnight() -> datetime:
    tomorrows = (timezone.now().astimezone(zone) + timedelta(days=1) for zone in CAP_ZONES)
    return min(day.replace(hour=0, minute=0, second=0, microsecond=0) for day in tomorrows).astimezone(UTC)


ERRORS: dict[str, Callable[..., SendError]] = {
    "0206400": lambda words, *, code: LineSuspended(words, until=timezone.now() + timedelta(days=1), code=code),
    "0204403": lambda words, *, code: LineSuspended(words, until=_next_midnight(), code=code),
}


def _sent_text(message: dict[str, Any]) -> SentText:
    openphone_id = message.get("id")
    if not isinstance(openphone_id, str) or not openphone_id:
        raise UnknownOutcome("The provider's answer has no id of the text.")
    return SentText(openphone_id=openphone_id, status=status_of_sent(message.get("status")))


def _message_event(message: dict[str, Any]) -> MessageEvent:
    """Lists hold the objects that deliveries hold, and one reader reads both; the status is the text's own."""
    incoming = message.get("direction") == Direction.INCOMING
    event = cast(MessageEvent, _read("message.received" if incoming else "message.delivered", message))
    return event if incoming else replace(event, status=status_of_sent(message.get("status")))


def _call_event(call: dict[str, Any]) -> CallEvent:
    return cast(CallEvent, _read("call.completed", call))


def _read(event_type: str, resource: dict[str, Any]) -> Event:
    envelope = Envelope(id="", type=event_type, content={"data": {"object": resource}}, remark="")
    return webhook.read_event(envelope, received_at=timezone.now())


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
