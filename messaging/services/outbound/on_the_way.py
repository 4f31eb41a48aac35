"""Messages that the rep of an appointment is on the way."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from calls.choices import COMING
from calls.models import Appointment
from calls.services.booking import NotComing
from crm.error_codes import ErrorCode
from crm.models import PhoneLine, User
from crm.models.appointment_texts import ON_THE_WAY_PLACEHOLDERS
from crm.placeholders import clean_value, parse_text
from crm.refusals import Refusal
from messaging.choices import LOST, MessageKind
from messaging.models import Message
from messaging.services.campaigns.texts import introduce
from messaging.services.outbound.outbox import queue_message
from messaging.services.outbound.reminders import line_of
from messaging.services.replies import LineRequired

MAX_MINUTES = 240
SOON = timedelta(hours=12)  # before the start, and after it
ON_THE_WAY = "{company_name} is on the way, and is expected in {minutes}."
REP_ON_THE_WAY = f"{{rep}} of {ON_THE_WAY}"


class NotSoon(Refusal):
    """The appointment starts on another day."""

    code = ErrorCode.NOT_SOON


class AlreadyOnTheWay(Refusal):
    """The contact was told already."""

    code = ErrorCode.ALREADY_ON_THE_WAY


def send_on_the_way(*, appointment: Appointment, minutes: int, user: User, line: PhoneLine | None = None) -> Message:
    """Queue the message that the rep is on the way, once for each time of an appointment.

    It leaves over `line`, else as a reminder does. Lock order: conversation, then appointment, as in the handling of
    answers.

    Raises:
        NotComing: nobody is to come.
        NotSoon: the start is more than SOON away.
        AlreadyOnTheWay: the contact was told already, and that message isn't lost. Of two requests at once, or if the
            appointment is changed meanwhile, one gets this.
        LineRequired: it is unknown which phone line the contact knows.
        SendBlocked: the send policy blocks the message now. It doesn't wait: later it would be wrong.
    """
    now = timezone.now()
    if appointment.status not in COMING:
        raise NotComing
    if abs(appointment.scheduled_start - now) > SOON:
        raise NotSoon
    if was_told(appointment):
        raise AlreadyOnTheWay
    line = line or line_of(appointment)
    if line is None:
        raise LineRequired("Required: the contact has no conversation yet.")
    with transaction.atomic():
        message = queue_message(
            contact=appointment.contact,
            line=line,
            body=text_of(appointment=appointment, minutes=minutes),
            kind=MessageKind.ON_THE_WAY,
            user=user,
        )
        # Nobody has told, moved or cancelled it since it was read.
        same = ("on_the_way_at", "scheduled_start", "assigned_rep", "status")
        untold = Appointment.objects.filter(pk=appointment.pk, **{name: getattr(appointment, name) for name in same})
        if not untold.update(on_the_way_at=now):
            raise AlreadyOnTheWay
    return message


def was_told(appointment: Appointment) -> bool:
    """Return whether the contact was told, or is about to be. A lost message tells nothing."""
    if appointment.on_the_way_at is None:
        return False
    texts = Message.objects.filter(
        contact=appointment.contact_id, kind=MessageKind.ON_THE_WAY, created_at__gte=appointment.on_the_way_at
    )
    return texts.order_by("-pk").values_list("status", flat=True).first() not in LOST


def text_of(*, appointment: Appointment, minutes: int) -> str:
    """Return the company's own text or the standard one, with the company's name and how to opt out."""
    company, contact, rep = appointment.company, appointment.contact, appointment.assigned_rep
    values = {
        "first_name": clean_value(contact.first_name),
        "last_name": clean_value(contact.last_name),
        "company_name": clean_value(company.name),
        "rep": clean_value(str(rep)) if rep else "",
        "minutes": "1 minute" if minutes == 1 else f"{minutes} minutes",
    }
    text = company.on_the_way_text.strip() or (REP_ON_THE_WAY if rep else ON_THE_WAY)
    return introduce(parse_text(text, ON_THE_WAY_PLACEHOLDERS).fill(values), values["company_name"])
