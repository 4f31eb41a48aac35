"""Pages of a conversation: the messages with a reply, and the first text to a contact."""

import json
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.timezone import now

from crm.admin.badges import badges_of
from crm.choices import AuditAction, ConversationStatus, Direction
from crm.db.tenancy import tenant
from crm.form_fields import is_id
from crm.models import Contact, Conversation, PhoneLine, User
from crm.refusals import Refusal
from crm.services.audited_actions import record_staff_action
from crm.services.idempotency import KeyInProgress, KeyReused, StoredResponse, run_idempotently
from crm.services.inbox import assign_conversation, close_conversation, reopen_conversation
from messaging.admin.conversation_forms import AssignForm, FirstTextForm, ReplyForm, new_key
from messaging.admin.message_words import say_time
from messaging.admin.recipients import read_recipient
from messaging.admin.thread import read_thread
from messaging.models import Message
from messaging.services.outbound.send_policy import SendBlocked
from messaging.services.replies import queue_reply
from messaging.sms_segments import count_segments

TEMPLATES = "admin/crm/conversation"
QUEUED = 202


class ConversationPages:
    """Views of the admin of conversations. To write, assign and close needs the permission to change conversations."""

    def get_urls(self: Any) -> list[URLPattern]:
        first = self.admin_site.admin_view(self.first_text_view)
        return [path("text/<int:contact_id>", first, name="crm_conversation_text"), *super().get_urls()]  # type: ignore[misc]

    def may_write(self, request: HttpRequest) -> bool:
        """Allow answers with the change permission, although the row can't be changed as a form."""
        return request.user.has_perm("crm.change_conversation")

    def change_view(self: Any, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the messages, latest at the end, and take an answer, an assignee, or the end of the conversation.

        Messages stay unread: the mark is the company's, whose users must not overlook what only staff have seen.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not is_id(object_id):
            raise Http404
        rows = Conversation.objects.select_related("contact", "company", "phone_line__company", "assignee")
        conversation = rows.filter(pk=object_id).first()
        if conversation is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        reply, assign = ReplyForm(initial=_text_again(request, conversation)), AssignForm(conversation=conversation)
        if request.method == "POST":
            if not self.may_write(request):
                raise PermissionDenied
            with tenant(conversation.company_id):
                if "_assign" in request.POST:
                    assign = AssignForm(request.POST, conversation=conversation)
                    done = _assign(request, conversation, assign)
                elif "_close" in request.POST or "_reopen" in request.POST:
                    done = _close_or_reopen(request, conversation)
                else:
                    reply = ReplyForm(request.POST)
                    done = send_once(request, reply, contact=conversation.contact, line=conversation.phone_line)
            if done:
                return to_page(conversation.pk)
        return self.conversation_page(request, conversation, reply, assign)

    def conversation_page(
        self: Any, request: HttpRequest, conversation: Conversation, reply: ReplyForm, assign: AssignForm
    ) -> HttpResponse:
        contact, at = conversation.contact, now()
        others = Conversation.objects.filter(contact=contact).exclude(pk=conversation.pk).select_related("phone_line")
        may_write = self.may_write(request)
        context = self.admin_site.each_context(request) | {
            "title": f"{contact} · {conversation.company}",
            "opts": self.opts,
            "media": self.media,
            "original": conversation,
            "conversation": conversation,
            "contact": contact,
            "badges": badges_of([contact.pk])[contact.pk],
            "recipient": read_recipient(contact=contact, line=conversation.phone_line, now=at),
            "thread": read_thread(conversation, before=_id_in(request, "before"), at=_id_in(request, "at"), now=at),
            "zone": conversation.company.zone,
            "others": others.order_by("-last_activity_at")[:10],
            "may_write": may_write,
            "reply": reply,
            "assign": assign if may_write else None,
            "is_closed": conversation.status == ConversationStatus.CLOSED,
        }
        return TemplateResponse(request, f"{TEMPLATES}/change_form.html", context)

    def first_text_view(self: Any, request: HttpRequest, contact_id: int) -> HttpResponse:
        """Text a contact: in the latest conversation, else over a line that is chosen here."""
        if not self.may_write(request):
            raise PermissionDenied
        contact = get_object_or_404(Contact.objects.select_related("company"), pk=contact_id)
        newest = Conversation.objects.filter(contact=contact).order_by("-last_activity_at", "-id").first()
        if newest and request.method == "GET":
            return to_page(newest.pk)
        with tenant(contact.company_id):
            form = FirstTextForm(request.POST or None, company_id=contact.company_id)
            if form.is_bound and form.is_valid():
                line = form.cleaned_data["phone_line"]
                if send_once(request, form, contact=contact, line=line):
                    return to_page(Conversation.objects.get(contact=contact, phone_line=line).pk)
        context = self.admin_site.each_context(request) | {
            "title": f"Text {contact}",
            "opts": self.opts,
            "media": self.media,
            "contact": contact,
            "badges": badges_of([contact.pk])[contact.pk],
            "recipient": read_recipient(contact=contact, line=None, now=now()),
            "reply": form,
        }
        return TemplateResponse(request, f"{TEMPLATES}/first_text.html", context)


def _id_in(request: HttpRequest, parameter: str) -> int | None:
    value = request.GET.get(parameter, "")
    return int(value) if is_id(value) else None


def _text_again(request: HttpRequest, conversation: Conversation) -> dict[str, str]:
    """Return the text of a message of this conversation that is tried again, so that a person sends it once more."""
    again = request.GET.get("again", "")
    if request.method != "GET" or not is_id(again):
        return {}
    texts = Message.objects.filter(pk=again, activity__conversation=conversation, direction=Direction.OUTGOING)
    return {"body": body} if (body := texts.values_list("body", flat=True).first()) else {}


def send_once(request: HttpRequest, form: ReplyForm, *, contact: Contact, line: PhoneLine) -> bool:
    """Queue the text of the form, once for its key. Return whether it is in the outbox; else the form says why not."""
    if not form.is_valid():
        return False
    user, body = cast(User, request.user), form.cleaned_data["body"]

    def queue() -> StoredResponse:
        message = queue_reply(contact=contact, body=body, user=user, line=line)
        changes = {"conversation": (None, message.activity.conversation_id), "kind": (None, message.kind)}
        record_staff_action(
            user=user, table="message_threads", row_id=message.pk, changes=changes, action=AuditAction.INSERT
        )
        return StoredResponse(QUEUED, json.dumps({"contact": contact.pk, "message": message.pk}))

    try:
        with transaction.atomic():
            sent = run_idempotently(
                user=user,
                key=form.cleaned_data["key"],
                request=f"POST {request.path}",
                body=f"{line.pk} {body}".encode(),
                operation=queue,
            )
    except SendBlocked as blocked:
        later = f" Try again after {say_time(blocked.retry_at, line.company.zone)}." if blocked.retry_at else ""
        form.add_error("body", f"Not sent: {blocked}{later}")
        return False
    except KeyReused:
        form.add_error("body", "This form has sent a text already, so this other text was not sent. Send it again.")
        form.data = {**form.data.dict(), "key": new_key()}  # type: ignore[attr-defined]
        return False
    except KeyInProgress:
        sent = None
    segments = count_segments(body)
    parts = "one SMS segment" if segments == 1 else f"{segments} SMS segments"
    if sent is None or sent.replayed:
        messages.info(request, "The text was sent once: the form came twice.")
    else:
        messages.success(request, f"The text is in the outbox ({parts}). Its state is shown under it.")
    return True


def _assign(request: HttpRequest, conversation: Conversation, form: AssignForm) -> bool:
    if not form.is_valid():
        return False
    assignee = form.cleaned_data["assignee"]
    try:
        assign_conversation(conversation=conversation, assignee=assignee, user=cast(User, request.user))
    except Refusal as refusal:
        form.add_error("assignee", str(refusal))
        return False
    messages.success(request, f"Assigned to {assignee}." if assignee else "Nobody is assigned now.")
    return True


def _close_or_reopen(request: HttpRequest, conversation: Conversation) -> bool:
    user = cast(User, request.user)
    if "_close" in request.POST:
        close_conversation(conversation=conversation, user=user)
        messages.success(request, "Closed. The contact's next message or call opens it again.")
    else:
        reopen_conversation(conversation=conversation, user=user)
        messages.success(request, "Open again.")
    return True


def to_page(conversation_id: int) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:crm_conversation_change", args=[conversation_id]))
