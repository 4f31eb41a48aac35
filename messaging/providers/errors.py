"""Errors of webhook events, signatures and send attempts."""

from datetime import datetime


class InvalidPayload(Exception):
    """A webhook event or a list row can't be read. A retry doesn't help. The text says why."""


class FieldError(InvalidPayload):
    """A field is missing or has an invalid value."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")


class NotHandled(Exception):
    """A webhook event has nothing to record. The text says why."""


class UnknownType(NotHandled):
    """No handler exists for this type of webhook event."""

    def __init__(self, event_type: str) -> None:
        super().__init__(f"{event_type} events aren't supported yet.")


class InvalidSecret(ValueError):
    """The text can't be a secret of this provider."""


class BadSignature(Exception):
    """A webhook event has no signature, or none by a known secret."""


class SendError(Exception):
    """A message was not sent, or its outcome is unknown. The text explains it to a person."""

    def __init__(self, reason: str, *, code: str = "") -> None:
        super().__init__(reason)
        self.code = code


class Rejected(SendError):
    """The provider will never send this message, for a reason of its own. Nothing was sent."""


class RateLimited(SendError):
    """Nothing was sent. The request may be repeated after `wait_s` seconds (429)."""

    def __init__(self, reason: str, *, wait_s: float) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class Unreachable(RateLimited):
    """There was no connection, so nothing was sent."""


class NotCalled(SendError):
    """An internal error before the provider was called. Nothing was sent, and the next attempt may succeed."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"An internal error ({type(error).__name__}).")


class LineSuspended(SendError):
    """The line can't send before `until`: no credit, no registration, or the carrier's daily cap."""

    def __init__(self, reason: str, *, until: datetime, code: str = "") -> None:
        super().__init__(reason, code=code)
        self.until = until


class UnknownOutcome(SendError):
    """No answer, or a 5xx: the message may have been sent. It must be looked up before it is sent again."""
