"""Envelopes of OpenPhone's webhook events, in every generation."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from messaging.providers import fields
from messaging.providers.errors import FieldError
from messaging.providers.events import Envelope
from messaging.providers.payloads import MAX_EVENT_TYPE, find_header, read_json, storable_id

# The provider's samples of these two name the kind of object instead of the subscribed event.
TYPE_ALIASES = {"callSummary": "call.summary.completed", "callTranscript": "call.transcript.completed"}


@dataclass(frozen=True, kw_only=True)
class EventParts:
    """The located parts of an event. Older generations have no context: its fields are in the resource."""

    type: str
    resource: dict[str, Any]
    context: dict[str, Any]
    envelope: dict[str, Any]
    received_at: datetime

    @property
    def created_at(self) -> datetime:
        """The resource's own time, else the event's, else the time of arrival."""
        moment = fields.instant(self.resource, "createdAt") or fields.instant(self.envelope, "createdAt")
        return moment or self.received_at

    def read_call_id(self, *names: str) -> str:
        """Return a call's first id that is given, else the event's: some older events of calls have no other."""
        name = next((name for name in names if self.resource.get(name)), "")
        return fields.identifier(self.resource, name) if name else fields.identifier(self.envelope, "id")

    @property
    def line_id(self) -> str:
        source = self.context if self.context.get("phoneNumberId") else self.resource
        return fields.identifier(source, "phoneNumberId") if source.get("phoneNumberId") else ""


def read_envelope(body: bytes, headers: Mapping[str, str]) -> Envelope:
    """Return the id, type and content of a webhook event.

    Raises:
        InvalidPayload: the body isn't a JSON object, or has no type.
    """
    content, warning = read_json(body)
    content = unwrap(content)
    event_type = content.get("type")
    if not isinstance(event_type, str) or not event_type:
        raise FieldError("type", "must be the type of the event")
    return Envelope(
        id=storable_id(content.get("id")) or storable_id(find_header(headers, "webhook-id")),
        type=TYPE_ALIASES.get(event_type, event_type)[:MAX_EVENT_TYPE],
        content=content,
        warning=warning,
    )


def unwrap(content: dict[str, Any]) -> dict[str, Any]:
    """Return the event, which a relay may have wrapped in `object`."""
    wrapped = content.get("object")
    return wrapped if "type" not in content and isinstance(wrapped, dict) else content


def split_envelope(envelope: Envelope, *, received_at: datetime) -> EventParts:
    """Return the parts of an event. Raises FieldError if it has no resource."""
    resource, context = find_resource(envelope.content)
    return EventParts(
        type=envelope.type, resource=resource, context=context, envelope=envelope.content, received_at=received_at
    )


def find_resource(content: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the resource of an event, and its context, which may be empty. Raises FieldError if it has no resource."""
    data = content if "resource" in content else content.get("data")
    data = data if isinstance(data, dict) else {}
    resource, context = data.get("resource") or data.get("object"), data.get("context")
    if not isinstance(resource, dict):
        raise FieldError("data", "must contain `object` or `resource`")
    return resource, context if isinstance(context, dict) else {}


def is_current(content: dict[str, Any]) -> bool:
    """Return whether an event has the shape of 2026-03-30, which has its own kind of signature."""
    data = content.get("data")
    return "resource" in content or (isinstance(data, dict) and "resource" in data)
