"""Send policy: the checks that each message passes when it is queued, and again before it is sent."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Exists, OuterRef

from crm.choices import Channel, FlagType, OptOutState
from crm.models import Contact, ContactPhone, OptOut, PhoneLine
from crm.models.audit import hash_number
from messaging.area_codes import is_valid_phone, state_of_number, zones_of_number
from messaging.choices import MessageKind, MessageStatus
from messaging.models import Message
from messaging.quiet_hours import next_open, texting_hours_of
from messaging.sms_segments import count_segments
from messaging.states import state_code, zones_of_state

MAX_BODY = 1600  # characters: OpenPhone's and Twilio's limit
MAX_CAMPAIGN_MESSAGES = 3  # to one contact in 24 hours: Florida Statutes 501.616(6), applied everywhere
CONFIRMATION_WINDOW = timedelta(minutes=5)  # 47 CFR 64.1200(a)(12): a later confirmation needs a reason

# Responses to the contact's latest message: quiet hours don't apply, and a late response is useless.
RESPONSES = (MessageKind.REPLY, MessageKind.CONFIRMATION)

# The provider may have sent it.
POSSIBLY_SENT = (
    MessageStatus.SENDING,
    MessageStatus.UNKNOWN,
    MessageStatus.SENT,
    MessageStatus.DELIVERED,
    MessageStatus.UNDELIVERED,
)


class SendBlocked(Exception):
    """The send policy blocks a message. The text says why; `retry_at` is set if waiting helps."""

    def __init__(self, reason: str, *, retry_at: datetime | None = None) -> None:
        super().__init__(reason)
        self.retry_at = retry_at


class RecipientOptedOut(SendBlocked):
    """The number is opted out, or its opt-out is under review."""


def check_message(*, contact: Contact, phone: str, line: PhoneLine, kind: str, body: str, now: datetime) -> None:
    """Check that the line may send this message now to this number (E.164) of the contact.

    Raises:
        SendBlocked: permanently, or until its `retry_at` if the message only has to wait.
    """
    if not body.strip():
        raise SendBlocked("The message must not be empty.")
    if len(body) > MAX_BODY:
        raise SendBlocked(f"The message has {len(body)} characters; shorten it to {MAX_BODY}.")
    check_recipient(contact=contact, phone=phone, kind=kind, now=now)
    if not (line.number or line.provider_id):
        raise SendBlocked("The phone line has no number; add it.")
    delays = [
        *_line_pause(line, now),
        *_daily_cap(line, count_segments(body), now),
        *_campaign_frequency(contact, kind, now),
    ]
    reason, at = max(delays, key=lambda delay: delay[1], default=("", now))
    if kind not in RESPONSES:
        opens = _next_allowed(contact, phone, line, kind, at)
        if opens is None:
            raise SendBlocked("No hour is allowed in all time zones of this number; set the contact's time zone.")
        reason, at = (reason or "It is too early or too late in the contact's time zone.", opens)
    if at > now:
        raise SendBlocked(reason, retry_at=at)


def recheck_before_send(*, contact: Contact, message: Message, now: datetime) -> None:
    """Check again for changes since the message was claimed. Raises SendBlocked."""
    check_recipient(contact=contact, phone=message.to_numbers[0], kind=message.kind, now=now)
    for reason, retry_at in _campaign_frequency(contact, message.kind, now, exclude=message):
        raise SendBlocked(reason, retry_at=retry_at)


def check_recipient(*, contact: Contact, phone: str, kind: str, now: datetime) -> None:
    """Check opt-outs, flags and the number itself. A sender must hold the lock on the number's opt-out.

    A confirmation is the only message to an opted-out number, and only right after the opt-out. Raises SendBlocked.
    """
    opt_out = OptOut.objects.filter(number_hash=hash_number(phone), channel=Channel.SMS).first()
    flags = set(contact.flags.in_force().values_list("flag_type", flat=True))
    if kind == MessageKind.CONFIRMATION:
        if opt_out is None or opt_out.decided_at is None or now - opt_out.decided_at > CONFIRMATION_WINDOW:
            raise SendBlocked("A confirmation must be sent within five minutes of the opt-out or opt-in.")
    else:
        if opt_out is not None and opt_out.state == OptOutState.UNDER_REVIEW:
            raise RecipientOptedOut("The contact may have opted out; review the opt-out first.")
        if FlagType.OPTED_OUT in flags or (opt_out is not None and opt_out.state == OptOutState.OPTED_OUT):
            raise RecipientOptedOut("The contact has opted out.")
    if FlagType.DO_NOT_CONTACT in flags:
        raise SendBlocked("The contact is flagged as do not contact.")
    if FlagType.INVALID_NUMBER in flags:
        raise SendBlocked("The contact's number is flagged as invalid.")
    if not is_valid_phone(phone):
        raise SendBlocked(f"{phone} isn't a valid phone number.")
    if not _is_number_of(contact, phone):
        raise SendBlocked("The contact's number has changed since; write the message again.")
    if PhoneLine.objects.filter(number=phone).exists():
        raise SendBlocked("This is the number of one of your own phone lines.")


def _is_number_of(contact: Contact, phone: str) -> bool:
    """Return whether this is the contact's main number now. It may have been corrected, or given to another contact."""
    owners = ContactPhone.objects.filter(company=OuterRef("company"), phone=phone).exclude(contact=OuterRef("pk"))
    return Contact.objects.filter(~Exists(owners), pk=contact.pk, phone=phone).exists()


