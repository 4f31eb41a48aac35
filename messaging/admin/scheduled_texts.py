"""Texts of a conversation that leave later: shown below its messages, where staff change or cancel them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from crm.form_fields import is_id
from crm.models import Activity, Conversation, User
from crm.refusals import Refusal
from crm.services.audited_actions import record_staff_action
from messaging.admin.conversation_forms import ScheduledForm
from messaging.admin.message_page import decide_held
from messaging.admin.message_words import say_state, say_time
from messaging.choices import MessageKind, MessageStatus
from messaging.models import Message
from messaging.services.scheduled import WAITING, cancel_message, change_scheduled

MAX_SHOWN = 20
# The buttons, whose value is the ID of the message.
CHANGE, CANCEL, SEND_ANYWAY = "_change_scheduled", "_cancel_scheduled", "_send_anyway"
BUTTONS = (CHANGE, CANCEL, SEND_ANYWAY)
GONE = "This text doesn't wait any more, so nothing was changed."


@dataclass(frozen=True)
class ScheduledText:
    message: Message
    when: str
    state: str
    is_held: bool
    form: ScheduledForm


def scheduled_texts(
    conversation: Conversation, *, now: datetime, refused: ScheduledForm | None
) -> Sequence[ScheduledText]:
    """Return the texts of the conversation that leave later, the next one first.

    Args:
        refused: a form that was sent; shown in place of the message's own.
    """
    zone = conversation.company.zone
    return [
        ScheduledText(
            message=message,
            when=say_time(cast(datetime, message.send_at), zone),
            state=say_state(message, zone=zone, now=now),
            is_held=message.status == MessageStatus.HELD,
            form=refused if refused and refused.message == message else ScheduledForm(message=message, zone=zone),
        )
        for message in _waiting(conversation)[:MAX_SHOWN]
    ]


def act_on_scheduled(request: HttpRequest, conversation: Conversation) -> ScheduledForm | None:
    """Change, cancel or send the message of the button that was pressed. Return its form if that is refused."""
    button = next(name for name in BUTTONS if name in request.POST)
    pk, user = request.POST[button], cast(User, request.user)
    message = _waiting(conversation).filter(pk=pk).first() if is_id(pk) else None
    if message is None:
        messages.warning(request, GONE)
        return None
    if button == CHANGE:
        form = ScheduledForm(request.POST, message=message, zone=conversation.company.zone)
        if not form.is_valid() or not _change(message, form, user):
            return form
        messages.success(request, f"Changed. It leaves at {say_time(form.leaves_at, conversation.company.zone)}.")
    elif button == CANCEL and _cancel(message, user):
        messages.success(request, "Cancelled. It is never sent.")
    elif button == SEND_ANYWAY and decide_held(message, "_release", user):
        messages.success(request, "Queued again. It leaves at its time.")
    else:
        messages.warning(request, GONE)
    return None


def _waiting(conversation: Conversation) -> QuerySet[Message]:
    rows = Message.objects.filter(contact=conversation.contact_id, activity__conversation=conversation)
    waiting: QuerySet[Message] = rows.filter(kind=MessageKind.SCHEDULED, status__in=WAITING)
    return waiting.select_related("phone_line").order_by("send_at", "id")


def _change(message: Message, form: ScheduledForm, user: User) -> bool:
    """Change the message as the form says. Return whether it could be; else the form says why not."""
    changes: dict[str, tuple[Any, Any]] = {}
    if "send_at" in form.changed:
        changes["send_at"] = (cast(datetime, message.send_at).isoformat(), form.leaves_at.isoformat())
    if "body" in form.changed:  # no words of it: an erasure doesn't look for them in the audit
        changes["characters"] = (len(message.body), len(form.changed["body"]))
    try:
        with transaction.atomic():
            # Lock order: activity, message, as in sending and webhook processing.
            activity = Activity.objects.filter(pk=message.activity_id)
            activity.select_for_update(no_key=True, of=("self",)).values_list("pk").first()
            change_scheduled(message=message, **form.changed)
            if changes:
                record_staff_action(user=user, table="message_threads", row_id=message.pk, changes=changes)
    except Refusal as refusal:
        form.add_error("send_at" if refusal.attr == "send_at" else None, str(refusal))
        return False
    return True


def _cancel(message: Message, user: User) -> bool:
    """Cancel the message. Return False if it has left meanwhile."""
    changes = {"status": (message.status, MessageStatus.FAILED.value)}
    try:
        with transaction.atomic():
            cancel_message(message=message, user=user)
            record_staff_action(user=user, table="message_threads", row_id=message.pk, changes=changes)
    except Refusal:
        return False
    return True
