"""What is around an event, in every generation."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from messaging.providers import fields
from messaging.providers.events import Envelope, FieldError, Unreadable
from messaging.providers.openphone.signature import sign_current, sign_legacy
from messaging.providers.payloads import MAX_EVENT_TYPE, find_header, plain_id, read_json

# The provider's own samples of these two carry the kind of object in place of the event that was subscribed to.
SPELLINGS = {"callSummary": "call.summary.completed", "callTranscript": "call.transcript.completed"}


@dataclass(frozen=True, kw_only=True)
class OpenedEnvelope:
    """An event with its parts found. The older generations have no context: what it would say is in the resource."""

    type: str
    resource: dict[str, Any]
    context: dict[str, Any]
    envelope: dict[str, Any]

    @property
    def created_at(self) -> datetime:
        """When it happened; without a time of its own, when the provider says that its event did."""
        moment = fields.instant(self.resource, "createdAt") or fields.instant(self.envelope, "createdAt")
        if moment is None:
            raise FieldError("createdAt", "missing")
        return moment

    @property
    def line_id(self) -> str:
        place = self.context if self.context.get("phoneNumberId") else self.resource
        return fields.identifier(place, "phoneNumberId") if place.get("phoneNumberId") else ""


def read_envelope(body: bytes, headers: Mapping[str, str]) -> Envelope:
    """What kind of event a delivery is, and which.

    Raises:
        Unreadable: the body is no JSON object, or names no type.
    """
    content, remark = read_json(body)
    if "type" not in content and isinstance(content.get("object"), dict):
        content = content["object"]  # a relay wraps the whole event
    event_type = content.get("type")
    if not isinstance(event_type, str) or not event_type:
        raise FieldError("type", "a delivery must say what kind of event it is.")
    return Envelope(
        id=plain_id(content.get("id")) or plain_id(find_header(headers, "webhook-id")),
        type=SPELLINGS.get(event_type, event_type)[:MAX_EVENT_TYPE],
        content=content,
        remark=remark,
    )


def open_envelope(envelope: Envelope) -> OpenedEnvelope:
    """The parts of an event. Raises FieldError if there is nothing that it tells of."""
    content = envelope.content
    data = content if "resource" in content else content.get("data")
    data = data if isinstance(data, dict) else {}
    resource, context = data.get("resource") or data.get("object"), data.get("context")
    if not isinstance(resource, dict):
        raise FieldError("data", "neither `object` nor `resource` is there")
    return OpenedEnvelope(
        type=envelope.type,
        resource=resource,
        context=context if isinstance(context, dict) else {},
        envelope=content,
    )


def is_current(content: dict[str, Any]) -> bool:
    """Whether an event has the shape of 2026-03-30, which is signed in another way than those before."""
    data = content.get("data")
    return "resource" in content or (isinstance(data, dict) and "resource" in data)


def sign(*, secret: str, body: bytes, url: str, now: float) -> dict[str, str]:  # noqa: ARG001  # the interface of all
    """The headers of a delivery, in the way of the generation that the body is of."""
    try:
        content, _ = read_json(body)
    except Unreadable:
        content = {}
    json = {"content-type": "application/json"}
    if not is_current(content):
        return json | sign_legacy(secret=secret, body=body, timestamp=str(int(now * 1000)))
    # The provider has an id for each delivery; one made of the bytes is the same for the same body.
    delivery_id = plain_id(content.get("id")) or f"msg_{hashlib.sha256(body).hexdigest()}"
    return json | sign_current(secret=secret, body=body, delivery_id=delivery_id, timestamp=str(int(now)))
