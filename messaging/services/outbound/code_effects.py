"""Effects of error codes on opt-outs, flags and lines: the same for answers, receipts, look-ups and lists."""

from datetime import datetime, timedelta

from django.utils import timezone

from crm.choices import Direction, FlagType
from crm.models import Contact, ContactFlag, PhoneLine
from crm.phones import InvalidPhone, normalize_phone
from crm.services.contacts import PROVIDER_SOURCE, find_contact
from crm.services.opt_outs import flag_possible_opt_out, record_opt_out
from messaging.choices import MessageStatus
from messaging.models import Message
from messaging.providers.error_codes import ABOUT_NUMBER, MEANINGS, Effect, Meaning, pause_until

UNREACHABLE_FOR = timedelta(days=1)
SLOWED_FOR = timedelta(minutes=1)


def apply_error_code(*, message: Message, code: str) -> None:
    """Apply the meaning of the code with which an outgoing message was refused or not delivered. Idempotent.

    Effects date from the sending of the message: a later opt-in or message outweighs a late receipt.
    """
    meaning = MEANINGS.get(code)
    if meaning is None or message.status == MessageStatus.DELIVERED or message.direction != Direction.OUTGOING:
        return  # the recipient of an incoming message is a phone line
    if not message.error:
        message.error = meaning.reason
        message.save(update_fields=["error"])
    if meaning.effect in ABOUT_NUMBER:
        _apply_to_number(message, meaning, f"{code}: {meaning.reason}")
    elif message.phone_line_id is not None:
        _apply_to_line(message.phone_line_id, meaning, message.left_at)


def _apply_to_number(message: Message, meaning: Meaning, evidence: str) -> None:
    if len(message.to_numbers) != 1:
        return  # the code doesn't say which recipient of the group it means
    try:
        phone = normalize_phone(message.to_numbers[0])
    except InvalidPhone:
        return
    if meaning.effect in (Effect.OPT_OUT, Effect.POSSIBLE_OPT_OUT):
        record = record_opt_out if meaning.effect == Effect.OPT_OUT else flag_possible_opt_out
        record(
            phone=phone,
            words=evidence,
            source=PROVIDER_SOURCE,
            occurred_at=message.left_at,
            activity=message.activity,
        )
        return
    contact = find_contact(phone=phone)
    if contact is not None and contact.phone == phone:  # the flag concerns the main number
        _flag_number(contact, message.left_at, meaning, evidence)


def _flag_number(contact: Contact, at: datetime, meaning: Meaning, evidence: str) -> None:
    expires_at = at + UNREACHABLE_FOR if meaning.effect == Effect.UNREACHABLE else None
    if expires_at and expires_at <= timezone.now():
        return
    flags = contact.flags.filter(flag_type=FlagType.INVALID_NUMBER)
    if flags.in_force().exists() or flags.filter(created_at__gte=at).exists():  # a user may have ended the later flag
        return
    later = Message.objects.filter(contact=contact).left_after(at)
    if later.filter(direction=Direction.INCOMING).exists() or later.filter(status=MessageStatus.DELIVERED).exists():
        return
    ContactFlag.objects.create(
        company_id=contact.company_id,
        contact=contact,
        flag_type=FlagType.INVALID_NUMBER,
        reason=meaning.reason,
        source=PROVIDER_SOURCE,
        evidence=evidence,
        created_at=at,
        expires_at=expires_at,
    )


def _apply_to_line(line_id: int, meaning: Meaning, at: datetime) -> None:
    line, now = PhoneLine.objects.filter(pk=line_id), timezone.now()
    until = pause_until(meaning.effect, at)
    if until is None:
        slowed_until = at + SLOWED_FOR
        line.filter(next_send_at__lt=slowed_until).update(next_send_at=slowed_until)
    elif until > now:
        line.exclude(paused_until__gte=until).pause(until=until, reason=meaning.reason)
