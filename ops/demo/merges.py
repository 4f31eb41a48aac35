"""Merges of contacts, and candidates of duplicates."""

import json

from crm.choices import DuplicateState
from ops.demo.activity_writer import ActivityWriter
from ops.demo.calendar import DAY, HOUR, stamp

KEPT, GONE = 0, 1  # positions of the contacts
PAIRS: dict[DuplicateState, tuple[int, int | None]] = {
    DuplicateState.OPEN: (5, 9),
    DuplicateState.NOT_THE_SAME: (13, 17),
    DuplicateState.MERGED: (6, None),
}


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
    for state, (first, second) in PAIRS.items():
        is_open = state == DuplicateState.OPEN
        setup.tables["duplicates"].add(
            company=setup.company,
            first=setup.about(first, at)["contact"],
            second=None if second is None else setup.about(second, at)["contact"],
            reasons=json.dumps(["email"]),
            score=90,
            state=state,
            decided_by=None if is_open else setup.manager,
            decided_at=None if is_open else stamp(at),
            created_at=stamp(at),
        )
