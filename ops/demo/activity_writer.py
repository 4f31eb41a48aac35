"""A contact's history, entry by entry: each text, note, e-mail and told call is an activity of a conversation."""

import json
from collections.abc import Sequence

from crm.choices import ActivityType, ConversationStatus, Direction
from messaging.choices import MessageKind, MessageStatus
from messaging.models.messages import ON_ITS_WAY
from ops.demo import phrases
from ops.demo.bulk_writer import Tables
from ops.demo.calendar import DAY, HOUR, stamp
from ops.demo.company_setup import LINE_OF_CONTACT, CompanySetup
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
UNREAD_FOR = 3 * DAY  # what came in before has been read
PICTURE_EVERY = 20  # incoming texts
SCRAMBLE, ID_SPACE = 0x9E3779B97F4A7C15, 2**64  # odd times a running number, so provider ids never meet


class ActivityWriter:
    """Writes what happened between one company and its contacts. Nothing happens after the end of the history."""

    def __init__(self, tables: Tables, setup: CompanySetup) -> None:
        self.tables, self.setup = tables, setup
        self.random = setup.random
        self.conversations: dict[int, int] = {}  # by the contact's position
        self.entries = self.received = 0
        self.csrs = shuffled(self.random, setup.csrs)
        self.sent_statuses = weighted_cycle(self.random, SENT_STATUSES)
        self.conversation_statuses = weighted_cycle(self.random, CONVERSATION_STATUSES)

    def phrase(self, choices: tuple[str, ...], **details: str) -> str:
        """One of the phrases, about one of the trade's jobs."""
        job = self.random.choice(self.setup.jobs)
        return self.random.choice(choices).format(job=job, company=self.setup.demo.name, **details)

    def line_of(self, position: int) -> int:
        """Which of the company's lines the contact talks over, by its place in the cast."""
        return LINE_OF_CONTACT[position % len(LINE_OF_CONTACT)]

    def call(self, position: int | None, instant: int, direction: str, *, answered: bool) -> tuple[int, str]:
        """The activity of a call, of nobody known where `position` is None, and the provider's id of it."""
        user, provider_id = next(self.csrs) if answered else None, self._provider_id()
        return self._entry(
            position, instant, ActivityType.CALL, direction, "", user=user, provider_id=provider_id
        ), provider_id

    def voicemail(self, position: int, instant: int) -> None:
        self._entry(
            position,
            instant,
            ActivityType.VOICEMAIL,
            Direction.INCOMING,
            self.phrase(phrases.VOICEMAILS),
            provider_id=self._provider_id(),
        )

    def note(self, position: int, instant: int) -> None:
        self._entry(position, instant, ActivityType.NOTE, "", self.phrase(phrases.NOTES), user=next(self.csrs))

    def email(self, position: int, instant: int) -> None:
        if instant < self.setup.calendar.end:
            body = self.phrase(phrases.EMAILS)
            self._entry(position, instant, ActivityType.EMAIL, Direction.OUTGOING, body, user=next(self.csrs))

    def receive(self, position: int, instant: int, body: str) -> int | None:
        """A text from the contact, now and then with a picture. Its activity; None if it is still to come."""
        if instant >= self.setup.calendar.end:
            return None
        self.received += 1
        media = []
        if self.received % PICTURE_EVERY == 1:
            media = [{"url": f"https://media.example.com/{self._provider_id()}.jpg", "type": "image/jpeg"}]
        return self._text(position, instant, body, Direction.INCOMING, MessageStatus.RECEIVED, media=media)

    def send(
        self,
        position: int,
        instant: int,
        body: str,
        *,
        status: str = "",
        by_hand: bool = True,
        kind: str = "",
        membership: int | None = None,
    ) -> None:
        """A text to the contact, unless it has a flag: those are not texted, but for the confirmation of their stop."""
        flagged = self.setup.flag_of(position) and kind != MessageKind.CONFIRMATION
        if instant >= self.setup.calendar.end or flagged:
            return
        user = next(self.csrs) if by_hand else None
        status = status or next(self.sent_statuses)
        self._text(position, instant, body, Direction.OUTGOING, status, user=user, kind=kind, membership=membership)

    def _text(
        self,
        position: int,
        instant: int,
        body: str,
        direction: str,
        status: str,
        *,
        user: int | None = None,
        kind: str = "",
        membership: int | None = None,
        media: Sequence[dict[str, str]] = (),
    ) -> int:
        setup, line = self.setup, self.line_of(position)
        is_old = instant < setup.calendar.end - UNREAD_FOR
        on_its_way = status in ON_ITS_WAY  # so that the provider has given it no id yet
        provider_id = None if on_its_way else self._provider_id()
        activity = self._entry(
            position, instant, ActivityType.MESSAGE, direction, body, user=user, provider_id=provider_id
        )
        sender, recipient = setup.number(position), setup.line_numbers[line]
        if direction == Direction.OUTGOING:
            sender, recipient = recipient, sender
        self.tables.messages.add(
            company=setup.company,
            activity=activity,
            contact=setup.first_contact + position,
            phone_line=setup.lines[line],
            direction=direction,
            kind=kind,
            membership=membership,
            run_at=stamp(instant) if on_its_way else None,
            from_number=sender,
            to_numbers=json.dumps([recipient]),
            body=body,
            media=json.dumps([*media]),
            status=status,
            created_at=stamp(instant),
            read_at=stamp(instant + HOUR) if direction == Direction.INCOMING and is_old else None,
        )
        return activity

    def _entry(
        self,
        position: int | None,
        instant: int,
        activity_type: str,
        direction: str,
        body: str,
        *,
        user: int | None = None,
        provider_id: str | None = None,
    ) -> int:
        return self.tables.activities.add(
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
        """The conversation with the contact. Its first and last times are set once everything has happened."""
        if position not in self.conversations:
            status = next(self.conversation_statuses)
            self.conversations[position] = self.tables.conversations.add(
                company=self.setup.company,
                contact=self.setup.first_contact + position,
                phone_line=self.setup.lines[self.line_of(position)],
                status=status,
                assignee=next(self.csrs) if status != ConversationStatus.CLOSED else None,
                created_at=stamp(instant),
                last_activity_at=stamp(instant),
            )
        return self.conversations[position]

    def _provider_id(self) -> str:
        self.entries += 1
        return f"AC{self.entries * SCRAMBLE % ID_SPACE:016x}"
