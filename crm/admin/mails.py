"""Admin for mails."""

from typing import Any, cast

from django.contrib import admin, messages
from django.http import HttpRequest

from crm.admin.base.columns import badge, excerpt, moment
from crm.admin.base.model_admin import ReadOnlyAdmin
from crm.choices import MailState
from crm.db.tenancy import tenant
from crm.models import Mail, User
from crm.services.audited_actions import record_staff_action
from crm.services.mails import try_again

COLORS = {MailState.SENT: "good", MailState.FAILED: "bad", MailState.SKIPPED: "plain"}


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    actions = ("send_again",)
    list_display = (
        moment("created_at"),
        "kind",
        "user",
        "address",
        badge("state", lambda state: COLORS.get(MailState(state), "waiting")),
        "attempts",
        excerpt("error"),
        moment("ended_at"),
    )
    list_select_related = ("user",)
    list_filter = ("state", "kind")
    fields = ("kind", "user", "address", "state", "attempts", "run_at", "error", "created_at", "ended_at")

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Allow sending again with the change permission, although a mail can't be changed."""
        return request.user.has_perm("crm.change_mail")

    @admin.action(description="Send failed ones again", permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: Any) -> None:
        for mail in queryset:
            if try_again(mail=mail):
                _record(mail, cast(User, request.user))
                self.message_user(request, f"{mail} is queued again.")
            else:
                self.message_user(request, f"{mail} hasn't failed.", messages.WARNING)


def _record(mail: Mail, user: User) -> None:
    """Record who sends a company's mail again. Mails to staff, and to strangers, belong to no company."""
    if mail.user and mail.user.company_id:
        with tenant(mail.user.company_id):
            changes = {"state": (MailState.FAILED.value, MailState.QUEUED.value)}
            record_staff_action(user=user, table="mails", row_id=mail.pk, changes=changes)
