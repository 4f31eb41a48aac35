"""Activities of contacts: each message, note, email and detailed call belongs to a conversation."""

import json

from crm.choices import ActivityType, ConversationStatus, Direction
from messaging.choices import MessageKind, MessageStatus
from messaging.models.messages import OUTBOX_STATUSES
from ops.demo import phrases
from ops.demo.calendar import DAY, HOUR, stamp
from ops.demo.company_setup import CompanySetup
from ops.demo.random_data import shuffled, weighted_cycle

SENT_STATUSES = {
    MessageStatus.DELIVERED: 90,
    MessageStatus.SENT: 4,
    MessageStatus.FAILED: 3,
    MessageStatus.UNDELIVERED: 3,
}
CONVERSATION_STATUSES = {
    ConversationStatus.CLOSED: 60,
    ConversationStatus.OPEN: 25,
    ConversationStatus.WAITING: 15,
}
UNREAD_FOR = 3 * DAY  # older incoming messages have been read
PICTURE_EVERY = 20  # incoming messages
SCRAMBLE, ID_SPACE = 0x9E3779B97F4A7C15, 2**64  # an odd factor maps running numbers to unique provider ids


class ActivityWriter:
    """Writes the activities of one company, none after the end of the history."""

    def __init__(self, setup: CompanySetup) -> None:
        self.setup, self.tables, self.random, self.end = setup, setup.tables, setup.random, setup.calendar.end
        self.conversations: dict[int, int] = {}  # ids by the contact's position
        self.provider_ids = self.received = 0
        self.csrs = shuffled(self.random, setup.csrs)
        self.sent_statuses = weighted_cycle(self.random, SENT_STATUSES)
        self.conversation_statuses = weighted_cycle(self.random, CONVERSATION_STATUSES)

    def phrase(self, choices: tuple[str, ...], **details: str) -> str:
        """Pick one of the phrases, about one of the trade's jobs."""
        job = self.random.choice(self.setup.jobs)
        return self.random.choice(choices).format(job=job, company=self.setup.demo.name, **details)

    def call(self, position: int | None, instant: int, direction: str, *, answered: bool) -> tuple[int, str]:
        """Add the activity of a call; `position` is None for an anonymous caller.

        Returns:
            The activity's id, and the provider's id of the call.
        """
        user, provider_id = next(self.csrs) if answered else None, self._provider_id()
        return self._add(
            position, instant, ActivityType.CALL, direction, user=user, provider_id=provider_id
        ), provider_id

    def voicemail(self, position: int, instant: int) -> None:
        body, provider_id = self.phrase(phrases.VOICEMAILS), self._provider_id()
        self._add(position, instant, ActivityType.VOICEMAIL, Direction.INCOMING, body, provider_id=provider_id)

    def note(self, position: int, instant: int) -> None:
        self._add(position, instant, ActivityType.NOTE, body=self.phrase(phrases.NOTES), user=next(self.csrs))

    def email(self, position: int, instant: int) -> None:
        if instant < self.end:
            body = self.phrase(phrases.EMAILS)
            self._add(position, instant, ActivityType.EMAIL, Direction.OUTGOING, body, user=next(self.csrs))

    def receive(self, position: int, instant: int, body: str) -> int | None:
        """Add a message from the contact, now and then with a picture.

        Returns:
            The activity's id, or None after the end of the history.
        """
        if instant >= self.end:
            return None
        self.received += 1
        media = []
        if self.received % PICTURE_EVERY == 1:
            media = [{"url": f"https://media.example.com/{self._provider_id()}.jpg", "type": "image/jpeg"}]
        activity = self._add(
            position, instant, ActivityType.MESSAGE, Direction.INCOMING, body, provider_id=self._provider_id()
        )
        line = self.setup.line_of(position)
        self.tables["message_threads"].add(
            **self.setup.ids(position),
            activity=activity,
            phone_line=self.setup.lines[line],
            direction=Direction.INCOMING,
            kind="",
            from_number=self.setup.number(position),
            to_numbers=json.dumps([self.setup.line_numbers[line]]),
            body=body,
            media=json.dumps(media),
            status=MessageStatus.RECEIVED,
            created_at=stamp(instant),
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
        by_hand: bool = True,
        membership: int | None = None,
    ) -> None:
        """Add a message to the contact, unless a flag blocks it; the confirmation of an opt-out is never blocked."""
        if instant >= self.end or (self.setup.flag_of(position) and kind != MessageKind.CONFIRMATION):
            return
        user = next(self.csrs) if by_hand else None
        status = status or next(self.sent_statuses)
        on_its_way = status in OUTBOX_STATUSES  # the provider hasn't given it an id yet
        provider_id = None if on_its_way else self._provider_id()
        activity = self._add(
            position, instant, ActivityType.MESSAGE, Direction.OUTGOING, body, user=user, provider_id=provider_id
        )
        line = self.setup.line_of(position)
        self.tables["message_threads"].add(
            **self.setup.ids(position),
            activity=activity,
            phone_line=self.setup.lines[line],
            direction=Direction.OUTGOING,
            kind=kind,
            membership=membership,
            run_at=stamp(instant) if on_its_way else None,
            from_number=self.setup.line_numbers[line],
            to_numbers=json.dumps([self.setup.number(position)]),
            body=body,
            media="[]",
            status=status,
            created_at=stamp(instant),
        )

    def _add(
        self,
        position: int | None,
        instant: int,
        activity_type: str,
        direction: str = "",
        body: str = "",
        *,
        user: int | None = None,
        provider_id: str | None = None,
    ) -> int:
        return self.tables["activities"].add(
            company=self.setup.company,
            openphone_id=provider_id,
            contact=None if position is None else self.setup.first_contact + position,
            conversation=None if position is None else self._conversation(position, instant),
            user=user,
            activity_type=activity_type,
            direction=direction,
            body=body,
            created_at=stamp(instant),
        )

    def _conversation(self, position: int, instant: int) -> int:
        """Return the conversation with the contact. Its first and last times are set after all activities."""
        if position not in self.conversations:
            status = next(self.conversation_statuses)
            self.conversations[position] = self.tables["conversations"].add(
                **self.setup.ids(position),
                phone_line=self.setup.lines[self.setup.line_of(position)],
                status=status,
                assignee=next(self.csrs) if status != ConversationStatus.CLOSED else None,
                created_at=stamp(instant),
                last_activity_at=stamp(instant),
            )
        return self.conversations[position]

    def _provider_id(self) -> str:
        self.provider_ids += 1
        return f"AC{self.provider_ids * SCRAMBLE % ID_SPACE:016x}"
