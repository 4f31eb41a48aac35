"""Console client for development: messages are printed in the worker's terminal and delivered a moment later."""

import json
import sys
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from crm.choices import Direction, Provider
from crm.db.tenancy import tenant, tenant_autocommit
from messaging.choices import MessageStatus
from messaging.models import WebhookEvent
from messaging.providers.errors import InvalidPayload
from messaging.providers.events import CallEvent, MessageEvent
from messaging.providers.interfaces import Line, SentMessage

RECEIPT_TYPE = "message.delivered"
RECEIPT_AFTER = timedelta(seconds=2)
WIDTH = 72


class ConsoleClient:
    """An SMSClient without a provider. It stores delivery receipts as webhook events, for the worker to process."""

    def __init__(self, *, company_id: int) -> None:
        self._company_id = company_id

    def send(self, *, line: Line, to: str, body: str, media_urls: Sequence[str] = ()) -> SentMessage:
        message_id = f"ACconsole{uuid.uuid4().hex}"
        # A campaign prints many: one statement, which doesn't wait for the disk.
        with tenant_autocommit(self._company_id, more={"synchronous_commit": "off"}):
            self._store_receipt(message_id, line, to, body)
        sys.stdout.write(_frame(line, to, "\n".join([body, *media_urls])))
        sys.stdout.flush()
        return SentMessage(openphone_id=message_id, status=MessageStatus.SENT)

    def find_sent(self, *, line: Line, to: str, body: str, since: datetime) -> list[SentMessage]:
        """Return the messages that have a stored receipt: any other was not printed."""
        with tenant(self._company_id):
            stored = WebhookEvent.objects.filter(event_type=RECEIPT_TYPE, created_at__gte=since)
            bodies = stored.order_by("created_at").values_list("body", flat=True)
            receipts = [json.loads(bytes(receipt))["data"] for receipt in bodies]
        return [
            SentMessage(openphone_id=receipt["resource"]["id"], status=MessageStatus.SENT)
            for receipt in receipts
            if receipt["resource"]["text"] == body and receipt["context"]["recipientIdentifiers"] == [to]
        ]

    def list_messages(self, *, line: Line, since: datetime) -> Iterator[MessageEvent | InvalidPayload]:
        return iter(())

    def list_calls(self, *, line: Line, since: datetime) -> Iterator[CallEvent | InvalidPayload]:
        return iter(())

    def _store_receipt(self, message_id: str, line: Line, to: str, body: str) -> None:
        now = timezone.now()
        event_id = f"EV{message_id}"
        receipt = {
            "id": event_id,
            "apiVersion": "2026-03-30",
            "createdAt": now.isoformat(),
            "type": RECEIPT_TYPE,
            "data": {
                "resource": {
                    "id": message_id,
                    "direction": Direction.OUTGOING,
                    "text": body,
                    "media": [],
                    "status": MessageStatus.DELIVERED,
                    "createdAt": now.isoformat(),
                },
                "context": {
                    "phoneNumberId": None,  # the line may belong to another provider; its number is enough
                    "senderIdentifier": line.number,
                    "recipientIdentifiers": [to],
                },
            },
        }
        WebhookEvent.objects.create(
            company_id=self._company_id,
            provider=Provider.OPENPHONE,
            event_id=event_id,
            event_type=RECEIPT_TYPE,
            body=json.dumps(receipt).encode(),
            run_at=now + RECEIPT_AFTER,
        )


def _frame(line: Line, to: str, body: str) -> str:
    """Return the message between two rules. Numbers are shown: it is the developer's own terminal."""
    title = f"── SMS  {line.number or line.provider_id} → {to}  "
    lines = "\n".join(f"   {part}" for part in body.splitlines())
    return f"\n{title:─<{WIDTH}}\n{lines}\n{'─' * WIDTH}\n"
