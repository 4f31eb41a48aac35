"""What a provider's deliveries are put through: the small interface that each adapter, one module a provider, keeps."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from crm.choices import Provider
from messaging.providers.callrail import webhook as callrail
from messaging.providers.events import Envelope, Event
from messaging.providers.openphone import webhook as openphone
from messaging.providers.twilio import webhook as twilio


class Adapter(Protocol):
    """One provider's deliveries. All are pure functions; `headers` may be spelled in any case."""

    SECRET: str  # what it signs with, in its own words

    def check_secret(self, secret: str) -> None:
        """Returns if the text may be one of its secrets. Raises InvalidSecret."""

    def generate_secret(self) -> str:
        """A new secret in its form; "" where only the provider itself makes them."""

    def sign(self, *, secret: str, body: bytes, url: str, now: float) -> dict[str, str]:
        """The headers that it would send with this body, the content type among them. `now` is Unix time."""

    def verify_signature(
        self, *, headers: Mapping[str, str], body: bytes, secrets: Iterable[str], url: str, now: float
    ) -> None:
        """Returns if one of the secrets signed the body, delivered to this URL of ours. Raises BadSignature."""

    def read_envelope(self, body: bytes, headers: Mapping[str, str]) -> Envelope:
        """What kind of event it is, and which. Raises Unreadable."""

    def is_handled(self, event_type: str) -> bool:
        """Whether anything is done about events of this type."""

    def read_event(self, envelope: Envelope, *, received_at: datetime) -> Event:
        """The event in our words. Raises NotHandled, or FieldError naming the field.

        `received_at` is when it reached us: the time of what happened, where a provider tells none.
        """


ADAPTERS: dict[str, Adapter] = {
    Provider.OPENPHONE: openphone,
    Provider.CALLRAIL: callrail,
    Provider.TWILIO: twilio,
}
