"""Merging of a contact's calls, appointments, tasks and entries of the missed queue."""

from typing import Any

from django.db.models import Q

from calls.choices import Recovery, TextBack
from calls.models import Appointment, Attachment, Call, MissedCaller, Task
from calls.services.missed_calls import reached_after
from crm.models import Activity
from crm.services.merging.journal import Journal, rows_of
from crm.services.merging.rules import Move, at_end_of_merge, at_end_of_undoing, register

# The later one stays: a person who has had the message gets no second one.
TEXT_BACKS = (TextBack.OFF, TextBack.FAILED, TextBack.REFUSED, TextBack.DUE, TextBack.QUEUED)


class JoinOpenEntries:
    """Entries move; two open ones become one, which is recovered if the person was reached by the other contact."""

    def merge(self, model: Any, journal: Journal) -> None:
        is_open = Q(recovered_at__isnull=True)
        mine = journal.of(journal.kept, MissedCaller).filter(is_open).first()
        other = journal.of(journal.gone, MissedCaller).filter(is_open).first()
        if mine and other:
            latest = max(mine, other, key=lambda entry: entry.last_missed_at)
            journal.change(
                journal.of(journal.kept, MissedCaller).filter(pk=mine.pk),
                missed_calls=mine.missed_calls + other.missed_calls,
                first_missed_at=min(mine.first_missed_at, other.first_missed_at),
                last_missed_at=latest.last_missed_at,
                phone_line_id=latest.phone_line_id,
                text_back=max(mine.text_back, other.text_back, key=_rank),
            )
            journal.replace(model, {other.pk: mine.pk})
        journal.move(model)


def _rank(text_back: str) -> int:
    return TEXT_BACKS.index(TextBack(text_back))


def close_reached_entry(journal: Journal) -> None:
    """Recover the open entry if the person called, wrote or booked after it, as the other contact."""
    rows = journal.of(journal.kept, MissedCaller).filter(recovered_at__isnull=True)
    entry = rows.first()
    reached = reached_after(journal.kept, entry.last_missed_at) if entry else None
    if entry and reached:
        text_back = TextBack.OFF if entry.text_back == TextBack.DUE else entry.text_back
        at, by = reached
        journal.change(rows.filter(pk=entry.pk), recovered_at=at, recovered_by=Recovery(by).value, text_back=text_back)


def return_calls(undoing: Any) -> None:
    """Give calls since the merge to the contact that has their number again. Those with a lead or a booking stay."""
    numbers = undoing.numbers
    calls = rows_of(Call).filter(
        Q(from_number__in=numbers) | Q(to_number__in=numbers),
        contact=undoing.kept.pk, lead=None, appointments=None, created_at__gte=undoing.merge.created_at,
    )  # fmt: skip
    found = list(calls.values_list("pk", "activity", "activity__openphone_id"))
    voicemails = [f"{provider_id}:voicemail" for *_, provider_id in found if provider_id]
    own = Q(pk__in=[activity for _, activity, _ in found if activity]) | Q(openphone_id__in=voicemails)
    rows_of(Call).filter(pk__in=[pk for pk, *_ in found]).update(contact=undoing.gone.pk)
    rows_of(Activity).filter(own, contact=undoing.kept.pk).update(contact=undoing.gone.pk)
    if found:
        undoing.followed[Call._meta.db_table] = len(found)


def register_rules() -> None:
    register(Call, Move())
    register(Appointment, Move())
    register(Task, Move())
    register(Attachment, Move())
    register(MissedCaller, JoinOpenEntries())
    at_end_of_merge.append(close_reached_entry)
    at_end_of_undoing.append(return_calls)
