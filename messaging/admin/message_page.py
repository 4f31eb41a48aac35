"""The top of a message's page: one line about its state, and what can be done about it."""

from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.timezone import now

from crm.choices import Direction
from crm.db.tenancy import tenant
from crm.models import User
from messaging.admin.message_words import STATES, say_state
from messaging.choices import WRITTEN_BY_USERS, MessageStatus
from messaging.models import Message
from messaging.services.outbound.held_decisions import CANCEL, RELEASE

# The decisions about a held message, by the names of their buttons.
DECISIONS = {
    "_release": (RELEASE, "Queued for sending. The send policy is asked again."),
    "_cancel": (CANCEL, "Cancelled. It is never sent."),
}
WRITTEN_AGAIN = (MessageStatus.FAILED, MessageStatus.UNDELIVERED)


@dataclass(frozen=True)
class MessageState:
    word: str
    color: str
    line: str
    conversation: str
    """The URL of its conversation; empty if it has none."""
    again: str
    """The URL that writes it again; empty if it can't be."""
    is_held: bool


def state_of(message: Message, *, may_decide: bool, may_write: bool) -> MessageState:
    word, color = STATES[MessageStatus(message.status)]
    conversation_id = message.activity.conversation_id
    conversation = reverse("admin:crm_conversation_change", args=[conversation_id]) if conversation_id else ""
    is_answer = message.direction == Direction.OUTGOING and message.kind in ("", *WRITTEN_BY_USERS)
    may_again = may_write and conversation and is_answer and message.status in WRITTEN_AGAIN
    return MessageState(
        word=word,
        color=color,
        line=say_state(message, zone=message.company.zone, now=now()) or "There is nothing to do.",
        conversation=conversation,
        again=f"{conversation}?again={message.pk}" if may_again else "",
        is_held=may_decide and message.status == MessageStatus.HELD,
    )


class MessagePage:
    """The page of the admin of messages. A held message is released or cancelled on it."""

    def change_view(self: Any, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        decision = next((name for name in DECISIONS if name in request.POST), None)
        if request.method == "POST" and decision and self.has_decide_permission(request):
            return self.decide(request, object_id, decision)
        return super().change_view(request, object_id, *args, **kwargs)  # type: ignore[misc]

    def decide(self: Any, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        message = self.get_object(request, object_id)
        if message is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if decide_held(message, name, cast(User, request.user)):
            messages.success(request, DECISIONS[name][1])
        else:
            messages.warning(request, "The message isn't held any more, so nothing was changed.")
        return HttpResponseRedirect(request.path)

    def get_queryset(self: Any, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("activity", "company", "contact", "phone_line")  # type: ignore[misc]

    def render_change_form(self: Any, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        message = options.get("obj")
        if message is not None:
            may_write = request.user.has_perm("crm.change_conversation")
            context["state"] = state_of(message, may_decide=self.has_decide_permission(request), may_write=may_write)
        return super().render_change_form(request, context, *args, **options)  # type: ignore[misc]


def decide_held(message: Message, name: str, user: User) -> bool:
    """Release or cancel a held message, and record who did. Return whether it was held."""
    decision, _ = DECISIONS[name]
    with tenant(message.company_id):
        return decision.decide(message_id=message.pk, user=user)
