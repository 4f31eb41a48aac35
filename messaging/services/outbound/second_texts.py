"""Second texts: a merge of two contacts may leave a campaign membership with several, and the person gets one."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from django.db.models import Exists, OuterRef

from crm.models import CampaignMembership
from messaging.choices import MessageStatus
from messaging.models import Message
from messaging.services.outbound.recipient_facts import POSSIBLY_SENT
from messaging.services.outbound.send_results import refund_segments

REASON = "The contact was merged, and has another text of this campaign."


def end_second_texts(*, messages: Sequence[Message], blocked: Collection[int] = ()) -> set[int]:
    """Fail those of these claimed messages whose member may have got another text already. Returns their ids.

    Their members are locked until the transaction ends. So of two that depart at the same moment, the one that comes
    second finds the other failed, and leaves.

    Args:
        blocked: ids of messages of the same claim that won't leave.
    """
    claimed = {message.pk: message for message in messages if message.membership_id is not None}
    sent = Message.objects.filter(status__in=POSSIBLY_SENT).exclude(pk__in=blocked)
    others = sent.filter(membership=OuterRef("membership")).exclude(pk=OuterRef("pk"))
    beside_others = Message.objects.filter(Exists(others), pk__in=list(claimed))
    members = set(beside_others.values_list("membership", flat=True)) if claimed else set()
    if not members:
        return set()
    list(CampaignMembership.objects.filter(pk__in=members).order_by("pk").select_for_update(no_key=True).values("pk"))
    texts: dict[int, list[int]] = defaultdict(list)
    for pk, member in sent.filter(membership__in=members).order_by("pk").values_list("pk", "membership"):
        texts[member].append(pk)
    second: set[int] = set()
    for ids in texts.values():
        own = [pk for pk in ids if pk in claimed]
        second.update(own if len(own) < len(ids) else own[1:])
    if second:
        Message.objects.filter(pk__in=second).update(status=MessageStatus.FAILED, error=REASON, run_at=None)
        refund_segments(messages=[claimed[pk] for pk in sorted(second)])
    return second
