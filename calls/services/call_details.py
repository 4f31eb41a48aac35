"""Recordings, transcript and summary of a call; may arrive before the call."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from calls.models import Call, CallDetail
from crm.db.tenancy import current_company_id
from crm.services.archived_ids import refuse_archived
from crm.services.event_fields import fill_blank_fields
from crm.services.known_rows import KnownRows

Recording = dict[str, str]

LINK_DETAIL = "UPDATE call_details SET call_id = %s WHERE company_id = %s AND openphone_id = %s AND call_id IS NULL"


def lock_calls(known: KnownRows, openphone_ids: Iterable[str]) -> None:
    """Lock the calls with these provider's ids, and their details, until the transaction ends."""
    known.lock_names("call", openphone_ids)


def record_call_detail(*, openphone_id: str, recordings: Sequence[Recording] = (), **fields: Any) -> CallDetail:
    """Create or complete the details of the call with this provider's id.

    Call and details are linked as soon as both exist, in either order. Later events fill blank fields. Recordings are
    identified by URL.

    Raises:
        ActivityArchived: the call is archived.
    """
    refuse_archived(openphone_id)
    lock_calls(KnownRows(), [openphone_id])
    detail, _ = CallDetail.objects.get_or_create(company_id=current_company_id(), openphone_id=openphone_id)
    changed = fill_blank_fields(detail, call=_find_call(openphone_id), **fields)
    merged = _unique_by_url([*detail.recordings, *recordings])
    if merged != detail.recordings:
        detail.recordings = merged
        changed.append("recordings")
    if changed:
        detail.save(update_fields=changed)
    return detail


def link_detail(*, call: Call, openphone_id: str) -> None:
    """Link details that arrived before the call."""
    with connection.cursor() as cursor:
        cursor.execute(LINK_DETAIL, [call.pk, call.company_id, openphone_id])


def _find_call(openphone_id: str) -> Call | None:
    return Call.objects.filter(activity__openphone_id=openphone_id).first()


def _unique_by_url(recordings: Iterable[Recording]) -> list[Recording]:
    """Return the recordings without duplicate URLs, in order; a duplicate with a type wins."""
    found: dict[str, Recording] = {}
    for recording in recordings:
        if not found.get(recording["url"], {}).get("type"):
            found[recording["url"]] = recording
    return list(found.values())
