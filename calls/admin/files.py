"""The files that people have put on a contact or an appointment: staff look at them, add and remove them."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse

from calls.models import Appointment, Attachment
from calls.services.attachments.uploads import MAX_UPLOAD, remove_upload, upload_file
from crm.db.tenancy import tenant
from crm.form_fields import is_id
from crm.models import Contact, User
from crm.refusals import Refusal

Owner = Contact | Appointment
SHOWN = 6  # on the page of an appointment


class UploadForm(forms.Form):
    file = forms.FileField(
        label="Photo or document",
        help_text=f"A picture, a sound, a video, a PDF or a contact card of up to {MAX_UPLOAD // 1024**2} MiB.",
        error_messages={"required": "Choose a file first."},
    )


def name_of(owner: Owner) -> str:
    """Return `contact` or `appointment`: the column of attachments, and the end of the page's name."""
    return str(owner._meta.model_name)


def latest_files(request: HttpRequest, appointment: Appointment) -> dict[str, Any]:
    """Return what the page of an appointment needs to show its latest files, to those who may see them."""
    if not request.user.has_perm("calls.view_attachment"):
        return {}
    files = Attachment.objects.filter(appointment=appointment).select_related("file")
    return {
        "files": files.order_by("-created_at", "-pk")[:SHOWN],
        "files_url": reverse("admin:calls_attachment_appointment", args=[appointment.pk]),
        "may_change_files": request.user.has_perm("calls.change_attachment"),
    }


def files_page(site: admin.AdminSite, request: HttpRequest, model: type[Owner], owner_id: int) -> HttpResponse:
    """Show all files of a contact or an appointment, and add or remove one."""
    if not request.user.has_perm("calls.view_attachment"):
        raise PermissionDenied
    rows: Any = model._base_manager
    owner: Owner = get_object_or_404(rows.select_related("company"), pk=owner_id)
    may_change = request.user.has_perm("calls.change_attachment")
    form = UploadForm()
    if request.method == "POST":
        if not may_change:
            raise PermissionDenied
        form = UploadForm(request.POST, request.FILES)
        with tenant(owner.company_id):
            done = _remove(request, owner) if "_remove" in request.POST else _add(request, owner, form)
        if done:
            return HttpResponseRedirect(request.path)
    files = Attachment.objects.filter(**{name_of(owner): owner}).select_related("file", "created_by")
    context = site.each_context(request) | {
        "title": f"Files on {owner}",
        "opts": owner._meta,
        "owner": owner,
        "owner_url": reverse(f"admin:{owner._meta.label_lower.replace('.', '_')}_change", args=[owner.pk]),
        "files": files.order_by("-created_at", "-pk"),
        "may_change": may_change,
        "form": form,
    }
    return TemplateResponse(request, "admin/calls/attachment/files.html", context)


def _add(request: HttpRequest, owner: Owner, form: UploadForm) -> bool:
    if not form.is_valid():
        return False
    owned: dict[str, Any] = {name_of(owner): owner}
    try:
        upload_file(upload=form.cleaned_data["file"], user=cast(User, request.user), **owned)
    except Refusal as refusal:
        form.add_error("file", str(refusal))
        return False
    messages.success(request, "The file was added.")
    return True


def _remove(request: HttpRequest, owner: Owner) -> bool:
    """Remove the chosen file. One that a colleague has removed meanwhile is gone already."""
    chosen = request.POST["_remove"]
    found = Attachment.objects.filter(**{name_of(owner): owner})
    attachment = found.select_for_update(of=("self",)).filter(pk=chosen).first() if is_id(chosen) else None
    if attachment is not None:
        remove_upload(attachment=attachment, user=cast(User, request.user))
    messages.success(request, "The file was removed.")
    return True
