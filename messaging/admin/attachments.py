"""Admin for attachments, with another attempt to fetch them."""

from typing import cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from calls.admin.attachments import AttachmentAdmin
from calls.choices import AttachmentStatus
from calls.models import Attachment
from crm.db.tenancy import tenant
from crm.models import User
from crm.services.audited_actions import record_staff_action
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
        changes = {"status": (AttachmentStatus.FAILED.value, AttachmentStatus.PENDING.value)}
        for attachment in queryset:
            with tenant(attachment.company_id):
                if fetch_again(attachment):
                    again += 1
                    record_staff_action(
                        user=cast(User, request.user), table="attachments", row_id=attachment.pk, changes=changes
                    )
        self.message_user(request, f"{again} failed files are fetched again within a minute, if a worker runs.")
