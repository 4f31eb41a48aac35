"""Rows that wait for a message of a contact. In general there are none: one statement then saves several."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from messaging.services.outbound.campaign_progress import REPLY_WINDOW

# A campaign waits for a reply for some time; its next step waits as long as it is pending.
WAITING = """
WITH message (place, contact_id, at, since) AS (VALUES {values})
SELECT
    EXISTS (
        SELECT 1 FROM missed_callers
        WHERE contact_id = message.contact_id AND (recovered_at IS NULL OR recovered_at > message.at)
    ),
    EXISTS (
        SELECT 1 FROM contact_flags WHERE contact_id = message.contact_id AND flag_type = 'invalid_number'
    ),
    EXISTS (
        SELECT 1 FROM campaign_memberships member
        WHERE contact_id = message.contact_id AND sent_at <= message.at AND (
            sent_at >= message.since OR EXISTS (
                SELECT 1 FROM campaign_memberships further
                WHERE further.contact_id = message.contact_id AND further.status = 'pending' AND further.step >= 2
            )
        )
    ),
    EXISTS (
        SELECT 1 FROM message_threads scheduled
        WHERE scheduled.contact_card_id = message.contact_id AND scheduled.status = 'queued' AND scheduled.hold_if_reply
    )
FROM message ORDER BY place
"""


class Waiting(NamedTuple):
    """Kinds of rows that may wait for a message."""

    missed_call: bool
    invalid_number: bool
    campaign: bool
    scheduled: bool
    """A scheduled message that a reply holds back."""


def find_waiting(messages: Sequence[tuple[int, datetime]]) -> list[Waiting]:
    """Return what may wait for each message, given by its contact's id and its time."""
    if not messages:
        return []
    adapt = connection.ops.adapt_datetimefield_value
    parameters = [
        value
        for place, (contact, at) in enumerate(messages)
        for value in (place, contact, adapt(at), adapt(at - REPLY_WINDOW))
    ]
    values = ", ".join(["(%s, %s, %s, %s)"] * len(messages))
    with connection.cursor() as cursor:
        cursor.execute(WAITING.format(values=values), parameters)
        return [Waiting(*map(bool, row)) for row in cursor.fetchall()]
