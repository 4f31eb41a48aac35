"""Leads."""

from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import now

from crm.choices import POOL_STATUSES, LeadStatus
from crm.constraints import one_of
from crm.db.audit import Audit
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel
from crm.models.companies import User
from crm.models.contacts import Contact
from crm.querysets import LeadQuerySet


class Lead(TenantModel):
    """A contact's wish to buy. Created by a user, a booking or an analysis, never by a webhook event alone.

    Its stages are the changes of its status in the audit: see `crm.services.leads.read_stages`.
    """

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="leads", db_index=False)
    status = models.CharField(max_length=20, choices=LeadStatus.choices, default=LeadStatus.NEW)
    source = models.CharField(max_length=100, blank=True)
    value = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)],
        help_text="What the sale is worth, in the company's currency. Empty: unknown.",
    )  # fmt: skip
    assignee = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False,
        help_text="Who works on it. Empty: nobody.",
    )  # fmt: skip
    notes = models.TextField(blank=True)

    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    objects: ClassVar = TenantManager.from_queryset(LeadQuerySet)()
    audit = Audit(skips=("updated_at",))
    feed = Feed("leads", contact="contact_id")

    class Meta:
        db_table = "leads"
        constraints = [
            one_of("status", LeadStatus, name="leads_status_valid"),
            models.CheckConstraint(
                condition=Q(value__isnull=True) | Q(value__gte=0),
                name="leads_value_not_negative",
                violation_error_message="value can't be negative.",
            ),
        ]
        indexes = [
            Index(
                fields=["contact"],
                name="ix_leads_contact_id",
                question="Which leads does this contact have?",
                asked_by="GET /api/v1/leads?contact=; deleting a contact",
            ),
            Index(
                fields=["company", "created_at"],
                name="ix_leads_company_id_created_at",
                question="A company's leads, newest first, from any page on?",
                asked_by="GET /api/v1/leads",
            ),
            Index(
                fields=["company", "created_at"],
                condition=Q(assignee__isnull=True, status__in=POOL_STATUSES),
                name="ix_leads_company_id_created_at_pool",
                question="Which leads does nobody work on yet, newest first?",
                asked_by="GET /api/v1/leads?pool=true",
                kept_because="most leads are booked or closed: by the index of all a page would read them, too.",
            ),
            Index(
                fields=["assignee", "created_at"],
                name="ix_leads_assignee_id_created_at",
                question="Which leads has this user, newest first?",
                asked_by="GET /api/v1/leads?assignee=me",
            ),
            Index(
                fields=["company", "source", "created_at"],
                name="ix_leads_company_id_source_created_at",
                question="Which leads of a company come from this source, newest first?",
                asked_by="GET /api/v1/leads?source=",
            ),
        ]

    def __str__(self) -> str:
        return f"Lead #{self.pk}"
