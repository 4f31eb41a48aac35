"""Common vocabulary of all providers' webhook events."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A webhook event before its content is read. Its strings can be stored in the database."""

    id: str  # "" if it has no id that can be stored
    type: str
    content: dict
    warning: str  # characters that had to be replaced; "" for none


@dataclass(frozen=True, kw_only=True)
class IncomingText:
    """Sender and text of an incoming message, from a webhook event of which nothing else may be readable."""

    from_number: str  # E.164, or as sent
    body: str
    created_at: datetime | None  # None if it is missing or unreadable
    opt_out_type: str = ""  # as in MessageEvent


@dataclass(frozen=True, kw_only=True)
class PhoneEvent:
    """A message, call or voicemail between a phone line and outside numbers.

    Numbers are E.164, or as sent: a short code, "Anonymous". An empty tuple means that the numbers are unknown.
    """

    openphone_id: str  # the id at the provider
    line_id: str  # the provider's id of the phone line; "" if not stated
    company_numbers: tuple[str, ...]  # one of them is the phone line's
    outside_numbers: tuple[str, ...]  # equal to company_numbers if the provider doesn't distinguish the parties
    direction: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class MessageEvent(PhoneEvent):
    """A message with its status. Omitted fields are empty: a delivery receipt may have an id and a status only."""

    from_number: str
    to_numbers: tuple[str, ...]
    body: str
    media: tuple[dict[str, str], ...]  # each with url and type
    status: str
    error_code: str = ""  # the provider's or the carrier's
    opt_out_type: str = ""  # STOP, START or HELP: the provider's own verdict, which it has answered


@dataclass(frozen=True, kw_only=True)
class CallEvent(PhoneEvent):
    """A call that rings, was answered, ended, was missed or was forwarded, or whose recording is ready."""

    answered: bool
    ended: bool
    answered_at: datetime | None
    completed_at: datetime | None
    duration_s: int | None  # of the conversation; None if unanswered or unknown
    recordings: tuple[dict[str, str], ...] = ()  # each with url and type
    voicemail_url: str = ""
    voicemail_transcript: str = ""
    forwarded_to: str = ""
    menu_choice: str = ""
    outside_name: str = ""  # the caller's name from call tracking


@dataclass(frozen=True, kw_only=True)
class VoicemailEvent(PhoneEvent):
    """A voicemail. `openphone_id` is the id of its call."""

    url: str
    transcript: str
    duration_s: int | None


@dataclass(frozen=True, kw_only=True)
class SummaryEvent:
    """The summary of a call."""

    openphone_id: str  # of the call
    summary: str
    next_steps: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TranscriptEvent:
    """The transcript of a call."""

    openphone_id: str  # of the call
    lines: tuple[dict[str, object], ...]  # each with speaker, start and end (seconds), and text


@dataclass(frozen=True, kw_only=True)
class ContactEvent:
    """A change in the provider's address book."""

    phones: tuple[str, ...]  # E.164, or as sent
    first_name: str
    last_name: str
    email: str
    deleted: bool  # deleted at the provider; the contact stays here


Event = MessageEvent | CallEvent | VoicemailEvent | SummaryEvent | TranscriptEvent | ContactEvent
