"""Twilio: texts that come in, and what became of those that went out.

Field lists: the provider's webhook reference. Forms; new fields appear without notice. No time stands in them, so that
it happened when it reached us.
"""

import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

from crm.choices import Direction
from messaging.choices import MessageStatus
from messaging.providers import fields
from messaging.providers.events import Envelope, MessageEvent, NotHandled, UnknownType, Unreadable
from messaging.providers.payloads import FORM, find_header, form_pairs, is_form, plain_id, read_form, read_json
from messaging.providers.signatures import BadSignature, check_token, demand_match, digest

SECRET = "the auth token of the account"  # noqa: S105  # its name
PORTS = {"http": 80, "https": 443}
SIDS = ("MessageSid", "SmsSid", "SmsMessageSid")
INCOMING = ("received", "receiving", "")
# A text that is queued there is on its way for us: our own `queued` and `sending` are what the provider hasn't got yet.
STATUSES = {
    "received": MessageStatus.RECEIVED,
    "receiving": MessageStatus.RECEIVED,
    "accepted": MessageStatus.SENT,
    "scheduled": MessageStatus.SENT,
    "queued": MessageStatus.SENT,
    "sending": MessageStatus.SENT,
    "sent": MessageStatus.SENT,
    "partially_delivered": MessageStatus.SENT,
    "delivered": MessageStatus.DELIVERED,
    "read": MessageStatus.DELIVERED,
    "undelivered": MessageStatus.UNDELIVERED,
    "failed": MessageStatus.FAILED,
    "canceled": MessageStatus.FAILED,
}

check_secret = check_token


def generate_secret() -> str:
    return ""


def sign(*, secret: str, body: bytes, url: str, now: float) -> dict[str, str]:  # noqa: ARG001  # the interface of all
    """The headers of a delivery, which is a form."""
    return {"content-type": FORM, "x-twilio-signature": _signature(secret, url + _spell_form(body))}


def verify_signature(
    *,
    headers: Mapping[str, str],
    body: bytes,
    secrets: Iterable[str],
    url: str,
    now: float,  # noqa: ARG001  # it signs no time
) -> None:
    """Returns if one of the secrets signed the URL and the form; of any other body, the URL with the body's hash in it.

    The key is the account's auth token; HMAC-SHA1. Whether the port belongs to the URL depends on what was before us.
    Raises BadSignature.
    """
    signed = _spell_form(body) if is_form(headers) else ""
    if not is_form(headers):
        given_hash = parse_qs(urlsplit(url).query).get("bodySHA256", [""])[0]
        if not hmac.compare_digest(sha256(body).hexdigest().encode(), given_hash.lower().encode()):
            raise BadSignature("bodySHA256 is missing or not that of the body.")
    given = find_header(headers, "x-twilio-signature")
    demand_match((_signature(secret, form + signed), given) for secret in secrets for form in _spellings(url))


def read_envelope(body: bytes, headers: Mapping[str, str]) -> Envelope:
    """What kind of event a delivery is, and which: each status of a text is an event. Raises Unreadable."""
    content, remark = (read_form if is_form(headers) else read_json)(body)
    sid, status = next((plain_id(content[name]) for name in SIDS if content.get(name)), ""), _status_of(content)
    event_type = "unknown"
    if sid:
        event_type = "inbound_message" if status in INCOMING else "status_callback"
    event_id = plain_id(f"{sid}:{status or 'received'}") if sid else ""
    return Envelope(id=event_id, type=event_type, content=content, remark=remark)


def is_handled(event_type: str) -> bool:
    """Whether anything is done about events of this type."""
    return event_type in ("inbound_message", "status_callback")


def read_event(envelope: Envelope, *, received_at: datetime) -> MessageEvent:
    """The event in our words. Raises NotHandled, or FieldError naming the field."""
    if not is_handled(envelope.type):
        raise UnknownType(envelope.type)
    content, status = envelope.content, _status_of(envelope.content)
    incoming = envelope.type == "inbound_message"
    if status and status not in STATUSES:
        raise NotHandled(f"The status {status[:30]} is not handled yet.")
    sender, recipients = fields.numbers(content, "From"), fields.numbers(content, "To")
    return MessageEvent(
        openphone_id=fields.identifier(content, next((name for name in SIDS if content.get(name)), SIDS[0])),
        line_id="",
        our_numbers=recipients if incoming else sender,
        outside_numbers=sender if incoming else recipients,
        direction=Direction.INCOMING if incoming else Direction.OUTGOING,
        created_at=received_at,
        from_number=next(iter(sender), ""),
        to_numbers=recipients,
        body=fields.text(content, "Body"),
        media=_media(content),
        status=STATUSES[status] if status else MessageStatus.RECEIVED,
        error_code=fields.code(content, "ErrorCode"),
        opt_out_type=fields.code(content, "OptOutType").upper(),
    )


def _status_of(content: dict[str, Any]) -> str:
    return fields.text(content, "MessageStatus") or fields.text(content, "SmsStatus")


def _media(content: dict[str, Any]) -> tuple[dict[str, str], ...]:
    """Numbered from 0, without a gap."""
    files: list[dict[str, Any]] = []
    while url := content.get(f"MediaUrl{len(files)}"):
        files.append({"url": url, "type": content.get(f"MediaContentType{len(files)}")})
    return fields.attachments({"media": files}, "media")


def _spell_form(body: bytes) -> str:
    """Each name and its value after it, sorted, a repeated pair once. Raises BadSignature if it is no such form."""
    try:
        return "".join(name + value for name, value in sorted(set(form_pairs(body))))
    except Unreadable as error:
        raise BadSignature(str(error)) from error


def _spellings(url: str) -> set[str]:
    parts = urlsplit(url)
    bare = parts._replace(netloc=parts.hostname or "")
    with_port = parts._replace(netloc=f"{parts.hostname}:{parts.port or PORTS[parts.scheme]}")
    return {url, bare.geturl(), with_port.geturl()}


def _signature(token: str, signed: str) -> str:
    return digest(token.encode(), signed.encode("utf-8", "surrogateescape"), "sha1")
