"""`invoices`."""

import django_filters

from crm.api.base.filters import ContactFilterSet
from crm.api.base.serializers import TenantSerializer
from crm.api.base.views import FullViewSet
from crm.api.companions import ContactSummaryField
from crm.choices import InvoiceStatus
from crm.models import Invoice


class InvoiceSerializer(TenantSerializer):
    contact_summary = ContactSummaryField()

    class Meta:
        model = Invoice
        fields = [
            "id", "contact", "contact_summary", "number", "amount", "status", "due_date", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["created_at", "updated_at"]


class InvoiceFilterSet(ContactFilterSet):
    status = django_filters.ChoiceFilter(choices=InvoiceStatus.choices)


class InvoiceViewSet(FullViewSet):
    """Invoices, in the company's currency."""

    resource = "invoices"
    model = Invoice
    serializer_class = InvoiceSerializer
    filterset_class = InvoiceFilterSet
