"""Phone lines with messages that may be sent now, over all companies."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from crm.db.tenancy import all_tenants_autocommit

MAX_LINES = 50  # another worker may have locked some

# The first message that needn't wait for another to its contact: as `MessageQuerySet.ready_on_line`. The order keeps
# PostgreSQL in the index, however many messages it expects there.
_FIRST_READY = """
(
    SELECT m.id FROM message_threads m
    WHERE m.status = 'queued' AND m.phone_line_id = line.id AND m.priority = {priority} AND m.run_at <= %s
    AND NOT EXISTS (
        SELECT 1 FROM message_threads earlier
        WHERE earlier.contact_card_id = m.contact_card_id AND earlier.phone_line_id = m.phone_line_id
        AND (earlier.status IN ('sending', 'unknown')
             OR (earlier.status = 'queued' AND earlier.kind = m.kind
                 AND (earlier.send_at < m.send_at
                      OR (earlier.id < m.id AND (earlier.send_at IS NULL OR earlier.send_at = m.send_at)))))
    )
    ORDER BY m.run_at, m.id LIMIT 1
)
"""
# A skip scan: PostgreSQL has no plan of its own that finds the few distinct lines of many messages. A line that rests,
# or whose messages aren't due, costs a step in the index for each priority, whatever its backlog.
_READY_LINES = f"""
WITH RECURSIVE waiting (line_id) AS (
    SELECT min(phone_line_id) FROM message_threads WHERE status = 'queued'
    UNION ALL
    SELECT (SELECT min(m.phone_line_id) FROM message_threads m
            WHERE m.status = 'queued' AND m.phone_line_id > waiting.line_id)
    FROM waiting WHERE waiting.line_id IS NOT NULL
),
ready AS MATERIALIZED (
    SELECT line.company_id, line.id, line.provider, line.next_send_at,
        {_FIRST_READY.format(priority=0)} AS response,
        {_FIRST_READY.format(priority=1)} AS other,
        CASE WHEN line.next_campaign_send_at <= %s THEN {_FIRST_READY.format(priority=2)} END AS campaign
    FROM waiting JOIN phone_lines line ON line.id = waiting.line_id
    WHERE line.next_send_at <= %s
)
SELECT company_id, id, provider, response, other, campaign
FROM ready
WHERE response IS NOT NULL OR other IS NOT NULL OR campaign IS NOT NULL
ORDER BY response IS NULL, next_send_at, id
LIMIT {MAX_LINES}
"""  # noqa: S608  # constants of this module


@dataclass(frozen=True)
class ReadyLine:
    company_id: int
    line_id: int
    provider: str
    priorities: tuple[int, ...]
    """Of the messages that may be sent now, in the order of sending."""


def find_ready_lines(now: datetime) -> list[ReadyLine]:
    """Return lines that may send: first those with replies, then those that have rested longest."""
    moment = connection.ops.adapt_datetimefield_value(now)
    with all_tenants_autocommit(), connection.cursor() as cursor:
        cursor.execute(_READY_LINES, [moment] * _READY_LINES.count("%s"))
        return [
            ReadyLine(company_id, line_id, provider, tuple(n for n, first in enumerate(firsts) if first is not None))
            for company_id, line_id, provider, *firsts in cursor.fetchall()
        ]
