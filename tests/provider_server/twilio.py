"""Twilio's API: messages."""

import base64
import itertools
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urlencode

from tests.provider_server import KEY, Answer, ProviderServer, Request

ACCOUNT = "ACtwilio0000000000000000000000000001"


class Twilio:
    def __init__(self, server: ProviderServer) -> None:
        self.accounts = {ACCOUNT: KEY}
        self.stopped: set[str] = set()  # numbers that sent STOP to this provider
        self.messages: list[dict[str, Any]] = []
        self._server = server
        self._ids = itertools.count(1)

    def add_message(
        self, from_number: str, to: str, body: str, *, direction: str = "inbound", at: datetime, **more: Any
    ) -> dict[str, Any]:
        """Add a message that no webhook event has reported."""
        moment = format_datetime(at.astimezone(UTC), usegmt=False)
        message = {
            "sid": f"SMsrv{next(self._ids):028}",
            "account_sid": ACCOUNT,
            "from": from_number,
            "to": to,
            "body": body,
            "direction": direction,
            "status": "received" if direction == "inbound" else "delivered",
            "error_code": None,
            "error_message": None,
            "num_media": "0",
            "date_created": moment,
            "date_sent": moment,
            "date_updated": moment,
        } | more
        self.messages.append(message)
        return message

    def answer(self, request: Request) -> Answer:
        account = request.path.split("/")[3]
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        name, _, password = base64.b64decode(credentials).decode().partition(":")
        if scheme != "Basic" or name != account or self.accounts.get(account) != password:
            return _error(401, 20003, "Authenticate")
        if request.path != f"/2010-04-01/Accounts/{account}/Messages.json":
            return _error(404, 20404, "The requested resource was not found")
        return self._send(request) if request.method == "POST" else self._list(request)

    def _send(self, request: Request) -> Answer:
        fields = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        to, body, from_number = fields.get("To", ""), fields.get("Body", ""), fields.get("From", "")
        if not body.strip():
            return _error(400, 21602, "Message body is required.")
        if not to.removeprefix("+").isdigit():
            return _error(400, 21211, f"The 'To' number {to} is not a valid phone number.")
        if to in self.stopped:
            return _error(400, 21610, "Attempt to send to unsubscribed recipient")
        message = self.add_message(
            from_number,
            to,
            body,
            direction="outbound-api",
            at=datetime.now(UTC),
            status="queued",
            date_sent=None,
        )
        self._server.record_sent(provider="twilio", id=message["sid"], from_number=from_number, to=to, body=body)
        return Answer(201, message)

    def _list(self, request: Request) -> Answer:
        query = {name: values[0] for name, values in request.query.items()}
        after = datetime.fromisoformat(query["DateSent>"]) if "DateSent>" in query else None
        found = [
            row
            for row in reversed(self.messages)
            if query.get("To", row["to"]) == row["to"]
            and query.get("From", row["from"]) == row["from"]
            and (after is None or parsedate_to_datetime(row["date_sent"] or row["date_created"]) >= after)
        ]
        start, size = int(query.get("Page", 0)), int(query.get("PageSize", 50))
        more = (start + 1) * size < len(found)
        following = urlencode(query | {"Page": start + 1, "PageToken": "PAtoken"})
        return Answer(
            200,
            {
                "messages": found[start * size : (start + 1) * size],
                "next_page_uri": f"{request.path}?{following}" if more else None,
            },
        )


def _error(status: int, code: int, message: str) -> Answer:
    return Answer(status, {"code": code, "message": message, "more_info": "https://example.com", "status": status})
