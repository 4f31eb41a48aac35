"""Decisions of users about held messages, with their audit entries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crm.models import User
from crm.services.audited_actions import record_staff_action
from crm.services.bulk_actions import bulk_kind
from messaging.choices import MessageStatus
from messaging.models import Message
from messaging.services.outbound.holding import cancel_messages, release_messages


@dataclass(frozen=True)
class Decision:
    """A way to decide about held messages, and their status then."""

    apply: Callable[..., int]
    status: MessageStatus

    def decide(self, *, message_id: int, user: User) -> bool:
        """Decide about a message of the active company, and record who did. Return whether it was held."""
        if not self.apply(messages=Message.objects.filter(pk=message_id)):
            return False
        changes = {"status": (MessageStatus.HELD.value, self.status.value)}
        record_staff_action(user=user, table="message_threads", row_id=message_id, changes=changes)
        return True

    def decide_all(self, ids: Sequence[int], user: User) -> int:
        """Decide about messages of the active company. Return how many were held."""
        return sum(self.decide(message_id=each, user=user) for each in ids)


RELEASE = Decision(release_messages, MessageStatus.QUEUED)
CANCEL = Decision(cancel_messages, MessageStatus.FAILED)
RELEASE_MESSAGES = bulk_kind("release-messages", "Held messages released", RELEASE.decide_all)
CANCEL_MESSAGES = bulk_kind("cancel-messages", "Held messages cancelled", CANCEL.decide_all)
