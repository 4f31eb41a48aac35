"""Merging of a contact's messages."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q

from crm.db.advisory_locks import advisory_xact_locks
from crm.models import Activity, ContactPhone
from crm.services.merging.campaigns import REASON
from crm.services.merging.journal import Journal, rows_of
from crm.services.merging.rules import (
    Move,
    at_end_of_merge,
    at_end_of_undoing,
    before_locking,
    before_moving,
    register,
)
from messaging.choices import MessageStatus
from messaging.models import Message
from messaging.services.campaigns.feeder import FEEDER
from messaging.services.campaigns.recall import UNSENT
from messaging.services.outbound.campaign_progress import update_memberships

WAITING = (MessageStatus.QUEUED, MessageStatus.HELD)


def hold_feeder(company_id: int) -> None:
    """Let no campaign of the company queue a message until the transaction ends: the feeder takes its turn later."""
    advisory_xact_locks([(FEEDER, company_id)])


def lock_waiting(contact_ids: Sequence[int]) -> None:
    """Lock the contacts' waiting messages before their activities, in the order of a recall."""
    waiting = rows_of(Message).filter(contact__in=contact_ids, status__in=WAITING)
    list(waiting.order_by("pk").select_for_update(no_key=True).values_list("pk"))


def readdress_waiting(journal: Journal) -> None:
    """Send what waits for a former main number to the present one: the send policy takes no other."""
    for number in sorted(journal.main_numbers - {journal.kept.phone}):
        waiting = journal.of(journal.kept, Message).filter(status__in=WAITING, to_numbers=[number])
        waiting.update(to_numbers=[journal.kept.phone])


def stop_second_texts(journal: Journal) -> None:
    """Let no waiting message of a campaign leave whose step the person has had, or must not get any more."""
    campaign = journal.of(journal.kept, Message).filter(status__in=WAITING, membership__isnull=False)
    rows = campaign.order_by("pk").values_list("pk", "membership", "membership__status")
    first: dict[int, int] = {}
    stopped = [pk for pk, member, status in rows if status not in UNSENT or first.setdefault(member, pk) != pk]
    if stopped:
        failed = {"status": MessageStatus.FAILED.value, "error": REASON, "run_at": None}
        journal.change(campaign.filter(pk__in=stopped), **failed)


def return_messages(undoing: Any) -> None:
    """Give messages since the merge to the contact that has their number again, also those that waited for it."""
    merge, kept, gone = undoing.merge, undoing.kept.pk, undoing.gone.pk
    theirs = reduce(or_, (Q(to_numbers__0=number) for number in sorted(undoing.numbers)))
    apart = rows_of(Message).exclude(membership__isnull=False)
    since = apart.filter(contact=kept, created_at__gte=merge.created_at)
    found = since.filter(Q(direction="incoming", from_number__in=undoing.numbers) | Q(theirs, direction="outgoing"))
    if number := _give(found, gone):
        undoing.followed[Message._meta.db_table] = number
    moved = rows_of(Message).filter(pk__in=merge.moved.get(Message._meta.db_table, ()), direction="outgoing")
    left = moved.filter(sent_at__gte=merge.created_at).exclude(theirs)
    undoing.leave(Message._meta.db_table, sorted(left.values_list("pk", flat=True)), "changed", columns=["to_numbers"])
    _give(apart.filter(pk__in=left.values("pk")), kept)


def _give(messages: Any, contact_id: int) -> int:
    """Give messages and their activities to a contact. Returns how many."""
    found = list(messages.values_list("pk", "activity"))
    rows_of(Message).filter(pk__in=[pk for pk, _ in found]).update(contact=contact_id)
    rows_of(Activity).filter(pk__in=[activity for _, activity in found]).update(contact=contact_id)
    return len(found)


def return_waiting(undoing: Any) -> None:
    """Send what waits to the main number of its own contact again."""
    merge, kept, gone = undoing.merge, undoing.kept, undoing.gone
    waiting = rows_of(Message).filter(status__in=WAITING, direction="outgoing")
    moved = waiting.filter(contact=gone.pk, pk__in=merge.moved.get(Message._meta.db_table, ()))
    own = set(rows_of(ContactPhone).filter(contact=kept.pk).values_list("phone", flat=True))
    for number in sorted(own | {kept.phone, merge.before["kept"]["phone"]}):
        moved.filter(to_numbers=[number]).update(to_numbers=[gone.phone])
    for number in sorted(undoing.numbers):
        waiting.filter(contact=kept.pk, to_numbers=[number]).update(to_numbers=[kept.phone])


def follow_texts(undoing: Any) -> None:
    """Advance members who are as they were before the merge to what has become of their texts since."""
    pair = [undoing.kept.pk, undoing.gone.pk]
    update_memberships(messages=rows_of(Message).filter(membership__contact__in=pair, membership__status__in=UNSENT))


def register_rules() -> None:
    register(Message, Move())
    before_locking.append(hold_feeder)
    before_moving.append(lock_waiting)
    at_end_of_merge.extend([readdress_waiting, stop_second_texts])
    at_end_of_undoing.extend([return_messages, return_waiting, follow_texts])
