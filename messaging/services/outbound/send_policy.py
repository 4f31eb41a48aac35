"""Send policy: the checks that each message passes when it is queued, and again before it is sent."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Exists, OuterRef

from crm.choices import Channel, FlagType, OptOutState
from crm.error_codes import ErrorCode
from crm.models import Contact, ContactPhone, OptOut, PhoneLine
from crm.models.audit import hash_number
from crm.refusals import Refusal
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

Delay = tuple[ErrorCode, str, datetime]  # why a message must wait, and until when


class SendBlocked(Refusal):
    """The send policy blocks a message. `retry_at` is set if waiting helps."""

    def __init__(self, code: ErrorCode, detail: str = "", *, retry_at: datetime | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_at = retry_at

    def facts(self) -> dict[str, Any]:
        return {"retry_at": self.retry_at} if self.retry_at else {}


def check_message(*, contact: Contact, phone: str, line: PhoneLine, kind: str, body: str, now: datetime) -> None:
    """Check that the line may send this message now to this number (E.164) of the contact.

    Raises:
        SendBlocked: permanently, or until its `retry_at` if the message only has to wait.
    """
    if not body.strip():
        raise SendBlocked(ErrorCode.MESSAGE_EMPTY)
    if len(body) > MAX_BODY:
        detail = f"The message has {len(body)} characters; shorten it to {MAX_BODY}."
        raise SendBlocked(ErrorCode.MESSAGE_TOO_LONG, detail)
    check_recipient(contact=contact, phone=phone, kind=kind, now=now)
    if not (line.number or line.provider_id):
        raise SendBlocked(ErrorCode.LINE_WITHOUT_NUMBER)
    delays = [
        *_line_pause(line, now),
        *_daily_cap(line, count_segments(body), now),
        *_campaign_frequency(contact, kind, now),
    ]
    quiet_hours: Delay = (ErrorCode.QUIET_HOURS, "", now)
    code, detail, at = max(delays, key=lambda delay: delay[2], default=quiet_hours)
    if kind not in RESPONSES:
        opens = _next_allowed(contact, phone, line, kind, at)
        if opens is None:
            raise SendBlocked(ErrorCode.NO_OPEN_HOUR)
        at = opens
    if at > now:
        raise SendBlocked(code, detail, retry_at=at)


def recheck_before_send(*, contact: Contact, message: Message, now: datetime) -> None:
    """Check again for changes since the message was claimed. Raises SendBlocked."""
    check_recipient(contact=contact, phone=message.to_numbers[0], kind=message.kind, now=now)
    for code, detail, retry_at in _campaign_frequency(contact, message.kind, now, exclude=message):
        raise SendBlocked(code, detail, retry_at=retry_at)


def check_recipient(*, contact: Contact, phone: str, kind: str, now: datetime) -> None:
    """Check opt-outs, flags and the number itself. A sender must hold the lock on the number's opt-out.

    A confirmation is the only message to an opted-out number, and only right after the opt-out. Raises SendBlocked.
    """
    opt_out = OptOut.objects.filter(number_hash=hash_number(phone), channel=Channel.SMS).first()
    flags = set(contact.flags.in_force().values_list("flag_type", flat=True))
    if kind == MessageKind.CONFIRMATION:
        if opt_out is None or opt_out.decided_at is None or now - opt_out.decided_at > CONFIRMATION_WINDOW:
            raise SendBlocked(ErrorCode.CONFIRMATION_TOO_LATE)
    else:
        if opt_out is not None and opt_out.state == OptOutState.UNDER_REVIEW:
            raise SendBlocked(ErrorCode.UNDER_REVIEW)
        if FlagType.OPTED_OUT in flags or (opt_out is not None and opt_out.state == OptOutState.OPTED_OUT):
            raise SendBlocked(ErrorCode.OPTED_OUT)
    if FlagType.DO_NOT_CONTACT in flags:
        raise SendBlocked(ErrorCode.DO_NOT_CONTACT)
    if FlagType.INVALID_NUMBER in flags:
        raise SendBlocked(ErrorCode.FLAGGED_NUMBER)
    if not is_valid_phone(phone):
        raise SendBlocked(ErrorCode.UNREACHABLE_NUMBER, f"{phone} isn't a valid phone number.")
    if not _is_number_of(contact, phone):
        raise SendBlocked(ErrorCode.NUMBER_CHANGED)
    if PhoneLine.objects.filter(number=phone).exists():
        raise SendBlocked(ErrorCode.NUMBER_OF_LINE)


def _is_number_of(contact: Contact, phone: str) -> bool:
    """Return whether this is the contact's main number now. It may have been corrected, or given to another contact."""
    owners = ContactPhone.objects.filter(company=OuterRef("company"), phone=phone).exclude(contact=OuterRef("pk"))
    return Contact.objects.filter(~Exists(owners), pk=contact.pk, phone=phone).exists()


def can_be_deferred(kind: str) -> bool:
    """Return whether a message that may be sent later waits until then."""
    return kind not in RESPONSES


def _line_pause(line: PhoneLine, now: datetime) -> list[Delay]:
    if line.paused_until is None or line.paused_until <= now:
        return []
    detail = f"The phone line is paused: {line.pause_reason or 'the provider rejects messages'}"
    return [(ErrorCode.LINE_PAUSED, detail, line.paused_until)]


def _daily_cap(line: PhoneLine, segments: int, now: datetime) -> list[Delay]:
    """Return the delay until the next day if the daily cap is used up.

    Days are in UTC, like `sent_on`: the same for the lines of all time zones. A message with more
    segments than the cap is sent as the first of a day.
    """
    today = now.astimezone(UTC).date()
    sent = line.sent_segments if line.sent_on == today else 0
    if not sent or sent + segments <= line.daily_cap:
        return []
    tomorrow = datetime.combine(today + timedelta(days=1), time(), UTC)
    return [(ErrorCode.DAILY_CAP, f"The phone line has reached its daily cap of {line.daily_cap} segments.", tomorrow)]


def _campaign_frequency(contact: Contact, kind: str, now: datetime, exclude: Message | None = None) -> list[Delay]:
    if kind != MessageKind.CAMPAIGN:
        return []
    day = timedelta(days=1)
    recent: Any = Message.objects.filter(contact=contact, kind=kind, status__in=POSSIBLY_SENT).left_after(now - day)
    if exclude is not None:
        recent = recent.exclude(pk=exclude.pk)
    sent_at = list(recent.order_by("-departure").values_list("departure", flat=True)[:MAX_CAMPAIGN_MESSAGES])
    if len(sent_at) < MAX_CAMPAIGN_MESSAGES:
        return []
    detail = f"The contact has had {MAX_CAMPAIGN_MESSAGES} campaign messages within 24 hours."
    return [(ErrorCode.CAMPAIGN_FREQUENCY, detail, sent_at[-1] + day)]


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
