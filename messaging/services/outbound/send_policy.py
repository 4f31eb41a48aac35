"""The one gate that every text passes: when it is queued, and again when it is about to leave."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers

from crm.choices import Channel, FlagType, OptOutState
from crm.models import Contact, OptOut, PhoneLine
from crm.models.audit import hash_number
from messaging.choices import MessageKind, MessageStatus
from messaging.models import Message
from messaging.quiet_hours import next_open, state_of_number, texting_hours_of, zones_of_number
from messaging.sms_segments import count_segments

MAX_BODY = 1600  # characters: OpenPhone's and Twilio's limit
MARKETING_A_DAY = 3  # campaign texts to one person in 24 hours: Florida Statutes 501.616(6), kept to everywhere
CONFIRMED_WITHIN = timedelta(minutes=5)  # 47 CFR 64.1200(a)(12): later than this a confirmation needs a reason

# They answer what the person has just said: no hours apply, and they go now or not at all.
ANSWERS = (MessageKind.REPLY, MessageKind.CONFIRMATION)

LEFT = (
    MessageStatus.SENDING,
    MessageStatus.UNKNOWN,
    MessageStatus.SENT,
    MessageStatus.DELIVERED,
    MessageStatus.UNDELIVERED,
)


class SendBlocked(Exception):
    """A text may not go. The words say why; `retry_at` says when it may, where waiting helps."""

    def __init__(self, reason: str, *, retry_at: datetime | None = None) -> None:
        super().__init__(reason)
        self.retry_at = retry_at


class RecipientOptedOut(SendBlocked):
    """Whoever has the number said stop, or something that a person has still to look at."""


def check_text(*, contact: Contact, phone: str, line: PhoneLine, kind: str, body: str, now: datetime) -> None:
    """Returns if the text may go over the line to this number, E.164, of the contact now.

    Raises:
        SendBlocked: for good, or until its `retry_at`: then nothing but waiting stands between.
    """
    if not body.strip():
        raise SendBlocked("The text is empty.")
    if len(body) > MAX_BODY:
        raise SendBlocked(f"The text has {len(body)} characters; {MAX_BODY} is the most.")
    check_recipient(contact=contact, phone=phone, kind=kind, now=now)
    if not (line.number or line.provider_id):
        raise SendBlocked("The line has no number.")
    waits = [
        *_pause_of(line, now),
        *_daily_cap_of(line, count_segments(body), now),
        *_frequency_of(contact, kind, now),
    ]
    reason, at = max(waits, key=lambda wait: wait[1], default=("", now))
    if kind not in ANSWERS:
        opens = _next_open(contact, phone, line, kind, at)
        if opens is None:
            raise SendBlocked("There is no hour at which this number may be texted in all of its time zones.")
        reason, at = (reason or "It is too early or too late where they live.", opens)
    if at > now:
        raise SendBlocked(reason, retry_at=at)


def recheck_before_send(*, contact: Contact, message: Message, now: datetime) -> None:
    """What may have changed between the claim of a text and its leaving. Raises SendBlocked."""
    check_recipient(contact=contact, phone=message.to_numbers[0], kind=message.kind, now=now)
    for reason, retry_at in _frequency_of(contact, message.kind, now, besides=message):
        raise SendBlocked(reason, retry_at=retry_at)


def check_recipient(*, contact: Contact, phone: str, kind: str, now: datetime) -> None:
    """Whether whoever has the number may be texted at all. Who is about to send has locked the number's opt-out.

    A confirmation is the one text to who said stop, and only right after it.
    """
    opt_out = OptOut.objects.filter(number_hash=hash_number(phone), channel=Channel.SMS).first()
    flags = set(contact.flags.in_force().values_list("flag_type", flat=True))
    if kind == MessageKind.CONFIRMATION:
        if opt_out is None or opt_out.decided_at is None or now - opt_out.decided_at > CONFIRMED_WITHIN:
            raise SendBlocked("A confirmation may only be sent within five minutes.")
    else:
        if opt_out is not None and opt_out.state == OptOutState.UNDER_REVIEW:
            raise RecipientOptedOut("They may have opted out of texts: somebody has to look at what they wrote first.")
        if FlagType.OPTED_OUT in flags or (opt_out is not None and opt_out.state == OptOutState.OPTED_OUT):
            raise RecipientOptedOut("They opted out of texts.")
    if FlagType.DO_NOT_CONTACT in flags:
        raise SendBlocked("They are marked as do not contact.")
    if FlagType.INVALID_NUMBER in flags:
        raise SendBlocked("The number is marked as invalid.")
    if not is_valid_phone(phone):
        raise SendBlocked(f"{phone} is not a valid number.")


def can_be_deferred(kind: str) -> bool:
    """Whether a text that may go later is kept until then."""
    return kind not in ANSWERS


def is_valid_phone(phone: str) -> bool:
    """Whether it is a number, E.164, that somebody can have: with a real area code."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(phone))
    except phonenumbers.NumberParseException:
        return False


def _pause_of(line: PhoneLine, now: datetime) -> list[tuple[str, datetime]]:
    if line.paused_until is None or line.paused_until <= now:
        return []
    return [(f"The line is paused: {line.pause_reason or 'the provider refuses to send'}", line.paused_until)]


def _daily_cap_of(line: PhoneLine, segments: int, now: datetime) -> list[tuple[str, datetime]]:
    """Days are UTC's, as `sent_on` counts them: one kind of day for all lines, which no move of a company shifts.

    A text of more segments than a whole day has room for goes on a day of its own.
    """
    today = now.astimezone(UTC).date()
    sent = line.sent_segments if line.sent_on == today else 0
    if not sent or sent + segments <= line.daily_cap:
        return []
    tomorrow = datetime.combine(today + timedelta(days=1), time(), UTC)
    return [(f"The line has sent its {line.daily_cap} segments of today.", tomorrow)]


def _frequency_of(
    contact: Contact, kind: str, now: datetime, besides: Message | None = None
) -> list[tuple[str, datetime]]:
    if kind != MessageKind.CAMPAIGN:
        return []
    day = timedelta(days=1)
    lately = Message.objects.filter(contact=contact, created_at__gt=now - day, kind=kind, status__in=LEFT)
    if besides is not None:
        lately = lately.exclude(pk=besides.pk)
    left_at = list(lately.order_by("-created_at").values_list("created_at", flat=True)[:MARKETING_A_DAY])
    if len(left_at) < MARKETING_A_DAY:
        return []
    return [(f"They had {MARKETING_A_DAY} campaign texts within 24 hours.", left_at[-1] + day)]


def _next_open(contact: Contact, phone: str, line: PhoneLine, kind: str, moment: datetime) -> datetime | None:
    """In the zone of the card; else in all of the number's, wherever they say something; else in the company's."""
    zones = _zones([contact.timezone]) or _zones(zones_of_number(phone)) or [line.company.zone]
    windows = texting_hours_of(states=[contact.state, state_of_number(phone)], marketing=kind == MessageKind.CAMPAIGN)
    return next_open(moment=moment, zones=zones, windows=windows)


def _zones(names: list[str]) -> list[ZoneInfo]:
    """An import may have written anything on a card."""
    try:
        return [ZoneInfo(name) for name in names]
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder, such as "America"
        return []
