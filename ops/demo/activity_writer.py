"""Activities of contacts: each message, note, email and detailed call belongs to a conversation."""

import json

from crm.choices import ActivityType, ConversationStatus, Direction
from messaging.choices import MessageKind, MessageStatus
from messaging.models.messages import OUTBOX_STATUSES
from ops.demo.calendar import DAY, HOUR, stamp
from ops.demo.company_setup import CompanySetup
from ops.demo.random_data import shuffled, weighted_cycle

SENT_STATUSES = {"delivered": 90, "sent": 4, "failed": 3, "undelivered": 3}
CONVERSATION_STATUSES = {"closed": 59, "open": 25, "waiting": 15, "snoozed": 1}
KINDS_BY_HAND = (MessageKind.REPLY, MessageKind.SCHEDULED)
UNREAD_FOR = 3 * DAY  # older incoming messages have been read
PICTURE = json.dumps([{"url": "https://media.example.com/picture.jpg", "type": "image/jpeg"}])
SCRAMBLE, ID_SPACE = 0x9E3779B97F4A7C15, 2**64  # an odd factor maps running numbers to unique provider ids


class ActivityWriter:
    """Writes the activities of one company, no message after the end of the history."""

    def __init__(self, setup: CompanySetup) -> None:
        self.setup, self.tables, self.random, self.end = setup, setup.tables, setup.random, setup.calendar.end
        self.conversations: dict[int, int] = {}  # ids by the contact's position
        self.provider_ids = 0
        self.csrs = shuffled(self.random, setup.csrs)
        self.sent_statuses = weighted_cycle(self.random, SENT_STATUSES)
        self.conversation_statuses = weighted_cycle(self.random, CONVERSATION_STATUSES)

    def phrase(self, *choices: str, **details: str) -> str:
        """Pick one of the phrases, about one of the trade's jobs."""
        job = self.random.choice(self.setup.demo.trade.jobs)
        return self.random.choice(choices).format(job=job, company=self.setup.demo.name, **details)

    def provider_id(self) -> str:
        self.provider_ids += 1
        return f"AC{self.provider_ids * SCRAMBLE % ID_SPACE:016x}"

    def receive(self, position: int, instant: int, body: str) -> int | None:
        """Add a message from the contact.

        Returns:
            The activity's id, or None after the end of the history.
        """
        if instant >= self.end:
            return None
        activity = self.add(
            position, instant, ActivityType.MESSAGE, Direction.INCOMING, body, openphone_id=self.provider_id()
        )
        line = self.setup.line_of(position)
        self.tables["message_threads"].add(
            **self.setup.about(position, instant),
            activity=activity,
            phone_line=line.id,
            direction=Direction.INCOMING,
            from_number=self.setup.numbers[position],
            to_numbers=json.dumps([line.number]),
            body=body,
            media=PICTURE if "picture" in body else "[]",
            status=MessageStatus.RECEIVED,
            read_at=stamp(instant + HOUR) if instant < self.end - UNREAD_FOR else None,
        )
        return activity

    def send(
        self,
        position: int,
        instant: int,
        body: str,
        *,
        kind: str,
        status: str = "",
        membership: int | None = None,
        send_at: int | None = None,
    ) -> None:
        """Add a message to the contact, unless a flag blocks it; the confirmation of an opt-out is never blocked."""
        if instant >= self.end or (self.setup.flag_of(position) and kind != MessageKind.CONFIRMATION):
            return
        status = status or next(self.sent_statuses)
        on_its_way = status in OUTBOX_STATUSES  # the provider hasn't given it an id yet
        openphone_id, by_hand = None if on_its_way else self.provider_id(), kind in KINDS_BY_HAND
        line, message, outgoing = self.setup.line_of(position), ActivityType.MESSAGE, Direction.OUTGOING
        activity = self.add(position, instant, message, outgoing, body, openphone_id=openphone_id, by_hand=by_hand)
        self.tables["message_threads"].add(
            **self.setup.about(position, instant),
            activity=activity,
            phone_line=line.id,
            direction=outgoing,
            kind=kind,
            membership=membership,
            run_at=stamp(send_at or instant) if on_its_way else None,
            send_at=stamp(send_at) if send_at else None,
            hold_if_reply=send_at is not None,
            from_number=line.number,
            to_numbers=json.dumps([self.setup.numbers[position]]),
            body=body,
            status=status,
        )

    def add(
        self,
        position: int | None,
        instant: int,
        activity_type: ActivityType,
        direction: str,
        body: str = "",
        *,
        openphone_id: str | None = None,
        by_hand: bool = False,
    ) -> int:
        """Add an activity with its conversation; `position` is None for an anonymous caller."""
        return self.tables["activities"].add(
            **self.setup.about(position, instant),
            conversation=None if position is None else self._conversation(position, instant),
            activity_type=activity_type,
            direction=direction,
            body=body,
            openphone_id=openphone_id,
            user=next(self.csrs) if by_hand else None,
        )

    def _conversation(self, position: int, instant: int) -> int:
        """Return the conversation with the contact. Its first and last times are set after all activities."""
        if position not in self.conversations:
            status = next(self.conversation_statuses)
            self.conversations[position] = self.tables["conversations"].add(
                **self.setup.about(position, instant),
                phone_line=self.setup.line_of(position).id,
                status=status,
                snoozed_until=stamp(self.end + 2 * DAY) if status == ConversationStatus.SNOOZED else None,
                assignee=next(self.csrs) if status != ConversationStatus.CLOSED else None,
                last_activity_at=stamp(instant),
            )
        return self.conversations[position]
