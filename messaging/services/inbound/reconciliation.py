"""What deliveries missed, asked for at the provider and entered like any delivery."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from calls.models import Call, CallDetail
from crm.db.audit_context import acting_as
from crm.db.tenancy import tenant
from crm.models import PhoneLine
from crm.services.conversations import ActivityTypeClash
from messaging.models import Message, ProviderAccount
from messaging.providers.events import CallEvent, MessageEvent, Unreadable
from messaging.providers.registry import client_for_account
from messaging.providers.sms_client import Line, SendError
from messaging.services.inbound.messages import AmbiguousReceipt
from messaging.services.inbound.webhook_processing import record_event

ACTOR = "reconcile"


@dataclass
class Findings:
    """What one line's history brought."""

    seen: int = 0
    added: int = 0
    changed: int = 0
    unreadable: int = 0
    failure: str = ""  # why it broke off; what came before it stays

    @property
    def complete(self) -> bool:
        return not self.failure and not self.unreadable


def lines_with_account(*, company_id: int) -> list[PhoneLine]:
    """The company's lines whose history can be asked for."""
    with tenant(company_id):
        accounts = ProviderAccount.objects.values("provider")
        return list(PhoneLine.objects.filter(provider__in=accounts).order_by("id"))


def reconcile_line(
    *, line: PhoneLine, since: datetime, until: datetime | None = None, progress: Callable[[int], object]
) -> Findings:
    """Enter the line's texts and calls of [since, until) that are missing, and what is missing of the others.

    Each is a transaction of its own, and none is open while the provider is asked. `progress` is told of each one seen.
    """
    findings = Findings()
    try:
        for event in _history_of(line, since):
            progress(1)
            findings.seen += 1
            if isinstance(event, Unreadable):
                findings.unreadable += 1
            elif until is None or event.created_at < until:
                _enter(event, line, findings)
    except SendError as error:
        findings.failure = str(error)
    return findings


def _history_of(line: PhoneLine, since: datetime) -> Iterator[MessageEvent | CallEvent | Unreadable]:
    client = client_for_account(line=line)
    known = Line(number=line.number, provider_id=line.provider_id)
    return chain(client.list_messages(line=known, since=since), client.list_calls(line=known, since=since))


def _enter(event: MessageEvent | CallEvent, line: PhoneLine, findings: Findings) -> None:
    with tenant(line.company_id), acting_as(None, ACTOR):
        before = _stored(event)
        try:
            record_event(provider=line.provider, event=event)
        except (ActivityTypeClash, AmbiguousReceipt):  # which has undone its transaction
            findings.unreadable += 1
            return
        if not any(before):
            findings.added += 1
        elif before != _stored(event):
            findings.changed += 1


def _stored(event: MessageEvent | CallEvent) -> list[Any]:
    """The rows that the event is about, as they are."""
    if isinstance(event, MessageEvent):
        return [Message.objects.filter(activity__openphone_id=event.openphone_id).values().first()]
    return [
        Call.objects.filter(activity__openphone_id=event.openphone_id).values().first(),
        CallDetail.objects.filter(openphone_id=event.openphone_id).values().first(),
    ]
