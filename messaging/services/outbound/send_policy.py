"""Send policy: the checks that each message passes when it is queued, and again before it is sent."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from crm.choices import FlagType, OptOutState
from crm.error_codes import ErrorCode
from crm.models import Contact, PhoneLine
from crm.refusals import Refusal
from messaging.area_codes import is_valid_phone
from messaging.choices import AT_ONCE, MessageKind
from messaging.services.outbound.daily_limits import DailyLimit, read_daily_limits, start_of_next_day
from messaging.services.outbound.recipient_facts import FREQUENCY_WINDOW, Recipient, RecipientFacts, read_facts
from messaging.services.outbound.recipient_hours import next_allowed
from messaging.sms_segments import count_segments

MAX_BODY = 1600  # characters: OpenPhone's and Twilio's limit
MAX_CAMPAIGN_MESSAGES = 3  # to one contact in 24 hours: Florida Statutes 501.616(6), applied everywhere
CONFIRMATION_WINDOW = timedelta(minutes=5)  # 47 CFR 64.1200(a)(12): a later confirmation needs a reason

# Responses to the contact's latest message: quiet hours don't apply, and a late response is useless.
RESPONSES = (MessageKind.REPLY, MessageKind.CONFIRMATION)

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
    _check_body(body)
    recipient = Recipient(contact.pk, phone)
    facts = read_facts(recipients=[recipient], now=now, is_campaign=kind == MessageKind.CAMPAIGN)[recipient]
    _check_person(facts, phone, kind, now)
    limits = read_daily_limits(line=line, now=now)
    delays = [*line_delays(line=line, limits=limits, body=body, now=now), *_campaign_frequency(facts, kind)]
    _check_time(contact, phone, line, kind, now, delays)


def check_line_and_hours(
    *,
    contact: Contact,
    phone: str,
    line: PhoneLine,
    limits: Sequence[DailyLimit],
    kind: str,
    body: str,
    now: datetime,
) -> None:
    """Check what needs no statement: the body, the line, and the contact's hours. Raises SendBlocked."""
    _check_body(body)
    _check_time(contact, phone, line, kind, now, line_delays(line=line, limits=limits, body=body, now=now))


def check_recipient(*, facts: RecipientFacts, phone: str, kind: str, now: datetime) -> None:
    """Check the recipient a last time before the message leaves. Raises SendBlocked.

    `now` must be from before the facts were read.
    """
    _check_person(facts, phone, kind, now)
    for code, detail, retry_at in _campaign_frequency(facts, kind):
        raise SendBlocked(code, detail, retry_at=retry_at)


def line_delays(*, line: PhoneLine, limits: Sequence[DailyLimit], body: str, now: datetime) -> list[Delay]:
    """Return why a message must wait for its line, and until when. With an empty body: why any message must."""
    delays = []
    if line.paused_until is not None and line.paused_until > now:
        detail = f"The phone line is paused: {line.pause_reason or 'the provider rejects messages'}"
        delays.append((ErrorCode.LINE_PAUSED, detail, line.paused_until))
    delays += [
        (ErrorCode.DAILY_CAP, limit.text, start_of_next_day(now))
        for limit in limits
        if not limit.has_room(count_segments(body))
    ]
    return delays


def can_be_deferred(kind: str) -> bool:
    """Return whether a message that may be sent later waits until then."""
    return kind not in AT_ONCE


def _check_body(body: str) -> None:
    if not body.strip():
        raise SendBlocked(ErrorCode.MESSAGE_EMPTY)
    if len(body) > MAX_BODY:
        detail = f"The message has {len(body)} characters; shorten it to {MAX_BODY}."
        raise SendBlocked(ErrorCode.MESSAGE_TOO_LONG, detail)


def _check_person(facts: RecipientFacts, phone: str, kind: str, now: datetime) -> None:
    """Check opt-outs, flags and the number itself. Raises SendBlocked.

    A confirmation is the only message to an opted-out number, and only right after the opt-out.
    """
    opt_out = facts.opt_out
    if kind == MessageKind.CONFIRMATION:
        if opt_out is None or opt_out.decided_at is None or now - opt_out.decided_at > CONFIRMATION_WINDOW:
            raise SendBlocked(ErrorCode.CONFIRMATION_TOO_LATE)
    else:
        if opt_out is not None and opt_out.state == OptOutState.UNDER_REVIEW:
            raise SendBlocked(ErrorCode.UNDER_REVIEW)
        if FlagType.OPTED_OUT in facts.flags or (opt_out is not None and opt_out.state == OptOutState.OPTED_OUT):
            raise SendBlocked(ErrorCode.OPTED_OUT)
    if FlagType.DO_NOT_CONTACT in facts.flags:
        raise SendBlocked(ErrorCode.DO_NOT_CONTACT)
    if FlagType.INVALID_NUMBER in facts.flags:
        raise SendBlocked(ErrorCode.FLAGGED_NUMBER)
    if not is_valid_phone(phone):
        raise SendBlocked(ErrorCode.UNREACHABLE_NUMBER, f"{phone} isn't a valid phone number.")
    if not facts.has_number:
        raise SendBlocked(ErrorCode.NUMBER_CHANGED)
    if facts.is_line:
        raise SendBlocked(ErrorCode.NUMBER_OF_LINE)


def _campaign_frequency(facts: RecipientFacts, kind: str) -> list[Delay]:
    departures = facts.campaign_departures
    if kind != MessageKind.CAMPAIGN or len(departures) < MAX_CAMPAIGN_MESSAGES:
        return []
    detail = f"The contact has had {MAX_CAMPAIGN_MESSAGES} campaign messages within 24 hours."
    return [(ErrorCode.CAMPAIGN_FREQUENCY, detail, departures[MAX_CAMPAIGN_MESSAGES - 1] + FREQUENCY_WINDOW)]


def _check_time(
    contact: Contact, phone: str, line: PhoneLine, kind: str, now: datetime, delays: Sequence[Delay]
) -> None:
    if not (line.number or line.provider_id):
        raise SendBlocked(ErrorCode.LINE_WITHOUT_NUMBER)
    quiet_hours: Delay = (ErrorCode.QUIET_HOURS, "", now)
    code, detail, at = max(delays, key=lambda delay: delay[2], default=quiet_hours)
    if kind not in RESPONSES:
        opens = next_allowed(
            timezone=contact.timezone,
            state=contact.state,
            phone=phone,
            company=line.company,
            marketing=kind == MessageKind.CAMPAIGN,
            moment=at,
        )
        if opens is None:
            raise SendBlocked(ErrorCode.NO_OPEN_HOUR)
        at = opens
    if at > now:
        raise SendBlocked(code, detail, retry_at=at)
