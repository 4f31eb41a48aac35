"""CallRail's API, version 3, read only: calls. Its texts carry no id in lists, so that they can't be told from those
that deliveries brought."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.utils import timezone

from messaging.providers.callrail import webhook
from messaging.providers.events import CallEvent, Envelope, FieldError, MessageEvent, Unreadable
from messaging.providers.http import in_an_hour, request_patiently
from messaging.providers.list_rows import read_or_say
from messaging.providers.sms_client import Line, LineSuspended, SentText

PAGE = 250  # the most
NO_TEXTS = "Texts don't leave through CallRail."


class CallRailClient:
    def __init__(self, *, account_id: str, key: str) -> None:
        self._headers = {"Authorization": f'Token token="{key}"'}
        self._path = f"/v3/a/{account_id}/calls.json"

    def send(self, *, line: Line, to: str, body: str) -> SentText:
        raise LineSuspended(NO_TEXTS, until=in_an_hour())

    def find_sent(self, *, line: Line, to: str, body: str, since: datetime) -> list[SentText]:
        return []

    def list_messages(self, *, line: Line, since: datetime) -> Iterator[MessageEvent | Unreadable]:
        return iter(())

    def list_calls(self, *, line: Line, since: datetime) -> Iterator[CallEvent | Unreadable]:
        page = 1
        while True:
            answer = request_patiently(
                "GET",
                settings.CALLRAIL_API_URL + self._path,
                headers=self._headers,
                params={"start_date": since.isoformat(), "per_page": PAGE, "page": page},
            )
            for row in answer.get("calls") or []:
                event = read_or_say(_call_event, row)
                if isinstance(event, Unreadable) or event.our_numbers == (line.number,):
                    yield event
            if page >= int(answer.get("total_pages") or 1):
                return
            page += 1


def _call_event(row: dict[str, Any]) -> CallEvent:
    """Lists hold what deliveries hold, but for the name of the id. A time is required: there is none of arrival."""
    if not row.get("start_time"):
        raise FieldError("start_time", "missing")
    envelope = Envelope(id="", type="post_call", content=row | {"resource_id": row.get("id")}, remark="")
    return cast(CallEvent, webhook.read_event(envelope, received_at=timezone.now()))
