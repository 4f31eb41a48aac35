"""Facts about the recipient before a text is written: the local time, and why no text may leave."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from crm.db.tenancy import tenant
from crm.models import Contact, PhoneLine
from messaging.choices import MessageKind
from messaging.services.outbound.recipient_facts import Recipient, read_facts
from messaging.services.outbound.recipient_hours import next_allowed, zones_of_recipient
from messaging.services.outbound.send_policy import SendBlocked, check_message, check_recipient

ANY_TEXT = "Hello"


@dataclass(frozen=True)
class RecipientState:
    local: str
    """The time at the contact now, with its zone."""
    quiet_until: str
    """The end of quiet hours there; empty outside of them."""
    blocked: str
    """Why a reply can't leave now; empty if it can."""
    is_final: bool
    """True if waiting doesn't help."""


def read_recipient(*, contact: Contact, line: PhoneLine | None, now: datetime) -> RecipientState:
    """Ask the send policy about a reply to the contact, over a line if it is known."""
    zone = zone_at(contact)
    opens = next_allowed(
        timezone=contact.timezone,
        state=contact.state,
        phone=contact.phone,
        company=contact.company,
        marketing=False,
        moment=now,
    )
    with tenant(contact.company_id):  # another company may have other facts about the same number
        blocked = _refusal(contact, line, now)
    return RecipientState(
        local=say_local(contact, now),
        quiet_until=f"{opens.astimezone(zone):%H:%M}" if opens and opens > now else "",
        blocked=str(blocked) if blocked else "",
        is_final=blocked is not None and blocked.retry_at is None,
    )


def zone_at(contact: Contact) -> ZoneInfo:
    """Return the zone in which the contact is, or the first of several."""
    zones = zones_of_recipient(
        timezone=contact.timezone, state=contact.state, phone=contact.phone, company_zone=contact.company.zone
    )
    return zones[0]


def say_local(contact: Contact, now: datetime) -> str:
    """Return the time at the contact: `Mon 14:05 (America/Denver)`."""
    zone = zone_at(contact)
    return f"{now.astimezone(zone):%a %H:%M} ({zone.key})"


def _refusal(contact: Contact, line: PhoneLine | None, now: datetime) -> SendBlocked | None:
    try:
        if line:
            check_message(
                contact=contact, phone=contact.phone, line=line, kind=MessageKind.REPLY, body=ANY_TEXT, now=now
            )
        else:
            recipient = Recipient(contact.pk, contact.phone)
            facts = read_facts(recipients=[recipient], now=now, is_campaign=False)[recipient]
            check_recipient(facts=facts, phone=contact.phone, kind=MessageKind.REPLY, now=now)
    except SendBlocked as blocked:
        return blocked
    return None
