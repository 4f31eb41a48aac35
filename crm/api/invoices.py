"""`invoices`."""

from typing import Any

from crm.api.base.filters import ChoicesFilter, ContactFilterSet, DayFilter
from crm.api.base.pagination import orders_by
from crm.api.base.serializers import TenantSerializer
from crm.api.base.views import FullViewSet
from crm.api.companions import ContactSummaryField
from crm.choices import InvoiceStatus
from crm.models import Invoice
from crm.services.invoices import change_invoice


class InvoiceSerializer(TenantSerializer):
    contact_summary = ContactSummaryField()

    class Meta:
        model = Invoice
        fields = [
            "id", "contact", "contact_summary", "number", "amount", "status", "due_date", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["created_at", "updated_at"]
        extra_kwargs = {
            "amount": {"help_text": "Amount in the company's currency."},
            "due_date": {"help_text": "Last day for paying."},
            "status": {
                "help_text": "A sent or partly paid invoice becomes `overdue` in the night after its due date. With a "
                "later due date it gets its former status back."
            },
        }

    def update(self, instance: Invoice, validated_data: dict[str, Any]) -> Invoice:
        return change_invoice(invoice=instance, **validated_data)


class InvoiceFilterSet(ContactFilterSet):
    status = ChoicesFilter(choices=InvoiceStatus.choices)
    due_from = DayFilter(field_name="due_date", lookup_expr="gte", label="First due date.")
    due_until = DayFilter(field_name="due_date", lookup_expr="lte", label="Last due date, included.")


class InvoiceViewSet(FullViewSet):
    """Invoices, in the company's currency."""

    resource = "invoices"
    model = Invoice
    serializer_class = InvoiceSerializer
    filterset_class = InvoiceFilterSet
    orders = orders_by(due=("due_date", "id"))