def can_be_deferred(kind: str) -> bool:
    """Return whether a message that may be sent later waits until then."""
    return kind not in RESPONSES


def _line_pause(line: PhoneLine, now: datetime) -> list[tuple[str, datetime]]:
    if line.paused_until is None or line.paused_until <= now:
        return []
    return [(f"The phone line is paused: {line.pause_reason or 'the provider rejects messages'}", line.paused_until)]


def _daily_cap(line: PhoneLine, segments: int, now: datetime) -> list[tuple[str, datetime]]:
    """Return the delay until the next day if the daily cap is used up.

    Days are in UTC, like `sent_on`: the same for the lines of all time zones. A message with more
    segments than the cap is sent as the first of a day.
    """
    today = now.astimezone(UTC).date()
    sent = line.sent_segments if line.sent_on == today else 0
    if not sent or sent + segments <= line.daily_cap:
        return []
    tomorrow = datetime.combine(today + timedelta(days=1), time(), UTC)
    return [(f"The phone line has reached its daily cap of {line.daily_cap} segments.", tomorrow)]


def _campaign_frequency(
    contact: Contact, kind: str, now: datetime, exclude: Message | None = None
) -> list[tuple[str, datetime]]:
    if kind != MessageKind.CAMPAIGN:
        return []
    day = timedelta(days=1)
    recent: Any = Message.objects.filter(contact=contact, kind=kind, status__in=POSSIBLY_SENT).left_after(now - day)
    if exclude is not None:
        recent = recent.exclude(pk=exclude.pk)
    sent_at = list(recent.order_by("-departure").values_list("departure", flat=True)[:MAX_CAMPAIGN_MESSAGES])
    if len(sent_at) < MAX_CAMPAIGN_MESSAGES:
        return []
    return [(f"The contact has had {MAX_CAMPAIGN_MESSAGES} campaign messages within 24 hours.", sent_at[-1] + day)]


def _next_allowed(contact: Contact, phone: str, line: PhoneLine, kind: str, moment: datetime) -> datetime | None:
    """Return the next allowed time in the contact's zone, else in all zones of home, else in the company's."""
    zones = _parse_zones([contact.timezone]) or _parse_zones(_zones_of_home(contact, phone)) or [line.company.zone]
    hours = texting_hours_of(states=[contact.state, state_of_number(phone)], marketing=kind == MessageKind.CAMPAIGN)
    return next_open(moment=moment, zones=zones, hours=hours)


def _zones_of_home(contact: Contact, phone: str) -> list[str]:
    """Return the zones of the number, and those of the contact's state if the number is from elsewhere."""
    state = state_code(contact.state)
    elsewhere = state != state_code(state_of_number(phone))
    return [*zones_of_number(phone), *(zones_of_state(state) if elsewhere else ())]


def _parse_zones(names: list[str]) -> list[ZoneInfo]:
    """Return the time zones, or none if any is invalid, because an import may have stored any text."""
    try:
        return [ZoneInfo(name) for name in names]
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder, such as "America"
        return []
