"""Reconciliation: calls and messages that webhook events missed, listed at the provider and recorded."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, cast

from django.db import connection
from django.utils import timezone

from calls.models import Call, CallDetail
from crm.choices import Direction
from crm.db.audit_context import acting_as
from crm.db.tenancy import tenant
from crm.models import PhoneLine
from crm.services.activities import IdClash
from crm.services.archived_ids import ActivityArchived
from messaging.models import Message, ProviderAccount
from messaging.providers.errors import InvalidPayload, SendError
from messaging.providers.event_times import is_future, mend_times
from messaging.providers.events import CallEvent, IncomingText, MessageEvent
from messaging.providers.interfaces import Line
from messaging.providers.registry import client_for_account
from messaging.services.inbound.messages import AmbiguousReceipt
from messaging.services.inbound.opt_out_keywords import record_opt_out_of_text
from messaging.services.inbound.webhook_processing import record_event

ACTOR = "reconcile"

logger = logging.getLogger(__name__)


@dataclass
class ReconcileResult:
    """Counts for one phone line."""

    seen: int = 0
    added: int = 0
    changed: int = 0
    unreadable: int = 0
    failure: str = ""  # why the list ended early; rows recorded before stay

    @property
    def complete(self) -> bool:
        return not self.failure and not self.unreadable


def lines_with_account(*, company_id: int) -> list[PhoneLine]:
    """Return the company's phone lines that have a provider account."""
    with tenant(company_id):
        accounts = ProviderAccount.objects.values("provider")
        return list(PhoneLine.objects.filter(provider__in=accounts).order_by("id"))


def reconcile_line(
    *, line: PhoneLine, since: datetime, until: datetime | None = None, progress: Callable[[int], object]
) -> ReconcileResult:
    """Record the line's missing messages and calls of [since, until), and fill blank fields of the others.

    Each event has its own transaction, and none is open during a request. `progress(1)` is called for each event.
    """
    result = ReconcileResult()
    try:
        for event in _list_events(line, since):
            progress(1)
            result.seen += 1
            if isinstance(event, InvalidPayload) or is_future(event.created_at, received_at=timezone.now()):
                result.unreadable += 1  # a list says nothing about the time of arrival
            elif until is None or event.created_at < until:
                _record(event, line, result)
    except SendError as error:
        result.failure = str(error)
    except Exception as error:  # one line must not stop the others
        if not connection.is_usable():
            raise
        logger.exception("Reconciling line %d failed.", line.pk)
        result.failure = f"An internal error ({type(error).__name__})."
    return result


def _list_events(line: PhoneLine, since: datetime) -> Iterator[MessageEvent | CallEvent | InvalidPayload]:
    client = client_for_account(line=line)
    provider_line = Line(number=line.number, provider_id=line.provider_id)
    return chain(
        client.list_messages(line=provider_line, since=since), client.list_calls(line=provider_line, since=since)
    )


def _record(event: MessageEvent | CallEvent, line: PhoneLine, result: ReconcileResult) -> None:
    event = cast(MessageEvent | CallEvent, mend_times(event, received_at=timezone.now())[0])
    try:
        with tenant(line.company_id), acting_as(None, ACTOR):
            before = _snapshot(event)
            record_event(provider=line.provider, event=event)
            after = _snapshot(event)
    except ActivityArchived:
        return
    except Exception as error:  # the transaction was rolled back; one event must not stop the others
        if not connection.is_usable():
            raise
        if not isinstance(error, IdClash | AmbiguousReceipt):
            logger.exception("Recording an event of line %d failed.", line.pk)
        result.unreadable += 1
        if isinstance(event, MessageEvent) and event.direction == Direction.INCOMING:
            text = IncomingText(from_number=event.from_number, body=event.body, created_at=event.created_at)
            with tenant(line.company_id), acting_as(None, ACTOR):
                record_opt_out_of_text(text=text, occurred_at=event.created_at)
        return
    if not any(before):
        result.added += 1
    elif before != after:
        result.changed += 1


def _snapshot(event: MessageEvent | CallEvent) -> list[Any]:
    """Return the current rows of the event."""
    if isinstance(event, MessageEvent):
        return [Message.objects.filter(activity__openphone_id=event.openphone_id).values().first()]
    return [
        Call.objects.filter(activity__openphone_id=event.openphone_id).values().first(),
        CallDetail.objects.filter(openphone_id=event.openphone_id).values().first(),
    ]
