"""Admin for invoices."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from crm.admin.base.columns import badge, show_money
from crm.admin.base.forms import RowForm
from crm.admin.base.model_admin import RowAdmin
from crm.admin.base.range_filters import CalendarFilter
from crm.admin.base.search import ExactSearch
from crm.admin.base.served import fixed_columns
from crm.admin.base.work_filters import WorkFilter
from crm.models import Company, Invoice
from crm.services.invoices import status_after_move


class InvoiceForm(RowForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "amount" in self.fields:
            company = self.instance.company if self.instance.company_id else None
            self.fields["amount"].help_text = f"In {company.currency if company else 'the currency of the company'}."


class UnpaidFilter(WorkFilter):
    """Invoices that were sent and aren't paid: the one that is due for the longest time first."""

    title = "payment"
    label = "To be paid"
    order = "due_date"

    def waiting(self, rows: Any) -> QuerySet:
        return cast(QuerySet, rows.unpaid())


@admin.register(Invoice)
class InvoiceAdmin(ExactSearch, RowAdmin):
    form = InvoiceForm
    list_display = ("number", "contact", "amount_with_currency", badge("status"), "due_date", "company")
    list_select_related = ("contact", "company")
    list_filter = (UnpaidFilter, "status", ("due_date", CalendarFilter), "company", "contact")
    search_help_text = "The invoice's number, the contact's name or phone number, or # and the ID, such as #12."
    autocomplete_fields = ("company", "contact")
    fields = ("company", "contact", "number", "amount", "status", "due_date", "created_at", "updated_at")
    readonly_fields = ("created_at", "updated_at")

    def get_ordering(self, request: HttpRequest) -> Any:
        """Begin with what is due first among invoices of one status, which an index has in this order."""
        of_status = "status" in fixed_columns(request)
        return ("due_date",) if of_status and not self._order_of_days(request) else super().get_ordering(request)

    def get_match(self, term: str) -> Q:
        # As in find_contacts(): the index begins with the company, and ids are passed as values.
        numbered = Invoice.objects.filter(company__in=Company.objects.all(), number=term)
        return super().get_match(term) | Q(pk__in=list(numbered.values_list("pk", flat=True)))

    def save_model(self, request: HttpRequest, obj: Invoice, form: forms.ModelForm, change: bool) -> None:
        if change and "due_date" in form.changed_data and "status" not in form.changed_data:
            obj.status = status_after_move(obj)
        super().save_model(request, obj, form, change)

    @admin.display(description="amount")
    def amount_with_currency(self, invoice: Invoice) -> str:
        return show_money(invoice.amount, invoice.company.currency)
