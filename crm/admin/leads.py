"""Admin for leads."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from crm.admin.base.columns import badge, moment, show_local, show_money
from crm.admin.base.forms import RowForm
from crm.admin.base.model_admin import RowAdmin
from crm.admin.base.search import ExactSearch
from crm.choices import LeadStatus
from crm.models import Lead
from crm.services.leads import read_stages


class LeadForm(RowForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "value" in self.fields:
            company = self.instance.company if self.instance.company_id else None
            currency = company.currency if company else "the currency of the company"
            self.fields["value"].help_text = f"What the sale is worth, in {currency}."


class PoolFilter(admin.SimpleListFilter):
    """Leads that nobody works on."""

    title, parameter_name = "pool", "pool"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "In the pool")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet | None:
        return queryset.pool() if self.value() == "yes" else None


class LeadAdmin(ExactSearch, RowAdmin):
    """The form of leads. A higher app registers it with their conversion."""

    form = LeadForm
    list_display = (
        moment("created_at"), "contact", badge("status"), "source", "value_with_currency", "assignee", "company",
        moment("updated_at"),
    )  # fmt: skip
    list_select_related = ("contact", "assignee", "company")
    list_filter = (PoolFilter, "status", "created_at", "company", "contact", "assignee")
    search_help_text = "The contact's name or phone number, or # and the lead's ID, such as #12."
    autocomplete_fields = ("company", "contact", "assignee")
    fields = (
        "related_rows", "company", "contact", "status", "source", "value", "assignee", "notes", "stages", "created_at",
        "updated_at",
    )  # fmt: skip
    readonly_fields = ("related_rows", "stages", "created_at", "updated_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Make the contact read-only: the lead's calls and appointments are of the same contact."""
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "contact") if obj else fields

    @admin.display(description="value")
    def value_with_currency(self, lead: Lead) -> str:
        return show_money(lead.value, lead.company.currency)

    @admin.display(description="stages")
    def stages(self, lead: Lead) -> str:
        rows = (
            (stage.status, LeadStatus(stage.status).label, show_local(stage.at, lead.company.zone), stage.user_name)
            for stage in read_stages(lead=lead)
        )
        return format_html(
            "<ol>{}</ol>", format_html_join("", '<li><span class="badge badge-{}">{}</span> {} {}</li>', rows)
        )
