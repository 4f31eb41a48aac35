"""A contact's history, entry by entry: each text, note, e-mail and told call is an activity of a conversation."""

import json

from analytics.demo import texts
from analytics.demo.cast import LINE_OF_CONTACT, Cast
from analytics.demo.chance import deck, shuffled
from analytics.demo.clock import stamp
from analytics.demo.tables import Tables
from crm.choices import ActivityType, Direction
from messaging.choices import MessageStatus

SENT_STATUSES = {
    MessageStatus.DELIVERED: 90,
    MessageStatus.SENT: 4,
    MessageStatus.FAILED: 3,
    MessageStatus.UNDELIVERED: 3,
}
PICTURE_EVERY = 20  # incoming texts
SCRAMBLE, ID_SPACE = 0x9E3779B97F4A7C15, 2**64  # odd times a running number, so provider ids never meet


class Chronicle:
    """Writes what happened between one company and its contacts. Nothing happens after the end of the history."""

    def __init__(self, tables: Tables, cast: Cast) -> None:
        self.tables, self.cast = tables, cast
        self.random = cast.random
        self.conversations: dict[int, int] = {}  # by the contact's position
        self.entries = self.received = 0
        self.csrs = shuffled(self.random, cast.csrs)
        self.sent_statuses = deck(self.random, SENT_STATUSES)

    def phrase(self, choices: tuple[str, ...], **details: str) -> str:
        """One of the phrases, about one of the trade's jobs."""
        job = self.random.choice(self.cast.jobs)
        return self.random.choice(choices).format(job=job, company=self.cast.demo.name, **details)

    def line_of(self, position: int) -> int:
        """Which of the company's lines the contact talks over, by its place in the cast."""
        return LINE_OF_CONTACT[position % len(LINE_OF_CONTACT)]

    def call(self, position: int | None, instant: int, direction: str, *, answered: bool) -> int:
        """The activity of a call, of nobody known where `position` is None."""
        user = next(self.csrs) if answered else None
        return self._entry(
            position, instant, ActivityType.CALL, direction, "", user=user, provider_id=self._provider_id()
        )

    def voicemail(self, position: int, instant: int) -> None:
        self._entry(
            position,
            instant,
            ActivityType.VOICEMAIL,
            Direction.INCOMING,
            self.phrase(texts.VOICEMAILS),
            provider_id=self._provider_id(),
        )

    def note(self, position: int, instant: int) -> None:
        self._entry(position, instant, ActivityType.NOTE, "", self.phrase(texts.NOTES), user=next(self.csrs))

    def email(self, position: int, instant: int) -> None:
        if instant < self.cast.calendar.end:
            body = self.phrase(texts.EMAILS)
            self._entry(position, instant, ActivityType.EMAIL, Direction.OUTGOING, body, user=next(self.csrs))

    def receive(self, position: int, instant: int, body: str) -> None:
        """A text from the contact, now and then with a picture."""
        if instant >= self.cast.calendar.end:
            return
        self.received += 1
        media = []
        if self.received % PICTURE_EVERY == 1:
            media = [{"url": f"https://media.example.com/{self._provider_id()}.jpg", "type": "image/jpeg"}]
        self._text(position, instant, body, Direction.INCOMING, MessageStatus.RECEIVED, None, media)

    def send(self, position: int, instant: int, body: str, *, status: str = "", by_hand: bool = True) -> None:
        """A text to the contact, unless it has a flag: those are not texted."""
        if instant >= self.cast.calendar.end or self.cast.flag_of(position):
            return
        user = next(self.csrs) if by_hand else None
        self._text(position, instant, body, Direction.OUTGOING, status or next(self.sent_statuses), user, [])

    def _text(
        self, position: int, instant: int, body: str, direction: str, status: str, user: int | None, media: list
    ) -> None:
        cast, line = self.cast, self.line_of(position)
        activity = self._entry(
            position, instant, ActivityType.MESSAGE, direction, body, user=user, provider_id=self._provider_id()
        )
        sender, recipient = cast.number(position), cast.line_numbers[line]
        if direction == Direction.OUTGOING:
            sender, recipient = recipient, sender
        self.tables.messages.add(
            company=cast.company,
            activity=activity,
            contact=cast.first_contact + position,
            phone_line=cast.lines[line],
            direction=direction,
            from_number=sender,
            to_numbers=json.dumps([recipient]),
            body=body,
            media=json.dumps(media),
            status=status,
            created_at=stamp(instant),
        )

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
            company=self.cast.company,
            openphone_id=provider_id,
            contact=None if position is None else self.cast.first_contact + position,
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
            self.conversations[position] = self.tables.conversations.add(
                company=self.cast.company,
                contact=self.cast.first_contact + position,
                phone_line=self.cast.lines[self.line_of(position)],
                created_at=stamp(instant),
                last_activity_at=stamp(instant),
            )
        return self.conversations[position]

    def _provider_id(self) -> str:
        self.entries += 1
        return f"AC{self.entries * SCRAMBLE % ID_SPACE:016x}"
