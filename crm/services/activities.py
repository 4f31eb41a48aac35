"""Activities from providers' events: one for each provider id, however often and in whatever order it is reported."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from crm.choices import ActivityType
from crm.db.tenancy import current_company_id
from crm.models import Activity
from crm.services.archived_ids import ActivityArchived
from crm.services.conversations import ConversationContext
from crm.services.event_fields import fill_blank_fields, keep_earliest
from crm.services.known_rows import KnownRows


class IdClash(Exception):
    """A provider id already belongs to an activity of another type, or to a message in the other direction."""


@dataclass(frozen=True)
class RecordedActivity:
    activity: Activity
    created: bool
    is_new: bool  # in its conversation


def find_activity(known: KnownRows, openphone_id: str) -> Activity | None:
    """Return the activity of a provider's id, locked until the transaction ends. Raises ActivityArchived."""
    activity = known.activities({openphone_id}).get(openphone_id)
    if activity is None and known.archived({openphone_id}):
        raise ActivityArchived
    return activity


def record_activity(
    *,
    known: KnownRows,
    openphone_id: str,
    activity_type: str,
    context: ConversationContext,
    direction: str,
    created_at: datetime,
    body: str = "",
) -> RecordedActivity:
    """Return the activity of a provider id.

    Blank fields of an existing activity are filled in. The activity is locked until the transaction ends, so workers
    with the same id wait. Of several times it keeps the earliest: a receipt, recording or voicemail is reported after
    the call or message that it belongs to.

    Raises:
        IdClash: the id belongs to an activity of another type, or to a message in the other direction.
        ActivityArchived: the activity is archived.
    """
    fields = {"contact": context.contact, "conversation": context.conversation, "body": body}
    activity = find_activity(known, openphone_id)
    if activity is None:
        try:
            with transaction.atomic():
                activity = Activity.objects.create(
                    company_id=current_company_id(),
                    openphone_id=openphone_id,
                    activity_type=activity_type,
                    direction=direction,
                    created_at=created_at,
                    **fields,
                )
            known.add_activity(activity)
            return RecordedActivity(activity, created=True, is_new=True)
        except IntegrityError:  # another worker, or the sender of the message, was faster
            known.forget_activity(openphone_id)
            activity = find_activity(known, openphone_id)
            if activity is None:
                raise
    if activity.activity_type != activity_type:
        raise IdClash(f"{openphone_id} is the ID of a {activity.activity_type}, not of a {activity_type}.")
    if activity_type == ActivityType.MESSAGE and not context.is_internal:  # two lines may report one message
        refuse_other_direction(activity, direction)
    changed = fill_blank_fields(activity, **fields) + keep_earliest(activity, created_at)
    if changed:
        activity.save(update_fields=changed)
    return RecordedActivity(activity, created=False, is_new="conversation" in changed)


def refuse_other_direction(activity: Activity, direction: str) -> None:
    """Raise IdClash if an event in this direction names a message in the other one: it is about another message."""
    if activity.direction != direction:
        raise IdClash(
            f"{activity.openphone_id} is the ID of an {activity.direction} message, not of an {direction} one."
        )
