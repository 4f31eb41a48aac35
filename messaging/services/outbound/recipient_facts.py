"""Facts about recipients that decide whether they may get a message, read for many recipients at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from crm.choices import Channel
from crm.models import Contact, ContactFlag, ContactPhone, MarketingConsent, OptOut, PhoneLine
from crm.models.audit import hash_number
from messaging.choices import MessageKind, MessageStatus
from messaging.models import Message

FREQUENCY_WINDOW = timedelta(days=1)

# The provider may have sent it.
POSSIBLY_SENT = (
    MessageStatus.SENDING,
    MessageStatus.UNKNOWN,
    MessageStatus.SENT,
    MessageStatus.DELIVERED,
    MessageStatus.UNDELIVERED,
)


class Recipient(NamedTuple):
    contact_id: int
    phone: str  # E.164


@dataclass(frozen=True)
class RecipientFacts:
    opt_out: OptOut | None
    flags: frozenset[str]  # types of the flags in force
    has_number: bool
    """It is the contact's main number now. It may have been corrected, or given to another contact."""
    is_line: bool
    campaign_departures: Sequence[datetime]
    """Departures of campaign messages to the contact within FREQUENCY_WINDOW, the latest first."""


def read_facts(
    *, recipients: Collection[Recipient], now: datetime, is_campaign: bool, except_messages: Collection[int] = ()
) -> dict[Recipient, RecipientFacts]:
    """Return the facts of each recipient, with one statement for each kind of fact.

    Args:
        is_campaign: whether any gets a campaign message. Otherwise the departures aren't read.
        except_messages: ids of messages that don't count as sent, because they are about to be.
    """
    contacts = {recipient.contact_id for recipient in recipients}
    phones = {recipient.phone for recipient in recipients}
    hashes = {hash_number(phone): phone for phone in phones}
    opt_outs = {
        hashes[row.number_hash]: row for row in OptOut.objects.filter(number_hash__in=list(hashes), channel=Channel.SMS)
    }
    main = dict(Contact.objects.filter(pk__in=contacts).values_list("pk", "phone"))
    owners = dict(ContactPhone.objects.filter(phone__in=phones).values_list("phone", "contact"))
    lines = set(PhoneLine.objects.filter(number__in=phones).values_list("number", flat=True))
    flags: dict[int, set[str]] = {}
    for contact, flag_type in (
        ContactFlag.objects.in_force().filter(contact__in=contacts).values_list("contact", "flag_type")
    ):
        flags.setdefault(contact, set()).add(flag_type)
    departures = _read_campaign_departures(contacts, now, except_messages) if is_campaign else {}
    return {
        recipient: RecipientFacts(
            opt_out=opt_outs.get(recipient.phone),
            flags=frozenset(flags.get(recipient.contact_id, ())),
            has_number=main.get(recipient.contact_id) == recipient.phone
            and owners.get(recipient.phone, recipient.contact_id) == recipient.contact_id,
            is_line=recipient.phone in lines,
            campaign_departures=departures.get(recipient.contact_id, ()),
        )
        for recipient in recipients
    }


def read_consents(*, phones: Collection[str]) -> set[str]:
    """Return those of the numbers for which there is a valid consent to marketing messages."""
    return set(MarketingConsent.objects.valid().filter(phone__in=phones).values_list("phone", flat=True))


def _read_campaign_departures(
    contacts: Collection[int], now: datetime, except_messages: Collection[int]
) -> dict[int, list[datetime]]:
    sent: Any = Message.objects.filter(contact__in=contacts, kind=MessageKind.CAMPAIGN, status__in=POSSIBLY_SENT)
    sent = sent.left_after(now - FREQUENCY_WINDOW).exclude(pk__in=except_messages)
    departures: dict[int, list[datetime]] = {}
    for contact, departure in sent.order_by("-departure").values_list("contact", "departure"):
        departures.setdefault(contact, []).append(departure)
    return departures
