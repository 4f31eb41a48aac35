"""Notes that staff write about a contact, or in a conversation."""

from typing import cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse

from crm.choices import AuditAction
from crm.db.tenancy import tenant
from crm.models import Contact, Conversation, User
from crm.services.audited_actions import record_staff_action
from crm.services.notes import add_note

MAX_NOTE = 10_000


class NoteForm(forms.Form):
    """A note. It stays in the company: it is no message."""

    prefix = "note"
    body = forms.CharField(
        max_length=MAX_NOTE,
        label="Note",
        help_text="The contact doesn't see it. @username leaves a colleague a task.",
        error_messages={"required": "Write the note first."},
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def save_note(
    request: HttpRequest, form: NoteForm, *, contact: Contact, conversation: Conversation | None = None
) -> bool:
    """Add the note of the form in the active company, and record who did. Return whether the form is valid."""
    if not form.is_valid():
        return False
    user = cast(User, request.user)
    note = add_note(contact=contact, body=form.cleaned_data["body"], user=user, conversation=conversation)
    changes = {"contact": (None, contact.pk), "conversation": (None, conversation and conversation.pk)}
    record_staff_action(user=user, table="activities", row_id=note.pk, changes=changes, action=AuditAction.INSERT)
    messages.success(request, "The note was added.")
    return True


def note_page(site: admin.AdminSite, request: HttpRequest, contact_id: int) -> HttpResponse:
    """Write a note about a contact."""
    if not request.user.has_perm("crm.change_contact"):
        raise PermissionDenied
    contact = get_object_or_404(Contact.objects.select_related("company"), pk=contact_id)
    form = NoteForm(request.POST if request.method == "POST" else None)
    if form.is_bound:
        with tenant(contact.company_id):
            if save_note(request, form, contact=contact):
                return HttpResponseRedirect(reverse("admin:crm_contact_change", args=[contact.pk]))
    context = site.each_context(request) | {
        "title": f"Note about {contact}",
        "opts": Contact._meta,
        "contact": contact,
        "note": form,
    }
    return TemplateResponse(request, "admin/crm/contact/note.html", context)
