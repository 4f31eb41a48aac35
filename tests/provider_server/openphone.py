"""OpenPhone's API, version 1: messages, calls, conversations and lines."""

import itertools
import json
from datetime import UTC, datetime
from typing import Any

from tests.provider_server import KEY, Answer, ProviderServer, Request

MAX_TEXT = 1600


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class OpenPhone:
    def __init__(self, server: ProviderServer) -> None:
        self.keys = {KEY}
        self.lines: dict[str, str] = {}
        self.messages: list[dict[str, Any]] = []
        self.calls: list[dict[str, Any]] = []
        self._server = server
        self._ids = itertools.count(1)

    def add_line(self, line_id: str, number: str) -> None:
        self.lines[line_id] = number

    def add_message(
        self, line_id: str, outside: str, text: str, *, direction: str = "incoming", at: datetime, **more: Any
    ) -> dict[str, Any]:
        """Add a message that no webhook event has reported."""
        ours = self.lines[line_id]
        incoming = direction == "incoming"
        message = {
            "id": f"ACsrv{next(self._ids)}",
            "from": outside if incoming else ours,
            "to": [ours if incoming else outside],
            "text": text,
            "phoneNumberId": line_id,
            "direction": direction,
            "userId": "UStest01",
            "status": "received" if incoming else "delivered",
            "createdAt": iso(at),
            "updatedAt": iso(at),
        } | more
        self.messages.append(message)
        return message

    def add_call(self, line_id: str, outside: str, *, at: datetime, **more: Any) -> dict[str, Any]:
        call = {
            "id": f"ACsrv{next(self._ids)}",
            "participants": [outside, self.lines[line_id]],
            "phoneNumberId": line_id,
            "direction": "incoming",
            "status": "completed",
            "answeredAt": None,
            "answeredBy": None,
            "initiatedBy": None,
            "completedAt": iso(at),
            "createdAt": iso(at),
            "updatedAt": iso(at),
            "duration": 0,
            "forwardedFrom": None,
            "forwardedTo": None,
            "userId": "UStest01",
        } | more
        self.calls.append(call)
        return call

    def answer(self, request: Request) -> Answer:
        if request.headers.get("Authorization") not in self.keys:
            return _error(401, "0200401", "Unauthorized")
        routes = {
            ("POST", "/v1/messages"): self._send,
            ("GET", "/v1/messages"): self._list_messages,
            ("GET", "/v1/calls"): self._list_calls,
            ("GET", "/v1/conversations"): self._list_conversations,
            ("GET", "/v1/phone-numbers"): self._list_lines,
        }
        route = routes.get((request.method, request.path))
        return route(request) if route else _error(404, "0200404", "Not found")

    def _send(self, request: Request) -> Answer:
        fields = json.loads(request.body)
        text, to = fields.get("content"), fields.get("to")
        if not isinstance(text, str) or not text.strip() or len(text) > MAX_TEXT:
            return _error(400, "0200400", "content must have 1 to 1600 characters")
        if not isinstance(to, list) or not 1 <= len(to) <= 10 or not all(n.startswith("+") for n in to):
            return _error(400, "0200400", "to must be E.164")
        line_id = next((pn for pn, number in self.lines.items() if fields.get("from") in (pn, number)), None)
        if line_id is None:
            return _error(404, "0200404", "Phone number not found")
        message = self.add_message(
            line_id, to[0], text, direction="outgoing", at=datetime.now(UTC), to=to, status="queued"
        )
        self._server.record_sent(
            provider="openphone", id=message["id"], from_number=message["from"], to=to[0], body=text
        )
        return Answer(202, {"data": message})

    def _list_messages(self, request: Request) -> Answer:
        if problem := _missing(request, "phoneNumberId", "participants", "maxResults"):
            return problem
        wanted = set(request.query["participants"])
        return _page(request, [row for row in self.messages if self._outside(row) == wanted])

    def _list_calls(self, request: Request) -> Answer:
        if problem := _missing(request, "phoneNumberId", "participants", "maxResults"):
            return problem
        if len(request.query["participants"]) > 1:
            return _error(400, "0100400", "participants must have at most 1 item")
        wanted = set(request.query["participants"])
        return _page(request, [row for row in self.calls if wanted <= set(row["participants"])])

    def _list_conversations(self, request: Request) -> Answer:
        if problem := _missing(request, "maxResults"):
            return problem
        latest: dict[tuple[str, frozenset[str]], str] = {}
        for row in self.messages + self.calls:
            key = (row["phoneNumberId"], frozenset(self._outside(row)))
            latest[key] = max(latest.get(key, ""), row["createdAt"])
        found = [
            {
                "id": f"CNsrv{line_id}{index}",
                "name": None,
                "participants": sorted(outside),
                "phoneNumberId": line_id,
                "createdAt": at,
                "updatedAt": at,
                "lastActivityAt": at,
            }
            for index, ((line_id, outside), at) in enumerate(latest.items())
            if line_id in request.query.get("phoneNumbers", [line_id])
            and at > request.query.get("updatedAfter", [""])[0]
        ]
        return _page(request, found)

    def _list_lines(self, request: Request) -> Answer:
        return Answer(200, {"data": [{"id": line_id, "number": number} for line_id, number in self.lines.items()]})

    def _outside(self, row: dict[str, Any]) -> set[str]:
        everybody = row.get("participants") or [row["from"], *row["to"]]
        return set(everybody) - {self.lines[row["phoneNumberId"]]}


def _error(status: int, code: str, message: str) -> Answer:
    content = {"message": message, "code": code, "status": status, "docs": "https://example.com", "title": message}
    return Answer(status, content)


def _missing(request: Request, *required: str) -> Answer | None:
    for name in required:
        if name not in request.query:
            return _error(400, "0200400", f"{name} is required")
    if not 1 <= int(request.query["maxResults"][0]) <= 100:
        return _error(400, "0200400", "maxResults must be 1 to 100")
    return None


def _page(request: Request, rows: list[dict[str, Any]]) -> Answer:
    """Return a page, newest first. The token is the offset of the next page."""
    query = {name: values[0] for name, values in request.query.items()}
    rows = [
        row
        for row in rows
        if row["phoneNumberId"] == query.get("phoneNumberId", row["phoneNumberId"])
        and query.get("createdAfter", "") < row["createdAt"] < query.get("createdBefore", "9999")
    ]
    rows.sort(key=lambda row: row["createdAt"], reverse=True)
    start, size = int(query.get("pageToken", 0)), int(query["maxResults"])
    token = str(start + size) if start + size < len(rows) else None
    return Answer(200, {"data": rows[start : start + size], "totalItems": len(rows), "nextPageToken": token})
