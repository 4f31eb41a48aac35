"""Merges of contacts."""

import json

from ops.demo.activity_writer import ActivityWriter
from ops.demo.calendar import DAY, HOUR, stamp

KEPT, GONE = 0, 1  # positions of the contacts


def add_merges(writer: ActivityWriter) -> None:
    """Add a merge that was undone: the two are father and son."""
    setup = writer.setup
    at = setup.calendar.end - 2 * DAY
    about = setup.about(KEPT, at)
    setup.tables["merges"].add(
        company=about["company"],
        kept=about["contact"],
        gone_id=setup.about(GONE, at)["contact"],
        fields=json.dumps({"email": "gone"}),
        counts=json.dumps({"contact_phones": 1}),
        created_by=setup.manager,
        created_at=stamp(at),
        undone_at=stamp(at + HOUR),
        undone_by=setup.manager,
    )
