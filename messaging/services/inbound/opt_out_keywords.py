"""Opt-out and opt-in keywords of incoming messages."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from crm.choices import Direction, OptOutState
from crm.models import OptOut, PhoneLine
from crm.models.audit import hash_number
from crm.models.opt_out_texts import OPT_OUT_PLACEHOLDERS, OPT_OUT_TEXT, asks_for_yes
from crm.phones import InvalidPhone, digits_of, normalize_phone
from crm.placeholders import parse_text
from crm.services.opt_outs import flag_possible_opt_out, lock_opt_out, record_opt_in, record_opt_out
from messaging.choices import MessageKind
from messaging.models import Message
from messaging.opt_out_text.classification import Verdict, classify_text
from messaging.providers.events import IncomingText
from messaging.providers.registry import provider_confirms
from messaging.services.outbound.campaign_progress import mark_membership_opted_out
from messaging.services.outbound.outbox import SendBlocked, queue_message
from messaging.services.outbound.send_policy import CONFIRMATION_WINDOW

YES_WINDOW = timedelta(hours=24)
SHORTEST_NUMBER = 7  # digits; short codes have five or six

OPT_IN_TEXT = "You will get texts from {company_name} again. Reply STOP to get no more."

PROVIDER_VERDICTS = {"STOP": Verdict.OPT_OUT, "START": Verdict.OPT_IN, "HELP": Verdict.HELP}


def handle_opt_out_keywords(*, message: Message, opt_out_type: str = "") -> bool:
    """Apply opt-out and opt-in keywords of an incoming message, in the transaction that records it. Idempotent.

    Returns whether there are any.

    HELP is left to the CSR like any other question: they can give the company's name and number.

    Args:
        opt_out_type: Twilio's OptOutType: the provider's own verdict, to which it has replied. It takes precedence, so
            that both sides agree.
    """
    phone = _number_of(message.from_number)
    verdict = _verdict_on(message.from_number, message.body, opt_out_type)
    if not phone:
        return False
    if verdict == Verdict.YES and _answers_confirmation(message, phone):
        verdict = Verdict.OPT_IN
    evidence: dict[str, Any] = {
        "phone": phone,
        "words": message.body,
        "source": "sms",
        "occurred_at": message.created_at,
        "activity": message.activity,
    }
    if verdict == Verdict.SUSPECTED:
        flag_possible_opt_out(**evidence)  # a person decides, which takes longer than the law allows for a confirmation
    elif verdict == Verdict.OPT_OUT:
        changed = record_opt_out(**evidence)
        mark_membership_opted_out(message=message)
        if changed:
            _queue_confirmation(message, phone, opt_out_type)
    elif verdict == Verdict.OPT_IN and record_opt_in(**evidence):
        _queue_confirmation(message, phone, opt_out_type, OPT_IN_TEXT)
    return verdict in (Verdict.SUSPECTED, Verdict.OPT_OUT, Verdict.OPT_IN)


def asks_nothing(*, from_number: str, body: str, opt_out_type: str = "") -> bool:
    """Return whether `handle_opt_out_keywords` has nothing to do for such a message, whatever came before it."""
    return _verdict_on(from_number, body, opt_out_type) in (Verdict.NOTHING, Verdict.HELP)


def record_opt_out_of_text(*, text: IncomingText, occurred_at: datetime) -> None:
    """Apply an opt-out in a message that is not recorded. Idempotent. There is no confirmation.

    An opt-in isn't applied: another message repeats it more safely than a mistake is undone.
    """
    phone = _number_of(text.from_number)
    if not phone or PhoneLine.objects.filter(number=phone).exists():
        return
    verdict = _verdict_on(text.from_number, text.body, text.opt_out_type)
    evidence: dict[str, Any] = {"phone": phone, "words": text.body, "source": "sms", "occurred_at": occurred_at}
    if verdict == Verdict.SUSPECTED:
        flag_possible_opt_out(**evidence)
    elif verdict == Verdict.OPT_OUT:
        record_opt_out(**evidence)


def asks_to_stop(text: IncomingText) -> bool:
    """Return whether the text is an opt-out, or may be one."""
    return _verdict_on(text.from_number, text.body, text.opt_out_type) in (Verdict.OPT_OUT, Verdict.SUSPECTED)


def _verdict_on(from_number: str, body: str, opt_out_type: str) -> Verdict:
    verdict = PROVIDER_VERDICTS.get(opt_out_type) or classify_text(body)
    is_short_code = ":" not in from_number and len(digits_of(from_number)) < SHORTEST_NUMBER
    # A short code's own advertisement says "Reply STOP".
    return Verdict.NOTHING if is_short_code and verdict == Verdict.SUSPECTED else verdict


def _number_of(sender: str) -> str:
    """Return the sender's number, E.164. If it can't be normalized, as sent: a STOP is kept even so."""
    try:
        return normalize_phone(sender)
    except InvalidPhone:
        return sender.strip()


def _answers_confirmation(message: Message, phone: str) -> bool:
    """Return whether the last outgoing message is an opt-out confirmation, at most a day old.

    A "yes" after any other message may answer that one.
    """
    opt_out = OptOut.objects.filter(number_hash=hash_number(phone), state=OptOutState.OPTED_OUT).first()
    if opt_out is None or opt_out.asked_at is None:
        return False
    outgoing = Message.objects.filter(
        contact=message.contact_id, direction=Direction.OUTGOING, created_at__lt=message.created_at
    )
    last = outgoing.order_by("-created_at", "-id").first()
    is_confirmation = last is not None and last.kind == MessageKind.CONFIRMATION
    return is_confirmation and message.created_at - opt_out.asked_at <= YES_WINDOW


def _queue_confirmation(message: Message, phone: str, opt_out_type: str, text: str = "") -> None:
    """Queue the one confirmation that 47 CFR 64.1200(a)(12) allows within five minutes.

    There is none if the provider sends its own. The limit also stops two machines from answering each other forever.

    Args:
        text: "" for that of an opt-out: the company's own, or else the standard one.
    """
    contact, line, now = message.contact, message.phone_line, timezone.now()
    if contact is None or contact.phone != phone or line is None:  # messages go to the main number only
        return
    if opt_out_type or provider_confirms(line.provider, message.body) or now - message.created_at > CONFIRMATION_WINDOW:
        return
    opt_out = lock_opt_out(phone=phone)
    if opt_out.confirmed_at and now - opt_out.confirmed_at <= CONFIRMATION_WINDOW:
        return
    text = text or line.company.opt_out_text or OPT_OUT_TEXT
    body = parse_text(text, OPT_OUT_PLACEHOLDERS).fill({"company_name": line.company.name})
    try:
        queue_message(contact=contact, line=line, body=body, kind=MessageKind.CONFIRMATION)
    except SendBlocked:  # the opt-out is valid without it
        return
    opt_out.confirmed_at = now
    opt_out.asked_at = now if asks_for_yes(text) else opt_out.asked_at
    opt_out.save(update_fields=["confirmed_at", "asked_at"])
