"""Merges of contacts, and candidates of duplicates."""

import json

from crm.choices import DuplicateState
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
    for n, state in enumerate(DuplicateState):
        is_open = state == DuplicateState.OPEN
        first, second = (setup.about(position, at)["contact"] for position in (2 * n + 2, 2 * n + 3))
        setup.tables["duplicates"].add(
            company=setup.company,
            first=first,
            second=None if state == DuplicateState.MERGED else second,
            reasons=json.dumps(["name_address"]),
            score=74 + n,
            state=state,
            created_at=stamp(at),
            decided_by=None if is_open else setup.manager,
            decided_at=None if is_open else stamp(at),
        )
