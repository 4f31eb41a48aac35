"""Messages that the rep of an appointment is on the way."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from calls.choices import COMING
from calls.models import Appointment
from calls.services.booking import NotComing
from crm.error_codes import ErrorCode
from crm.models import PhoneLine, User
from crm.placeholders import clean_value
from crm.refusals import Refusal
from messaging.choices import MessageKind
from messaging.models import Message
from messaging.services.campaigns.texts import introduce
from messaging.services.outbound.outbox import queue_message
from messaging.services.outbound.reminders import line_of
from messaging.services.replies import LineRequired

MAX_MINUTES = 240
SOON = timedelta(hours=12)  # before the start, and after it


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
        AlreadyOnTheWay: the contact was told already. Of two requests at once, one gets this.
        LineRequired: it is unknown which phone line the contact knows.
        SendBlocked: the send policy blocks the message now. It doesn't wait: later it would be wrong.
    """
    now = timezone.now()
    if appointment.status not in COMING:
        raise NotComing
    if abs(appointment.scheduled_start - now) > SOON:
        raise NotSoon
    if appointment.on_the_way_at is not None:
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
        untold = Appointment.objects.filter(pk=appointment.pk, on_the_way_at=None)
        if not untold.update(on_the_way_at=now):
            raise AlreadyOnTheWay
    return message


def text_of(*, appointment: Appointment, minutes: int) -> str:
    company = clean_value(appointment.company.name)
    rep = appointment.assigned_rep
    who = f"{clean_value(str(rep))} of {company}" if rep else company
    when = "1 minute" if minutes == 1 else f"{minutes} minutes"
    return introduce(f"{who} is on the way, and is expected in {when}.", company)
