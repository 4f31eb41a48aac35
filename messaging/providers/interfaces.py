"""What a provider's API is asked for, and what it may answer: the small interface that each adapter keeps."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from messaging.providers.events import CallEvent, MessageEvent, Unreadable


class SendError(Exception):
    """A text has not left, or nobody knows. The text says why, in words for a person."""

    def __init__(self, reason: str, *, code: str = "") -> None:
        super().__init__(reason)
        self.code = code


class Rejected(SendError):
    """The provider won't send this text, now or later. Nothing has left."""


class OptedOut(Rejected):
    """The provider holds an opt-out of this number (Twilio's error 21610)."""


class RateLimited(SendError):
    """Nothing has left; it may be tried again after so many seconds (429)."""

    def __init__(self, reason: str, *, wait_s: float) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class LineSuspended(SendError):
    """Nothing leaves over this line before `until`: no credit, no registration, the carrier's daily cap (402, 403)."""

    def __init__(self, reason: str, *, until: datetime, code: str = "") -> None:
        super().__init__(reason, code=code)
        self.until = until


class UnknownOutcome(SendError):
    """No answer, or a 5xx: the text may have left or not. It has to be looked up before it is sent again."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One of our lines, as a provider knows it."""

    number: str  # E.164; "" if unknown
    provider_id: str  # "" if unknown


@dataclass(frozen=True, kw_only=True)
class SentText:
    """A text that the provider has."""

    openphone_id: str  # its id there
    status: str  # a MessageStatus
    error_code: str = ""


class SMSClient(Protocol):
    """A provider's API, as one account of a company. Each call may raise SendError."""

    def send(self, *, line: Line, to: str, body: str) -> SentText: ...

    def find_sent(self, *, line: Line, to: str, body: str, since: datetime) -> list[SentText]:
        """The texts with this body that left over the line to this number since then, oldest first."""

    def list_messages(self, *, line: Line, since: datetime) -> Iterator[MessageEvent | Unreadable]:
        """Every text over the line since then, in any order; in place of one that can't be read, why not."""

    def list_calls(self, *, line: Line, since: datetime) -> Iterator[CallEvent | Unreadable]:
        """Every call over the line since then that is over, likewise."""
