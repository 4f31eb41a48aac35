"""CallRail's API, version 3, read only: calls."""

import itertools
from datetime import datetime
from typing import Any

from tests.provider_server import KEY, Answer, ProviderServer, Request

ACCOUNT = "ACCcallrail01"


class CallRail:
    def __init__(self, server: ProviderServer) -> None:
        self.calls: list[dict[str, Any]] = []
        self._ids = itertools.count(1)

    def add_call(self, tracking_number: str, customer: str, *, at: datetime, **more: Any) -> dict[str, Any]:
        call = {
            "id": f"CALsrv{next(self._ids)}",
            "answered": True,
            "voicemail": False,
            "direction": "inbound",
            "duration": 30,
            "start_time": at.isoformat(),
            "customer_phone_number": customer,
            "customer_name": None,
            "tracking_phone_number": tracking_number,
            "business_phone_number": None,
            "recording": None,
        } | more
        self.calls.append(call)
        return call

    def answer(self, request: Request) -> Answer:
        if request.headers.get("Authorization") != f'Token token="{KEY}"':
            return Answer(401, {"error": "HTTP Token: Access denied."})
        if request.path != f"/v3/a/{ACCOUNT}/calls.json":
            return Answer(404, {"error": "The page you are looking for could not be found."})
        query = {name: values[0] for name, values in request.query.items()}
        since = datetime.fromisoformat(query["start_date"])
        found = [row for row in self.calls if datetime.fromisoformat(row["start_time"]) >= since]
        page, size = int(query.get("page", 1)), int(query.get("per_page", 100))
        return Answer(
            200,
            {
                "page": page,
                "per_page": size,
                "total_pages": max(1, -(-len(found) // size)),
                "total_records": len(found),
                "calls": found[(page - 1) * size : page * size],
            },
        )
