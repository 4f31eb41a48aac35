"""Admin for marketing consents."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, Q
from django.http import HttpRequest

from crm.admin.base.columns import badge, excerpt, moment
from crm.admin.base.forms import RowForm
from crm.admin.base.model_admin import RowAdmin
from crm.admin.base.search import ExactSearch
from crm.db.tenancy import tenant
from crm.models import Company, MarketingConsent
from crm.phones import InvalidPhone, normalize_phone
from crm.services.consents import NotValid, withdraw_consent


class WithdrawalForm(RowForm):
    withdraw = forms.BooleanField(
        required=False, label="Withdraw", help_text="The person wants no marketing messages, but may get others."
    )


@admin.register(MarketingConsent)
class MarketingConsentAdmin(ExactSearch, RowAdmin):
    """Read-only evidence, except for the withdrawal of a valid consent."""

    form = WithdrawalForm
    list_display = (
        moment("created_at"), "phone", badge("source"), excerpt("wording"), moment("given_at"), moment("withdrawn_at"),
        "company",
    )  # fmt: skip
    list_select_related = ("company",)
    list_filter = ("created_at", "company")
    search_contact = ""
    search_help_text = "A phone number, in any format, or # and the row's ID, such as #12."
    readonly_fields = (
        "company", "phone", "source", "wording", "proof", "given_at", "withdrawn_at", "recorded_by", "created_at",
    )  # fmt: skip

    def get_match(self, term: str) -> Q:
        match = super().get_match(term)
        try:
            phone = normalize_phone(term)
        except InvalidPhone:
            return match
        # As in find_contacts(): the index begins with the company, and ids are passed as values.
        numbered = MarketingConsent.objects.filter(company__in=Company.objects.all(), phone=phone)
        return match | Q(pk__in=list(numbered.values_list("pk", flat=True)))

    def get_fields(self, request: HttpRequest, obj: MarketingConsent | None = None) -> Any:
        withdrawal = ("withdraw",) if self.has_change_permission(request, obj) else ()
        return (*self.readonly_fields, *withdrawal)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: MarketingConsent | None = None) -> bool:
        is_valid = obj is None or obj.withdrawn_at is None
        return is_valid and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: MarketingConsent, form: forms.ModelForm, change: bool) -> None:
        if not form.cleaned_data["withdraw"]:
            return
        try:
            with tenant(obj.company_id):
                withdraw_consent(consent=obj)
        except NotValid as error:
            self.message_user(request, str(error), level="warning")
