"""What staff see of texts and deliveries."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from crm.admin.base.columns import badge, excerpt, moment, pretty_json
from crm.admin.base.forms import RowForm
from crm.admin.base.model_admin import Card, ReadOnlyAdmin, RowAdmin
from crm.admin.base.pagination import format_count
from crm.admin.base.search import ExactSearch
from messaging.choices import EventStatus
from messaging.models import Message, ProviderAccount, WebhookEvent, WebhookSecret
from messaging.providers.signatures import InvalidSecret
from messaging.providers.webhook_adapters import ADAPTERS
from messaging.services.inbound.reprocessing import reprocess_webhook_events

MAX_COUNTED = 10_000


@admin.register(Message)
class MessageAdmin(ExactSearch, ReadOnlyAdmin):
    list_display = (moment("created_at"), "direction", "contact", excerpt("body"), badge("status"), "company")
    list_select_related = ("contact", "company")
    list_filter = ("direction",)
    search_help_text = "The contact's phone number, in any spelling, or the message's id."
    fieldsets = (
        (None, {"fields": ("company", "contact", "phone_line", "direction", "status", "body")}),
        ("On its way", {"fields": ("kind", "membership", "error", "error_code", "tries", "run_at")}),
        ("Evidence", {"fields": ("activity", "from_number", "to_numbers", "media", "created_at", "read_at")}),
    )


class StatusFilter(admin.ChoicesFieldListFilter):
    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet | None:
        if self.lookup_val:
            queryset = queryset.with_status(*self.lookup_val)
        return super().queryset(request, queryset)


@admin.register(WebhookEvent)
class WebhookEventAdmin(ExactSearch, ReadOnlyAdmin):
    list_display = (
        moment("created_at"),
        "event_type",
        badge("status"),
        excerpt("error"),
        "provider",
        "company",
    )
    list_select_related = ("company",)
    list_filter = (("status", StatusFilter), "company")
    actions = ("process_again",)
    search_text_fields = ("event_id",)
    search_contact = ""
    search_help_text = "The provider's id of the event, or ours of the delivery."
    fieldsets = (
        (None, {"fields": ("company", "provider", "event_type", "event_id", "status", "processed", "error")}),
        ("Work", {"fields": ("tries", "created_at", "run_at", "processed_at")}),
        ("As it came", {"fields": ("body_as_sent", "headers_as_sent")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("body", "headers")  # a page of bodies may be 500 MB

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """What was delivered is never changed; whether it is dealt with again is a matter of who may change at all."""
        return request.user.has_perm("messaging.change_webhookevent")

    @admin.action(description="Process again", permissions=["replay"])
    def process_again(self, request: HttpRequest, queryset: Any) -> None:
        count = reprocess_webhook_events(events=WebhookEvent.objects.filter(pk__in=queryset.values("pk")))
        self.message_user(request, f"Deliveries waiting for a worker again: {count}. Those that waited already stay.")

    @admin.display(description="body")
    def body_as_sent(self, event: WebhookEvent) -> SafeString:
        return pretty_json(bytes(event.body))

    @admin.display(description="headers")
    def headers_as_sent(self, event: WebhookEvent) -> SafeString:
        return pretty_json(event.headers)

    def get_cards(self) -> list[Card]:
        url = reverse("admin:messaging_webhookevent_changelist") + "?status__exact="
        waiting = WebhookEvent.objects.waiting()
        oldest = waiting.values_list("created_at", flat=True).first()
        dead = WebhookEvent.objects.filter(processed=False, status=EventStatus.DEAD)
        return [
            Card(
                "Deliveries waiting",
                format_count(waiting, most=MAX_COUNTED),
                f"the oldest for {timesince(oldest, depth=1)}" if oldest else "all worked on",
                url + EventStatus.PENDING,
            ),
            Card(
                "Deliveries dead",
                format_count(dead, most=MAX_COUNTED),
                "wait for a person",
                url + EventStatus.DEAD,
                urgent=dead.exists(),
            ),
        ]


class WebhookSecretForm(RowForm):
    # Never sent back to the browser, not even in a form with an error elsewhere.
    secret = forms.CharField(
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="As the provider shows it. It is not shown again.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.keys() >= {"provider", "secret"}:
            try:
                ADAPTERS[cleaned["provider"]].check_secret(cleaned["secret"])
            except InvalidSecret as error:
                self.add_error("secret", str(error))
        return cleaned


@admin.register(WebhookSecret)
class WebhookSecretAdmin(RowAdmin):
    """Added and removed, never changed, and never shown."""

    form = WebhookSecretForm
    list_display = ("__str__", "company", "provider", moment("created_at"))
    list_select_related = ("company",)
    list_filter = ("provider", "company")
    autocomplete_fields = ("company",)

    def get_fields(self, request: HttpRequest, obj: WebhookSecret | None = None) -> Any:
        return ("company", "provider", "secret") if obj is None else ("company", "provider", "created_at")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ProviderAccountForm(RowForm):
    # Never sent back to the browser, not even in a form with an error elsewhere.
    api_key = forms.CharField(
        max_length=200,
        required=False,
        label="API key",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Twilio's auth token. It is not shown again; left empty, the one that is set stays.",
    )

    def clean_api_key(self) -> str:
        key = self.cleaned_data["api_key"].strip() or self.instance.api_key
        if not key:
            raise forms.ValidationError("The account needs its key.")
        return key


@admin.register(ProviderAccount)
class ProviderAccountAdmin(RowAdmin):
    """The key is set anew, and never shown."""

    form = ProviderAccountForm
    fields = ("company", "provider", "account_id", "api_key")
    list_display = ("__str__", "company", "provider", "account_id", moment("created_at"))
    list_select_related = ("company",)
    list_filter = ("provider", "company")
    autocomplete_fields = ("company",)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "provider") if obj else ()
