"""What is done about what a text says about getting texts."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from crm.choices import Direction, OptOutState
from crm.models import OptOut
from crm.models.audit import hash_number
from crm.phones import InvalidPhone, normalize_phone
from crm.services.opt_outs import flag_possible_opt_out, lock_opt_out, record_opt_in, record_opt_out
from messaging.choices import MessageKind
from messaging.models import Message
from messaging.opt_out_text.classification import Verdict, classify_text, provider_answers
from messaging.services.outbound.outbox import SendBlocked, queue_text
from messaging.services.outbound.send_policy import CONFIRMED_WITHIN

ANSWERED_WITHIN = timedelta(hours=24)

OPT_OUT_REPLY = (
    "You have been unsubscribed from {company} and will get no more texts. Reply START or YES to get them again."
)
OPT_IN_REPLY = "You will get texts from {company} again. Reply STOP to get no more."

PROVIDER_VERDICTS = {"STOP": Verdict.OPT_OUT, "START": Verdict.OPT_IN, "HELP": Verdict.HELP}


def handle_opt_out_keywords(*, message: Message, opt_out_type: str = "") -> None:
    """Let the ledger of opt-outs hear a text that came in, in the transaction that records it; however often.

    A HELP is left to the CSR, like any other question: they have our name and number to give.

    Args:
        opt_out_type: what the provider took it for and has answered to: Twilio's OptOutType. It goes before our own
            reading, so that the two of us never stand apart.
    """
    try:
        phone = normalize_phone(message.from_number)
    except InvalidPhone:  # a short code, or nobody: no text of ours can go there
        return
    verdict = PROVIDER_VERDICTS.get(opt_out_type) or classify_text(message.body)
    if verdict == Verdict.YES and _answers_our_question(message, phone):
        verdict = Verdict.OPT_IN
    evidence: dict[str, Any] = {
        "phone": phone,
        "words": message.body,
        "source": "sms",
        "occurred_at": message.created_at,
        "activity": message.activity,
    }
    if verdict == Verdict.SUSPECTED:
        flag_possible_opt_out(**evidence)  # confirmed by a person, who takes longer than a confirmation may
    elif verdict == Verdict.OPT_OUT and record_opt_out(**evidence):
        _confirm(message, phone, opt_out_type, OPT_OUT_REPLY)
    elif verdict == Verdict.OPT_IN and record_opt_in(**evidence):
        _confirm(message, phone, opt_out_type, OPT_IN_REPLY)


def _answers_our_question(message: Message, phone: str) -> bool:
    """Whether our confirmation, which asks, is the last text that they had from us, within a day.

    Anything else that we wrote since may be what they say yes to.
    """
    opt_out = OptOut.objects.filter(number_hash=hash_number(phone), state=OptOutState.OPTED_OUT).first()
    if opt_out is None or opt_out.asked_at is None:
        return False
    ours = Message.objects.filter(
        contact=message.contact_id, direction=Direction.OUTGOING, created_at__lt=message.created_at
    )
    last = ours.order_by("-created_at", "-id").first()
    is_question = last is not None and last.kind == MessageKind.CONFIRMATION
    return is_question and message.created_at - opt_out.asked_at <= ANSWERED_WITHIN


def _confirm(message: Message, phone: str, opt_out_type: str, words: str) -> None:
    """Queue the one confirmation that 47 CFR 64.1200(a)(12) allows, within five minutes; none where the provider sends
    its own. Two machines that answer each other get one in five minutes as well."""
    contact, line, now = message.contact, message.phone_line, timezone.now()
    if contact is None or contact.phone != phone or line is None:  # texts go to the main number alone
        return
    if opt_out_type or provider_answers(line.provider, message.body) or now - message.created_at > CONFIRMED_WITHIN:
        return
    opt_out = lock_opt_out(phone=phone)
    if opt_out.confirmed_at and now - opt_out.confirmed_at <= CONFIRMED_WITHIN:
        return
    try:
        queue_text(
            contact=contact, line=line, body=words.format(company=line.company.name), kind=MessageKind.CONFIRMATION
        )
    except SendBlocked:  # the opt-out holds without it
        return
    opt_out.confirmed_at = now
    opt_out.asked_at = now if words == OPT_OUT_REPLY else opt_out.asked_at
    opt_out.save(update_fields=["confirmed_at", "asked_at"])
