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
    """Nothing is to be recorded of a delivery. The text says why."""


class UnknownType(NotHandled):
    """A delivery is of a kind that nothing is done about."""

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
    """Something between one of our lines and the outside. Numbers are E.164, or as sent: a short code, "Anonymous".
    None at all are unknown ones."""

    openphone_id: str  # the provider's id of it, whichever provider
    line_id: str  # the provider's id of our line; "" where unsaid
    our_numbers: tuple[str, ...]  # one of them is our line's
    outside_numbers: tuple[str, ...]  # the same as ours, where the provider doesn't say who is who
    direction: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class MessageEvent(Occurrence):
    """A text got somewhere. What a provider leaves out is empty: a receipt may name an id and a status alone."""

    from_number: str
    to_numbers: tuple[str, ...]
    body: str
    media: tuple[dict[str, str], ...]  # each a url and a type
    status: str
    error_code: str = ""  # the provider's or the carrier's
    opt_out_type: str = ""  # STOP, START or HELP: what the provider itself took it for, and answered


@dataclass(frozen=True, kw_only=True)
class CallEvent(Occurrence):
    """A call got somewhere: it rings, was answered, is over, was missed, was forwarded; or its recording is there."""

    answered: bool
    over: bool  # nothing more will happen in it; else it rings or is talked
    answered_at: datetime | None
    completed_at: datetime | None
    duration_s: int | None  # of talk; None if unanswered or unknown
    recordings: tuple[dict[str, str], ...] = ()  # each a url and a type
    voicemail_url: str = ""
    forwarded_to: str = ""
    menu_choice: str = ""
    outside_name: str = ""  # as call tracking tells it


@dataclass(frozen=True, kw_only=True)
class VoicemailEvent(Occurrence):
    """A voicemail was left. `openphone_id` is the id of its call."""

    url: str
    transcript: str
    duration_s: int | None


@dataclass(frozen=True, kw_only=True)
class SummaryEvent:
    """A call was summed up."""

    openphone_id: str  # of the call
    summary: str
    next_steps: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TranscriptEvent:
    """A call was written down."""

    openphone_id: str  # of the call
    lines: tuple[dict[str, object], ...]  # each a speaker, start, end (seconds) and text


@dataclass(frozen=True, kw_only=True)
class ContactEvent:
    """The provider's address book says who has these numbers."""

    phones: tuple[str, ...]  # E.164, or as sent
    first_name: str
    last_name: str
    email: str
    deleted: bool  # there, which is no reason to forget anybody here


Event = MessageEvent | CallEvent | VoicemailEvent | SummaryEvent | TranscriptEvent | ContactEvent
