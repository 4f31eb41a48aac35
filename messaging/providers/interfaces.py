"""Interfaces that each provider implements: a signature scheme, a webhook reader and an SMS client."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from messaging.providers.errors import InvalidPayload
from messaging.providers.events import CallEvent, Envelope, Event, IncomingText, MessageEvent


class SignatureScheme(Protocol):
    """Signatures of a provider's webhook events. All functions are pure; names in `headers` may have any case."""

    SECRET_NAME: str  # the provider's name for the signing secret
    HEADERS: tuple[str, ...]  # in lower case, any of which may hold the signature

    def check_secret(self, secret: str) -> None:
        """Raise InvalidSecret unless the text may be a secret of this provider."""

    def generate_secret(self) -> str:
        """Return a new secret, or "" if only the provider can make one."""

    def sign(self, *, secret: str, body: bytes, url: str, now: float) -> dict[str, str]:
        """Return the headers that the provider would send with this body, content type included.

        Args:
            now: Unix time, seconds.
        """

    def verify_signature(
        self, *, headers: Mapping[str, str], body: bytes, secrets: Iterable[str], url: str, now: float
    ) -> None:
        """Raise BadSignature unless one of the secrets signed the body for this URL."""


class WebhookReader(Protocol):
    """A provider's webhook events. All functions are pure; names in `headers` may have any case."""

    EVENT_TYPES: frozenset[str]  # the types that are recorded

    def read_envelope(self, body: bytes, headers: Mapping[str, str]) -> Envelope:
        """Return the id, type and content of a webhook event. Raises InvalidPayload."""

    def read_event(self, envelope: Envelope, *, received_at: datetime) -> Event:
        """Return the event in the common vocabulary. Raises NotHandled, or FieldError with the field's name.

        Args:
            received_at: used as the event's time if the provider states none.
        """

    def find_incoming_text(self, body: bytes, headers: Mapping[str, str]) -> IncomingText | None:
        """Return sender and text of an incoming message, even of an invalid event. None if either can't be read."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A phone line as its provider identifies it."""

    number: str  # E.164; "" if unknown
    provider_id: str  # "" if unknown


@dataclass(frozen=True, kw_only=True)
class SentMessage:
    """A message that the provider has accepted."""

    openphone_id: str  # the provider's id
    status: str  # a MessageStatus
    error_code: str = ""


class SMSClient(Protocol):
    """A provider's API, used with one account of a company. Each call may raise SendError."""

    def send(self, *, line: Line, to: str, body: str, media_urls: Sequence[str] = ()) -> SentMessage:
        """Send a message. Files come with a provider alone whose specification says that it `sends_files`."""

    def find_sent(self, *, line: Line, to: str, body: str, since: datetime) -> list[SentMessage]:
        """Return the messages with this body that the line sent to this number since then, oldest first."""

    def list_messages(self, *, line: Line, since: datetime) -> Iterator[MessageEvent | InvalidPayload]:
        """Yield each message of the line since then, in any order, or the error of an unreadable one."""

    def list_calls(self, *, line: Line, since: datetime) -> Iterator[CallEvent | InvalidPayload]:
        """Yield each completed call of the line since then, in any order, or the error of an unreadable one."""
