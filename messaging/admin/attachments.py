"""Admin for attachments, with another attempt to fetch them."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from calls.admin.attachments import AttachmentAdmin
from calls.models import Attachment
from crm.db.tenancy import tenant
from messaging.services.attachments import fetch_again


@admin.register(Attachment)
class FetchedAttachmentAdmin(AttachmentAdmin):
    actions = ("fetch_again",)

    def has_fetch_permission(self, request: HttpRequest) -> bool:
        """Allow it with the change permission, although the attachment itself can't be changed."""
        return request.user.has_perm("calls.change_attachment")

    @admin.action(description="Fetch again", permissions=["fetch"])
    def fetch_again(self, request: HttpRequest, queryset: QuerySet[Attachment]) -> None:
        again = 0
        for attachment in queryset:
            with tenant(attachment.company_id):
                again += fetch_again(attachment)
        self.message_user(request, f"{again} failed files are fetched again within a minute, if a worker runs.")
