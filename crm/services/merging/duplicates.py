"""Merging of candidates of duplicates."""

from typing import Any

from django.db.models import Q
from django.utils import timezone

from crm.choices import DuplicateState
from crm.services.merging.journal import Journal, rows_of


class FollowMerge:
    """The merged pair is decided. Candidates with a third contact go over; that two aren't the same is remembered."""

    def merge(self, model: Any, journal: Journal) -> None:
        kept, gone = journal.kept.pk, journal.gone.pk
        known = {
            row.second_id if row.first_id == kept else row.first_id: row
            for row in rows_of(model).filter(Q(first=kept) | Q(second=kept))
        }
        for row in rows_of(model).filter(Q(first=gone) | Q(second=gone)).order_by("pk"):
            self._follow(row, journal, kept, gone, known)

    def _follow(self, row: Any, journal: Journal, kept: int, gone: int, known: dict[Any, Any]) -> None:
        own = rows_of(type(row)).filter(pk=row.pk)
        side = "first" if row.first_id == gone else "second"
        other = row.second_id if side == "first" else row.first_id
        decided = {"decided_by_id": journal.user_id, "decided_at": timezone.now()}
        if other is None:
            journal.change(own, **{f"{side}_id": kept})
        elif other == kept:
            journal.change(own, state=DuplicateState.MERGED.value, **{f"{side}_id": None}, **decided)
        elif other in known:
            mine = known[other]
            if (mine.state, row.state) == (DuplicateState.OPEN, DuplicateState.NOT_THE_SAME):
                same = rows_of(type(row)).filter(pk=mine.pk)
                journal.change(same, state=row.state, decided_by_id=row.decided_by_id, decided_at=row.decided_at)
            journal.replace(type(row), {row.pk: mine.pk})
        else:
            journal.change(own, first_id=min(kept, other), second_id=max(kept, other))
