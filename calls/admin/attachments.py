"""Admin for attachments, and the view that opens their files."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.timezone import now

from calls.admin.files import files_page
from calls.choices import AttachmentStatus
from calls.models import Appointment, Attachment
from calls.models.attachments import SHOWN_AS_FAILED
from calls.services.attachments.links import make_link
from crm.admin.base.columns import badge, excerpt, moment
from crm.admin.base.model_admin import ReadOnlyAdmin
from crm.models import Contact

COLORS = {AttachmentStatus.STORED: "good", AttachmentStatus.FAILED: "bad"}


def open_url(attachment: Attachment) -> str:
    """Return the URL of a page for signed-in staff that leads to the file. Unlike the file's link, it doesn't end."""
    return reverse("admin:calls_attachment_file", args=[attachment.pk])


class FailedFilter(admin.SimpleListFilter):
    """Files that could not be fetched lately, which have an index."""

    title = "fetching"
    parameter_name = "failed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("week", "Not fetched, last 7 days")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet:
        return queryset.failed_since(now() - SHOWN_AS_FAILED) if self.value() == "week" else queryset


class AttachmentAdmin(ReadOnlyAdmin):
    """The table of attachments. A higher app registers it, which can fetch them again."""

    list_display = (
        moment("created_at"),
        "kind",
        badge("status", lambda status: COLORS.get(AttachmentStatus(status), "waiting")),
        "open",
        excerpt("error"),
        "tries",
        "company",
    )
    list_select_related = ("company", "file")
    list_filter = (FailedFilter, "status", "kind", "company")
    fields = (
        "company", "kind", "status", "open", "error", "tries", "run_at", "contact", "activity", "call", "appointment",
        "provider", "source_url", "file", "created_by", "created_at", "updated_at",
    )  # fmt: skip

    @admin.display(description="file")
    def open(self, attachment: Attachment) -> str:
        file = attachment.file
        if file is None:
            return ""
        return format_html('<a href="{}">{}</a>', open_url(attachment), file.name)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "open")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:attachment_id>/file", view(self.open_file), name="calls_attachment_file"),
            path("contact/<int:owner_id>", view(self.contact_files), name="calls_attachment_contact"),
            path("appointment/<int:owner_id>", view(self.appointment_files), name="calls_attachment_appointment"),
            *super().get_urls(),
        ]

    def contact_files(self, request: HttpRequest, owner_id: int) -> HttpResponse:
        return files_page(self.admin_site, request, Contact, owner_id)

    def appointment_files(self, request: HttpRequest, owner_id: int) -> HttpResponse:
        return files_page(self.admin_site, request, Appointment, owner_id)

    def open_file(self, request: HttpRequest, attachment_id: int) -> HttpResponse:
        """Redirect to the file, for staff who may see attachments."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        stored: QuerySet[Attachment] = Attachment.objects.filter(status=AttachmentStatus.STORED)
        return HttpResponseRedirect(make_link(get_object_or_404(stored, pk=attachment_id)).path)
