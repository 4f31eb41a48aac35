"""Invoices."""

from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import now

from crm.choices import InvoiceStatus
from crm.constraints import one_of
from crm.db.audit import Audit
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel
from crm.models.contacts import Contact
from crm.querysets import UNPAID, InvoiceQuerySet


class Invoice(TenantModel):
    """Money that a company asks a contact to pay, in the company's currency."""

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="invoices", db_index=False)
    number = models.CharField(max_length=50, help_text="As printed on the invoice. Unique within the company.")
    amount = models.DecimalField(max_digits=12, decimal_places=2, validators=[MinValueValidator(0)])
    status = models.CharField(max_length=20, choices=InvoiceStatus.choices, default=InvoiceStatus.DRAFT)

    due_date = models.DateField()
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    objects: ClassVar = TenantManager.from_queryset(InvoiceQuerySet)()
    audit = Audit(skips=("updated_at",))
    feed = Feed("invoices")

    class Meta:
        db_table = "invoices"
        constraints = [
            one_of("status", InvoiceStatus, name="invoices_status_valid"),
            models.CheckConstraint(
                condition=Q(amount__gte=0),
                name="invoices_amount_not_negative",
                violation_error_message="amount can't be negative.",
            ),
            models.UniqueConstraint(
                fields=["company", "number"],
                name="invoices_company_id_number_unique",
                violation_error_message="Another invoice has this number.",
            ),
        ]
        indexes = [
            Index(
                fields=["status", "due_date"],
                name="idx_invoice_status_due",
                question="Which invoices of one status are due first, over all companies?",
                asked_by="manage.py work; admin: invoices filtered by status and due date",
            ),
            Index(
                fields=["due_date"],
                condition=Q(status__in=UNPAID),
                name="ix_invoices_due_date_unpaid",
                question="Which invoices are to be paid, over all companies, the longest due first?",
                asked_by="admin: invoices",
            ),
            Index(
                fields=["company", "due_date"],
                name="ix_invoices_company_id_due_date",
                question="Which of a company's invoices are due first?",
                asked_by="GET /api/v1/invoices?order=due",
            ),
            Index(
                fields=["contact"],
                name="ix_invoices_contact_id",
                question="Which invoices does this contact have?",
                asked_by="GET /api/v1/invoices?contact=; deleting a contact",
            ),
            Index(
                fields=["company", "created_at"],
                name="ix_invoices_company_id_created_at",
                question="A company's invoices, newest first, from any page on?",
                asked_by="GET /api/v1/invoices",
            ),
        ]

    def __str__(self) -> str:
        return self.number
