"""Admin for messages, webhook events and provider credentials."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from crm.admin.base.columns import badge, excerpt, moment, pretty_json
from crm.admin.base.forms import RowForm
from crm.admin.base.model_admin import ReadOnlyAdmin, RowAdmin
from crm.admin.base.search import ExactSearch
from crm.admin.base.served import fixed_columns
from crm.models import User
from messaging.admin.event_page import EventPage, process_events_again
from messaging.admin.message_filters import TIME, HeldFilter, LostFilter, MessageDays, StateFilter
from messaging.admin.message_page import MessagePage, decide_held
from messaging.models import Message, ProviderAccount, ProviderHealth, WebhookEvent, WebhookSecret
from messaging.providers.errors import InvalidSecret
from messaging.providers.registry import ACCOUNT_ID_HELP, KEY_HELP, PROVIDERS
from messaging.services.inbound.webhook_processing import PROCESS_AGAIN
from messaging.services.outbound.held_decisions import CANCEL_MESSAGES, RELEASE_MESSAGES


@admin.register(Message)
class MessageAdmin(MessagePage, ExactSearch, ReadOnlyAdmin):
    actions = ("release", "cancel")
    in_background = {"release": RELEASE_MESSAGES.name, "cancel": CANCEL_MESSAGES.name}
    list_display = (
        moment("created_at"),
        "direction",
        "contact",
        excerpt("body"),
        badge("status"),
        excerpt("error"),
        "company",
    )
    list_select_related = ("contact", "company")
    list_filter = (HeldFilter, LostFilter, StateFilter, (TIME, MessageDays), "direction", "company", "contact")
    search_help_text = "The contact's name or phone number, or # and the message's ID, such as #12."
    fieldsets = (
        (None, {"fields": ("company", "contact", "phone_line", "direction", "status", "body")}),
        ("Sending", {"fields": ("kind", "membership", "error", "error_code", "tries", "run_at", "sent_at")}),
        ("Evidence", {"fields": ("activity", "from_number", "to_numbers", "media", "created_at", "read_at")}),
    )

    def get_ordering(self, request: HttpRequest) -> Any:
        """Order a company's messages by their activities, which have an index for it."""
        fixed = fixed_columns(request)
        return (f"-{TIME}",) if "company" in fixed and "contact" not in fixed else super().get_ordering(request)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Allow decisions about held messages with the change permission, although a message can't be changed."""
        return request.user.has_perm("messaging.change_message")

    @admin.action(description="Release: send held messages", permissions=["decide"])
    def release(self, request: HttpRequest, queryset: Any) -> None:
        count = self._decide(request, queryset, "_release")
        self.message_user(request, f"Queued for sending: {count}. Others weren't held.")

    @admin.action(description="Cancel held messages", permissions=["decide"])
    def cancel(self, request: HttpRequest, queryset: Any) -> None:
        count = self._decide(request, queryset, "_cancel")
        self.message_user(request, f"Cancelled: {count}. Others weren't held.")

    def _decide(self, request: HttpRequest, queryset: Any, name: str) -> int:
        return sum(decide_held(message, name, cast(User, request.user)) for message in queryset)


class StatusFilter(admin.ChoicesFieldListFilter):
    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet | None:
        if self.lookup_val:
            queryset = queryset.with_status(*self.lookup_val)
        return super().queryset(request, queryset)


@admin.register(WebhookEvent)
class WebhookEventAdmin(EventPage, ExactSearch, ReadOnlyAdmin):
    list_display = (
        moment("created_at"),
        "event_type",
        badge("status"),
        excerpt("error"),
        "provider",
        "company",
    )
    list_select_related = ("company",)
    list_filter = (("status", StatusFilter), "created_at", "company")
    actions = ("process_again",)
    in_background = {"process_again": PROCESS_AGAIN.name}
    search_text_fields = ("event_id",)
    search_contact = ""
    search_plain_ids = True
    search_help_text = "The provider's event ID, or the ID of this row."
    fieldsets = (
        (None, {"fields": ("company", "provider", "event_type", "event_id", "status", "processed", "error")}),
        ("Processing", {"fields": ("tries", "created_at", "run_at", "processed_at")}),
        ("Raw request", {"fields": ("body_as_sent", "headers_as_sent")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("body", "headers")  # the bodies of one page may be 500 MB

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Allow reprocessing with the change permission, although the event itself can't be changed."""
        return request.user.has_perm("messaging.change_webhookevent")

    @admin.action(description="Process again", permissions=["replay"])
    def process_again(self, request: HttpRequest, queryset: Any) -> None:
        count = process_events_again(queryset, cast(User, request.user))
        self.message_user(request, f"Queued for processing: {count}. Events already pending were left unchanged.")

    @admin.display(description="body")
    def body_as_sent(self, event: WebhookEvent) -> SafeString:
        return pretty_json(bytes(event.body))

    @admin.display(description="headers")
    def headers_as_sent(self, event: WebhookEvent) -> SafeString:
        return pretty_json(event.headers)


class WebhookSecretForm(RowForm):
    # Never sent back to the browser, even if another field has an error.
    secret = forms.CharField(
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="As shown by the provider. It isn't shown again.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.keys() >= {"provider", "secret"}:
            try:
                PROVIDERS[cleaned["provider"]].signature.check_secret(cleaned["secret"])
            except InvalidSecret as error:
                self.add_error("secret", str(error))
        return cleaned


@admin.register(WebhookSecret)
class WebhookSecretAdmin(RowAdmin):
    """Admin that adds and deletes secrets, but never shows or changes one."""

    form = WebhookSecretForm
    list_display = ("__str__", "company", "provider", moment("created_at"))
    list_select_related = ("company",)
    list_filter = ("provider", "company")
    autocomplete_fields = ("company",)

    def get_fields(self, request: HttpRequest, obj: WebhookSecret | None = None) -> Any:
        return ("company", "provider", "secret") if obj is None else ("company", "provider", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("secret")  # its encryption key may be lost

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ProviderAccountForm(RowForm):
    account_id = forms.CharField(max_length=100, required=False, label="Account ID", help_text=f"{ACCOUNT_ID_HELP}.")
    # Never sent back to the browser, even if another field has an error.
    api_key = forms.CharField(
        max_length=200,
        required=False,
        label="API key",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=f"{KEY_HELP}. It isn't shown again. Leave empty to keep the present key.",
    )

    class Meta:
        exclude = ("api_key",)  # the stored key isn't read: its encryption key may be lost

    def clean_api_key(self) -> str:
        key: str = self.cleaned_data["api_key"].strip()
        if key:
            self.instance.api_key = key
        elif self.instance.pk is None:
            raise forms.ValidationError("An API key is required.")
        return key


@admin.register(ProviderAccount)
class ProviderAccountAdmin(RowAdmin):
    """Admin that replaces keys, but never shows one."""

    form = ProviderAccountForm
    fields = ("company", "provider", "account_id", "api_key")
    list_display = ("__str__", "company", "provider", "account_id", moment("created_at"))
    list_select_related = ("company",)
    list_filter = ("provider", "company")
    autocomplete_fields = ("company",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("api_key")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "provider") if obj else ()


@admin.register(ProviderHealth)
class ProviderHealthAdmin(ReadOnlyAdmin):
    list_display = (
        "provider",
        moment("down_since"),
        "unreachable",
        "unknown",
        "rate_limited",
        "suspended",
        "rejected",
    )
    fields = (
        "provider",
        "down_since",
        "failed_in_row",
        "events_processed",
        "events_ignored",
        "events_dead",
        "unreachable",
        "unknown",
        "rate_limited",
        "suspended",
        "rejected",
    )
