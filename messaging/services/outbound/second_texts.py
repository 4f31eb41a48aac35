"""Second texts: a merge of two contacts may leave a campaign membership with several, and the person gets one."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from django.db.models import Exists, OuterRef
from django.utils import timezone

from crm.models import CampaignMembership
from messaging.choices import LOST, OUTCOME_UNKNOWN, MessageStatus
from messaging.models import Message
from messaging.services.outbound.claims import release_messages
from messaging.services.outbound.recipient_facts import POSSIBLY_SENT
from messaging.services.outbound.send_results import LOOKUP_INTERVAL, refund_segments

REASON = "The contact was merged, and has another text of this campaign."


def end_second_texts(*, messages: Sequence[Message], blocked: Collection[int] = ()) -> set[int]:
    """Stop those of these claimed messages whose member may have got another text already. Returns their ids.

    A message fails if the other one was sent. While the outcome of the other one is unknown, it waits: the other one
    may go to a number that the contact no longer has, and fail itself.

    Their members are locked until the transaction ends. So of two that depart at the same moment, the one that comes
    second finds the other waiting, and leaves.

    Args:
        blocked: ids of messages of the same claim that won't leave.
    """
    claimed = {message.pk: message for message in messages if message.membership_id is not None}
    sent = Message.objects.filter(status__in=POSSIBLY_SENT).exclude(status__in=LOST).exclude(pk__in=blocked)
    others = sent.filter(membership=OuterRef("membership")).exclude(pk=OuterRef("pk"))
    beside_others = Message.objects.filter(Exists(others), pk__in=list(claimed))
    members = set(beside_others.values_list("membership", flat=True)) if claimed else set()
    if not members:
        return set()
    list(CampaignMembership.objects.filter(pk__in=members).order_by("pk").select_for_update(no_key=True).values("pk"))
    texts: dict[int, dict[int, str]] = defaultdict(dict)
    rows = sent.filter(membership__in=members).order_by("pk").values_list("pk", "membership", "status")
    for pk, member, status in rows:
        texts[member][pk] = status
    second: set[int] = set()
    waiting: set[int] = set()
    for statuses in texts.values():
        own = [pk for pk in statuses if pk in claimed]
        beside = [status for pk, status in statuses.items() if pk not in claimed]
        if any(status not in OUTCOME_UNKNOWN for status in beside):
            second.update(own)
        else:
            waiting.update(own if beside else own[1:])
    if waiting:
        release_messages(messages=[claimed[pk] for pk in sorted(waiting)])
        Message.objects.filter(pk__in=waiting).update(run_at=timezone.now() + LOOKUP_INTERVAL)
    if second:
        Message.objects.filter(pk__in=second).update(status=MessageStatus.FAILED, error=REASON, run_at=None)
        refund_segments(messages=[claimed[pk] for pk in sorted(second)])
    return second | waiting
