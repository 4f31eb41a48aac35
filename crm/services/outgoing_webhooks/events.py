"""Events of outgoing webhooks, made of the recorded changes: each change once, whatever becomes of the worker.

A webhook has a position in the changes. Its events and its next position are written in one transaction.
"""

import json
import logging
import time
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from crm.changes.cursors import LIFETIME, Position
from crm.changes.pages import Page, Row, read_pages
from crm.db.change_feed import DELETED, UPDATED
from crm.db.tenancy import all_tenants, all_tenants_autocommit
from crm.models import OutgoingEvent, OutgoingWebhook
from crm.outages import outage_code

AT_ONCE = 20  # webhooks of one transaction
PAGE = 500  # changes
RESYNC = "resync"
REST_S = 300  # of a webhook whose events can't be made

logger = logging.getLogger(__name__)
_resting: dict[int, float] = {}  # such webhooks, until which time.monotonic()


def make_next_events() -> bool:
    """Make events of new changes, for some webhooks. Returns False if there were none."""
    with all_tenants(), transaction.atomic():
        now = timezone.now()
        rows = OutgoingWebhook.objects.behind(now).exclude(pk__in=_list_resting())
        rows = rows.defer("secret", "old_secret")  # one of a missing key mustn't stop the others
        behind = rows.select_for_update(skip_locked=True, no_key=True, of=("self",))
        # A webhook whose changes aren't committed for others yet is read again after all others.
        made = [_try_to_make_events(webhook, now) for webhook in behind.order_by("read_at", "pk")[:AT_ONCE]]
        return any(made)


def is_change_due() -> bool:
    with all_tenants_autocommit():
        return OutgoingWebhook.objects.behind(timezone.now()).exclude(pk__in=_list_resting()).exists()


def begin_at_present(webhook: OutgoingWebhook) -> None:
    """Set the position to the present end of the changes. It isn't saved."""
    page = read_pages({webhook.company_id: Position()}, limit=0)[webhook.company_id]
    _move(webhook, page)


def body_of(event: OutgoingEvent) -> bytes:
    """Return the body of an event, the same in each attempt: IDs only. A receiver reads the object by the API."""
    at = event.occurred_at.isoformat().replace("+00:00", "Z")
    if event.change == RESYNC:
        return json.dumps({"type": RESYNC, "timestamp": at, "data": {}}).encode()
    data = {"resource": event.resource, "id": event.object_id, "change": event.change, "at": at}
    return json.dumps({"type": f"{event.resource}.{event.change}", "timestamp": at, "data": data}).encode()


def _try_to_make_events(webhook: OutgoingWebhook, now: datetime) -> bool:
    """Make the events of one webhook. One that fails keeps its position and rests, and the others go on."""
    try:
        with transaction.atomic():
            return _make_events(webhook, now)
    except Exception as error:
        if outage_code(error):
            raise
        _resting[webhook.pk] = time.monotonic() + REST_S
        logger.exception("The events of outgoing webhook %d can't be made. It is tried again later.", webhook.pk)
        return False


def _list_resting() -> list[int]:
    """Return the webhooks that rest, and forget those that have rested."""
    for pk in [pk for pk, until in _resting.items() if until <= time.monotonic()]:
        _resting.pop(pk, None)
    return list(_resting)


def _make_events(webhook: OutgoingWebhook, now: datetime) -> bool:
    position = Position(webhook.read_xid, webhook.read_id)
    page = read_pages({webhook.company_id: position}, limit=PAGE)[webhook.company_id]
    if webhook.history != page.history or webhook.read_at < now - LIFETIME:  # changes may be missing
        events = [_event(webhook, change=RESYNC, occurred_at=now)]
        begin_at_present(webhook)
    else:
        events = [
            _event(webhook, resource=resource, object_id=pk, change=row.change, occurred_at=row.at)
            for (resource, pk), row in _newest(page.rows).items()
            if resource in webhook.resources
        ]
        _move(webhook, page)
    OutgoingEvent.objects.bulk_create(events)
    webhook.save(update_fields=["read_xid", "read_id", "history", "read_at"])
    return bool(events or page.rows)


def _newest(rows: Iterable[Row]) -> dict[tuple[str, int], Row]:
    """Return each changed object once, in its newest state, in the order of the changes."""
    found: dict[tuple[str, int], Row] = {}
    for row in rows:
        found.pop((row.resource, row.object_id), None)
        found[row.resource, row.object_id] = row._replace(change=DELETED if row.change == DELETED else UPDATED)
    return found


def _event(
    webhook: OutgoingWebhook, *, change: str, occurred_at: datetime, resource: str = "", object_id: int | None = None
) -> OutgoingEvent:
    return OutgoingEvent(
        company_id=webhook.company_id, webhook=webhook, resource=resource, object_id=object_id, change=change,
        occurred_at=occurred_at,
    )  # fmt: skip


def _move(webhook: OutgoingWebhook, page: Page) -> None:
    webhook.read_xid, webhook.read_id = page.end.xid, page.end.id
    webhook.history, webhook.read_at = page.history, timezone.now()
