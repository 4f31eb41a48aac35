"""Test sends: the text of a campaign to a number of one's own."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from crm.choices import Variant
from crm.db.advisory_locks import advisory_xact_locks
from crm.error_codes import ErrorCode
from crm.models import Activity, Campaign, Contact, User
from crm.refusals import Refusal
from messaging.choices import MessageKind
from messaging.models import Message
from messaging.services.campaigns.bodies import FIRST_STEP, read_bodies
from messaging.services.campaigns.texts import full_text
from messaging.services.outbound.outbox import queue_message

MAX_PER_HOUR = 5  # of a user: it is a test of the text, not another way to text customers
_HOUR = timedelta(hours=1)


class TooManyTestSends(Exception):
    """The user has sent MAX_PER_HOUR texts within an hour. `wait` is in seconds."""

    def __init__(self, wait: float) -> None:
        self.wait = wait
        super().__init__(wait)


def send_test(
    *, campaign: Campaign, phone: str, user: User, variant: str = Variant.A, step: int = FIRST_STEP
) -> Message:
    """Queue a text of the campaign, as a first contact gets it, to the contact with this main number.

    No member changes. The send policy applies: a test at night waits until the morning.

    Raises:
        Refusal: the campaign has no line or no such text, or no contact has the number.
        UnusableText: the text can't be filled in for this contact.
        SendBlocked: the send policy blocks the message.
        TooManyTestSends: nothing is queued.
    """
    if campaign.phone_line is None:
        raise Refusal(code=ErrorCode.NO_PHONE_LINE)
    body = read_bodies(campaign).body_of(step, variant)
    if not body:
        raise Refusal(code=ErrorCode.NO_BODY)
    contact = Contact.objects.filter(phone=phone).first()
    if contact is None:
        detail = "No contact has this main number. Add yourself as a contact with your own number first."
        raise Refusal(detail, code=ErrorCode.DOES_NOT_EXIST, attr="phone")
    text = full_text(campaign=campaign, step_body=body, contact=contact, is_first=True)
    with transaction.atomic():
        advisory_xact_locks([("test sends", user.pk)])  # staff's row isn't in the company
        _check_rate(user)
        return queue_message(contact=contact, line=campaign.phone_line, body=text, kind=MessageKind.CAMPAIGN, user=user)


def _check_rate(user: User) -> None:
    now = timezone.now()
    tests = Activity.objects.filter(user=user, created_at__gt=now - _HOUR, message__kind=MessageKind.CAMPAIGN)
    times = list(tests.order_by("-created_at").values_list("created_at", flat=True)[:MAX_PER_HOUR])
    if len(times) == MAX_PER_HOUR:
        raise TooManyTestSends((times[-1] + _HOUR - now).total_seconds())
