"""Campaigns and campaign memberships."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import now

from crm.choices import CampaignStatus, MembershipStatus
from crm.constraints import one_of
from crm.db.audit import Audit
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.storage import BUSY_TABLE, StorageSettings
from crm.db.tenancy import TenantModel
from crm.models.companies import PhoneLine, User
from crm.models.contacts import Contact

SENT = (
    MembershipStatus.SENT,
    MembershipStatus.DELIVERED,
    MembershipStatus.UNDELIVERED,
    MembershipStatus.REPLIED,
)


class Campaign(TenantModel):
    name = models.CharField(max_length=200)
    status = models.CharField(max_length=20, choices=CampaignStatus.choices, default=CampaignStatus.DRAFT)
    body = models.TextField(blank=True, help_text="Message sent to each contact.")
    phone_line = models.ForeignKey(
        PhoneLine, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    scheduled_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    audit = Audit(skips=("updated_at",))
    feed = Feed("campaigns")

    class Meta:
        db_table = "campaigns"
        constraints = [
            one_of("status", CampaignStatus, name="campaigns_status_valid"),
            models.CheckConstraint(
                condition=~Q(status="scheduled") | Q(scheduled_at__isnull=False),
                name="campaigns_scheduled_has_time",
                violation_error_message="A scheduled campaign must have scheduled_at.",
            ),
        ]
        indexes = [
            Index(
                fields=["company", "created_at"],
                name="ix_campaigns_company_id_created_at",
                question="A company's campaigns, newest first?",
                asked_by="GET /api/v1/campaigns",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CampaignMembership(TenantModel):
    """One contact in one campaign, with its progress."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="memberships", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="campaign_memberships", db_index=False)
    status = models.CharField(max_length=20, choices=MembershipStatus.choices, default=MembershipStatus.PENDING)
    reason = models.CharField(max_length=200, blank=True, help_text="Reason for skipping or failure.")

    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)

    feed = Feed("campaign-memberships")

    class Meta:
        db_table = "campaign_memberships"
        constraints = [
            StorageSettings(parameters=BUSY_TABLE, name="campaign_memberships_storage"),
            one_of("status", MembershipStatus, name="campaign_memberships_status_valid"),
            models.UniqueConstraint(
                fields=["campaign", "contact"],
                name="campaign_memberships_campaign_id_contact_id_unique",
                violation_error_message="The contact is already in this campaign.",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=SENT) | Q(sent_at__isnull=False),
                name="campaign_memberships_sent_has_time",
                violation_error_message="A sent membership must have sent_at.",
            ),
        ]
        indexes = [
            Index(
                fields=["campaign", "status"],
                include=["company"],  # the policies ask for it: counting needn't read the rows
                name="idx_campaign_membership_status",
                question="Which contacts of this campaign have this status, and how many?",
                asked_by="GET /api/v1/campaign-memberships?campaign=&status=; GET /api/v1/campaigns",
            ),
            Index(
                fields=["sent_at", "status"],
                name="idx_campaign_membership_sent",
                question="Which memberships were sent lately, over all companies, and with what status?",
                asked_by="admin: memberships filtered by sent_at",
            ),
            Index(
                fields=["contact"],
                name="ix_campaign_memberships_contact_id",
                question="Which campaigns was this contact in?",
                asked_by="GET /api/v1/campaign-memberships?contact=; deleting a contact",
            ),
            Index(
                fields=["company", "created_at"],
                name="ix_campaign_memberships_company_id_created_at",
                question="A company's memberships, newest first, from any page on?",
                asked_by="GET /api/v1/campaign-memberships",
            ),
        ]

    def __str__(self) -> str:
        return f"Membership #{self.pk}"
