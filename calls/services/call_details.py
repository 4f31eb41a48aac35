"""What is told of a call beside that it happened, and mostly after it; a transcript may well come before its call."""

from collections.abc import Iterable, Sequence
from typing import Any

from calls.models import Call, CallDetail
from crm.db.advisory_locks import advisory_xact_lock
from crm.db.tenancy import current_company_id
from crm.services.conversations import fill_blank_fields

Recording = dict[str, str]


def lock_call(openphone_id: str) -> None:
    """Until the transaction ends nobody else hears of the call with this provider's id, nor of its details."""
    advisory_xact_lock("call", current_company_id(), openphone_id)


def record_call_detail(*, openphone_id: str, recordings: Sequence[Recording] = (), **fields: Any) -> CallDetail:
    """The details of the call with this provider's id, linked to the call once both are there, in either order.

    What is told again adds what was missing; a recording is the same if its URL is.
    """
    lock_call(openphone_id)
    detail, _ = CallDetail.objects.get_or_create(company_id=current_company_id(), openphone_id=openphone_id)
    changed = fill_blank_fields(detail, call=_find_call(openphone_id), **fields)
    known = _without_doubles([*detail.recordings, *recordings])
    if known != detail.recordings:
        detail.recordings = known
        changed.append("recordings")
    if changed:
        detail.save(update_fields=changed)
    return detail


def link_detail(*, call: Call, openphone_id: str) -> None:
    """Give the call the details that were told before it was."""
    CallDetail.objects.filter(openphone_id=openphone_id, call=None).update(call=call)


def _find_call(openphone_id: str) -> Call | None:
    return Call.objects.filter(activity__openphone_id=openphone_id).first()


def _without_doubles(recordings: Iterable[Recording]) -> list[Recording]:
    """By URL, in order; of two tellings the one with a type."""
    found: dict[str, Recording] = {}
    for recording in recordings:
        if not found.get(recording["url"], {}).get("type"):
            found[recording["url"]] = recording
    return list(found.values())
