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
from crm.admin.notes import NoteForm, save_note
from crm.choices import AuditAction, ConversationStatus, Direction
from crm.db.tenancy import tenant
from crm.form_fields import is_id
from crm.models import Contact, Conversation, PhoneLine, User
from crm.refusals import Refusal
from crm.services.audited_actions import record_staff_action
from crm.services.idempotency import KeyInProgress, KeyReused, StoredResponse, run_idempotently
from crm.services.inbox import (
    SnoozeTimeRefused,
    assign_conversation,
    close_conversation,
    reopen_conversation,
    snooze_conversation,
)
from messaging.admin.conversation_forms import AssignForm, FirstTextForm, ReplyForm, ScheduledForm, SnoozeForm, new_key
from messaging.admin.message_words import say_time
from messaging.admin.recipients import read_recipient
from messaging.admin.scheduled_texts import BUTTONS, act_on_scheduled, scheduled_texts
from messaging.admin.snippet_choices import add_snippet, snippets_for
from messaging.admin.thread import read_thread
from messaging.models import Message
from messaging.services.outbound.send_policy import SendBlocked
from messaging.services.replies import mark_thread_unread, queue_reply
from messaging.services.scheduled import SendTimeRefused
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
        conversation.contact.company = conversation.company  # the same row, which is read once
        forms = PageForms(request, conversation)
        if request.method == "POST":
            if not self.may_write(request):
                raise PermissionDenied
            with tenant(conversation.company_id):
                done = forms.act()
            if done:
                return done
        return self.conversation_page(request, conversation, forms)

    def conversation_page(
        self: Any, request: HttpRequest, conversation: Conversation, forms: "PageForms"
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
            "badges": badges_of([contact.pk]).get(contact.pk, []),
            "recipient": read_recipient(contact=contact, line=conversation.phone_line, now=at),
            "thread": read_thread(conversation, before=_id_in(request, "before"), at=_id_in(request, "at"), now=at),
            "scheduled": scheduled_texts(conversation, now=at, refused=forms.scheduled),
            "zone": conversation.company.zone,
            "others": others.order_by("-last_activity_at")[:10],
            "may_write": may_write,
            "reply": forms.reply,
            "snippets": snippets_for(contact) if may_write else [],
            "assign": forms.assign if may_write else None,
            "snooze": forms.snooze,
            "note": forms.note,
            "snoozed_until": say_time(conversation.snoozed_until, conversation.company.zone)
            if conversation.snoozed_until
            else "",
            "is_closed": conversation.status == ConversationStatus.CLOSED,
            "is_snoozed": conversation.status == ConversationStatus.SNOOZED,
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
            zone = contact.company.zone
            form = FirstTextForm(request.POST or None, company_id=contact.company_id, zone=zone)
            if "_insert" in request.POST:
                given = add_snippet(request, contact)
                form = FirstTextForm(initial=given, company_id=contact.company_id, zone=zone)
            elif form.is_bound and form.is_valid():
                line = form.cleaned_data["phone_line"]
                if send_once(request, form, contact=contact, line=line):
                    return to_page(Conversation.objects.get(contact=contact, phone_line=line).pk)
        context = self.admin_site.each_context(request) | {
            "title": f"Text {contact}",
            "opts": self.opts,
            "media": self.media,
            "contact": contact,
            "badges": badges_of([contact.pk]).get(contact.pk, []),
            "recipient": read_recipient(contact=contact, line=None, now=now()),
            "reply": form,
            "snippets": snippets_for(contact),
        }
        return TemplateResponse(request, f"{TEMPLATES}/first_text.html", context)


class PageForms:
    """The forms of a conversation's page, of which one is sent at a time."""

    def __init__(self, request: HttpRequest, conversation: Conversation) -> None:
        self.request, self.conversation = request, conversation
        self.zone = conversation.company.zone
        self.reply = ReplyForm(initial=_text_again(request, conversation), zone=self.zone)
        self.assign = AssignForm(conversation=conversation)
        self.snooze = SnoozeForm(zone=self.zone)
        self.note = NoteForm()
        self.scheduled: ScheduledForm | None = None

    def act(self) -> HttpResponse | None:
        """Do what the pressed button says. Return None if it is refused: the form says why."""
        request, conversation = self.request, self.conversation
        done = True
        if "_assign" in request.POST:
            self.assign = AssignForm(request.POST, conversation=conversation)
            done = _assign(request, conversation, self.assign)
        elif "_close" in request.POST or "_reopen" in request.POST:
            _close_or_reopen(request, conversation)
        elif "_snooze" in request.POST:
            self.snooze = SnoozeForm(request.POST, zone=self.zone)
            done = _snooze(request, conversation, self.snooze)
        elif "_note" in request.POST:
            self.note = NoteForm(request.POST)
            done = save_note(request, self.note, contact=conversation.contact, conversation=conversation)
        elif "_unread" in request.POST:
            return _mark_unread(request, conversation)
        elif "_insert" in request.POST:
            self.reply = ReplyForm(initial=add_snippet(request, conversation.contact), zone=self.zone)
            done = False
        elif any(button in request.POST for button in BUTTONS):
            self.scheduled = act_on_scheduled(request, conversation)
            done = self.scheduled is None
        else:
            self.reply = ReplyForm(request.POST, zone=self.zone)
            done = send_once(request, self.reply, contact=conversation.contact, line=conversation.phone_line)
        return to_page(conversation.pk) if done else None


def _mark_unread(request: HttpRequest, conversation: Conversation) -> HttpResponse:
    """Mark the contact's latest message as unread, for the company's people, and show the inbox."""
    user = cast(User, request.user)
    with transaction.atomic():
        marked = mark_thread_unread(contact=conversation.contact)
        if marked:
            changes = {"messages_unread": (None, marked)}
            record_staff_action(user=user, table="conversations", row_id=conversation.pk, changes=changes)
    if not marked:
        messages.info(request, "The contact has written nothing that could be unread.")
        return to_page(conversation.pk)
    messages.success(request, f"The latest message of {conversation.contact} is unread again.")
    return HttpResponseRedirect(reverse("admin:crm_conversation_changelist"))


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
    user, body, later = cast(User, request.user), form.cleaned_data["body"], form.later

    def queue() -> StoredResponse:
        message = queue_reply(contact=contact, body=body, user=user, line=line, **later)
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
                body=f"{line.pk} {body} {later}".encode(),
                operation=queue,
            )
    except SendTimeRefused as refusal:
        form.add_error("send_at", str(refusal))
        return False
    except SendBlocked as blocked:
        retry = f" Try again after {say_time(blocked.retry_at, line.company.zone)}." if blocked.retry_at else ""
        form.add_error("body", f"Not sent: {blocked}{retry}")
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
    elif later:
        at = say_time(later["send_at"], line.company.zone)
        messages.success(
            request, f"The text leaves at {at} ({parts}). Until then it can be changed or cancelled below."
        )
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


def _snooze(request: HttpRequest, conversation: Conversation, form: SnoozeForm) -> bool:
    if not form.is_valid():
        return False
    until = form.cleaned_data["until"]
    try:
        snooze_conversation(conversation=conversation, until=until, user=cast(User, request.user))
    except SnoozeTimeRefused as refusal:
        form.add_error("until", str(refusal))
        return False
    end = f"until {say_time(until, conversation.company.zone)}, or until" if until else "until"
    messages.success(request, f"Snoozed {end} the contact writes or calls.")
    return True


def _close_or_reopen(request: HttpRequest, conversation: Conversation) -> None:
    user = cast(User, request.user)
    if "_close" in request.POST:
        close_conversation(conversation=conversation, user=user)
        messages.success(request, "Closed. The contact's next message or call opens it again.")
    else:
        reopen_conversation(conversation=conversation, user=user)
        messages.success(request, "Open again.")


def to_page(conversation_id: int) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:crm_conversation_change", args=[conversation_id]))
