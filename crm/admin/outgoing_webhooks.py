"""Admin for outgoing webhooks and their events."""

from typing import cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from crm.admin.base.columns import badge, excerpt, moment
from crm.admin.base.model_admin import ReadOnlyAdmin
from crm.choices import OutgoingStatus
from crm.db.tenancy import tenant
from crm.models import OutgoingEvent, OutgoingWebhook, User
from crm.refusals import Refusal
from crm.services.outgoing_webhooks.requests import REPLAY_EVENTS, replay_event

COLORS = {OutgoingStatus.SENT: "good", OutgoingStatus.DEAD: "bad"}


@admin.register(OutgoingWebhook)
class OutgoingWebhookAdmin(ReadOnlyAdmin):
    """Managers set webhooks up by the API, since only they may see the secrets."""

    list_display = ("name", "url", "is_active", "company", moment("failing_since"), "disabled_reason")
    list_select_related = ("company",)
    list_filter = ("is_active", "company")
    fields = (
        "company", "name", "url", "resources", "is_active", "disabled_reason", "failing_since", "failures", "next_at",
        "old_secret_until", "api_token", "created_by", "created_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutgoingWebhook]:
        return super().get_queryset(request).defer("secret", "old_secret")  # their keys may be missing


@admin.register(OutgoingEvent)
class OutgoingEventAdmin(ReadOnlyAdmin):
    actions = ("replay",)
    in_background = {"replay": REPLAY_EVENTS.name}
    list_display = (
        moment("created_at"),
        "resource",
        "object_id",
        "change",
        badge("status", lambda status: COLORS.get(OutgoingStatus(status), "waiting")),
        "tries",
        excerpt("error"),
        "webhook",
        "company",
    )
    list_select_related = ("webhook", "company")
    list_filter = ("status", "company")
    fields = (
        "company", "webhook", "event_id", "resource", "object_id", "change", "occurred_at", "status", "tries",
        "answer_status", "error", "run_at", "give_up_at", "created_at", "sent_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutgoingEvent]:
        return super().get_queryset(request).defer("webhook__secret", "webhook__old_secret")

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Allow replays with the change permission, although the event itself can't be changed."""
        return request.user.has_perm("crm.change_outgoingevent")

    @admin.action(description="Send again", permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[OutgoingEvent]) -> None:
        for event in queryset:
            try:
                with tenant(event.company_id):
                    replay_event(event=event, user=cast(User, request.user))
                self.message_user(request, f"{event}: it is sent again within seconds, if a worker runs.")
            except Refusal as refusal:
                self.message_user(request, f"{event}: {refusal}", messages.ERROR)
