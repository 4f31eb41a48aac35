"""The vocabulary that every provider's deliveries are put into."""

from dataclasses import dataclass
from datetime import datetime


class Unreadable(Exception):
    """A delivery can't be made sense of; trying again won't help. The text says why."""


class FieldError(Unreadable):
    """One field is missing or holds what it can't hold."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")


class NotHandled(Exception):
    """A delivery is of a kind that nothing is done about yet."""

    def __init__(self, event_type: str) -> None:
        super().__init__(f"{event_type} is not handled yet.")


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """What is around an event. Texts are such as the database can hold."""

    id: str  # "" where it has none that can be stored
    type: str
    content: dict
    remark: str  # what had to be replaced to make it so; mostly ""


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """Something between one of our lines and the outside. Numbers are E.164, or as sent: a short code, "Anonymous"."""

    openphone_id: str  # the provider's id of it, whichever provider
    line_id: str  # the provider's id of our line; "" where unsaid
    our_numbers: tuple[str, ...]  # one of them is our line's
    outside_numbers: tuple[str, ...]  # the same as ours, where the provider doesn't say who is who
    direction: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class MessageEvent(Occurrence):
    """A text got somewhere. The fields are the keywords of `record_message`."""

    from_number: str
    to_numbers: tuple[str, ...]
    body: str
    media: tuple[dict[str, str], ...]  # each a url and a type
    status: str


@dataclass(frozen=True, kw_only=True)
class CallEvent(Occurrence):
    """A call is over. The fields are the keywords of `record_call`."""

    answered: bool
    answered_at: datetime | None
    completed_at: datetime | None
    duration_s: int | None  # of talk; None if unanswered or unknown
    recording_url: str
    voicemail_url: str
