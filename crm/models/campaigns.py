"""Campaigns, their further steps, and campaign memberships."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import now

from crm.choices import CampaignPurpose, CampaignStatus, MembershipStatus, Variant
from crm.constraints import one_of
from crm.db.audit import Audit
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.storage import BUSY_TABLE, StorageSettings
from crm.db.tenancy import TenantModel
from crm.models.companies import PhoneLine, User
from crm.models.contacts import Contact
from crm.models.segments import Segment

SENT = (
    MembershipStatus.SENT,
    MembershipStatus.DELIVERED,
    MembershipStatus.UNDELIVERED,
    MembershipStatus.REPLIED,
)
OUTCOMES = (*SENT, MembershipStatus.OPTED_OUT, MembershipStatus.FAILED)


class Campaign(TenantModel):
    """A text message to many contacts, with further steps if it is a sequence.

    A recurring campaign is followed by a new campaign for each run, so that each run has its own members and results.
    """

    name = models.CharField(max_length=200)
    status = models.CharField(max_length=20, choices=CampaignStatus.choices, default=CampaignStatus.DRAFT)
    status_reason = models.CharField(
        max_length=300, blank=True, db_default="", editable=False, help_text="Why the campaign paused itself."
    )
    purpose = models.CharField(
        max_length=20,
        choices=CampaignPurpose.choices,
        default=CampaignPurpose.MARKETING,
        db_default=CampaignPurpose.MARKETING,
        help_text=(
            "Marketing needs consent, where the company requires it. Service messages are about an order, such as an "
            "unpaid invoice."
        ),
    )
    body = models.TextField(
        blank=True,
        help_text="Message sent to each contact. {first_name|there} is the first name, or “there” without one.",
    )
    body_b = models.TextField(
        blank=True,
        db_default="",
        help_text="Second message of an A/B test: half of the contacts get it. Empty: no test.",
        verbose_name="body B",
    )
    phone_line = models.ForeignKey(
        PhoneLine, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    segment = models.ForeignKey(
        Segment,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="Each run of a recurring campaign takes its contacts from this segment.",
    )
    daily_limit = models.PositiveIntegerField(
        null=True, blank=True, help_text="Messages a day (company's time zone). Empty: only the phone line's limit."
    )
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    scheduled_at = models.DateTimeField(null=True, blank=True)
    recurrence = models.CharField(
        max_length=200,
        blank=True,
        db_default="",
        help_text="RFC 5545 rule of a recurring campaign, such as FREQ=MONTHLY;BYMONTHDAY=1.",
    )
    previous_run = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="next_run"
    )
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    started_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="+", db_index=False
    )
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    feed_at = models.DateTimeField(
        default=now,
        db_default=Now(),
        editable=False,
        help_text="The worker looks after the running campaign next at this time.",
    )

    # Results until the last resumption. A person has seen them, so the alarms count from there.
    resumed_at = models.DateTimeField(null=True, blank=True, editable=False)
    seen_sent = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    seen_opted_out = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    audit = Audit(skips=("updated_at", "feed_at"))
    feed = Feed("campaigns", ignores=("seen_sent", "seen_opted_out", "feed_at"))

    class Meta:
        db_table = "campaigns"
        constraints = [
            one_of("status", CampaignStatus, name="campaigns_status_valid"),
            one_of("purpose", CampaignPurpose, name="campaigns_purpose_valid"),
            models.CheckConstraint(
                condition=~Q(status=CampaignStatus.SCHEDULED) | Q(scheduled_at__isnull=False),
                name="campaigns_scheduled_has_time",
                violation_error_message="A scheduled campaign must have scheduled_at.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[CampaignStatus.DRAFT, CampaignStatus.CANCELLED])
                | (~Q(body="") & Q(phone_line__isnull=False)),
                name="campaigns_ready_has_body_and_line",
                violation_error_message="A campaign needs a body and a phone line before it is scheduled or started.",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[CampaignStatus.RUNNING, CampaignStatus.PAUSED, CampaignStatus.COMPLETED])
                | Q(started_at__isnull=False),
                name="campaigns_started_has_time",
                violation_error_message="A started campaign must have started_at.",
            ),
            models.CheckConstraint(
                condition=Q(daily_limit__isnull=True) | Q(daily_limit__gte=1),
                name="campaigns_daily_limit_valid",
                violation_error_message="daily_limit must be at least 1, or empty.",
            ),
            models.CheckConstraint(
                condition=Q(recurrence="") | Q(segment__isnull=False),
                name="campaigns_recurring_has_segment",
                violation_error_message="A recurring campaign needs a segment, from which each run takes its contacts.",
            ),
        ]
        indexes = [
            Index(
                fields=["company", "created_at"],
                name="ix_campaigns_company_id_created_at",
                question="A company's campaigns, newest first?",
                asked_by="GET /api/v1/campaigns",
            ),
            Index(
                fields=["feed_at"],
                condition=Q(status=CampaignStatus.RUNNING),
                name="ix_campaigns_feed_at",
                question="Which running campaign is to be looked after next, over all companies?",
                asked_by="manage.py work",
            ),
            Index(
                fields=["scheduled_at"],
                condition=Q(status=CampaignStatus.SCHEDULED),
                name="ix_campaigns_scheduled_at",
                question="Which scheduled campaigns are due to start, over all companies?",
                asked_by="manage.py work",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CampaignStep(TenantModel):
    """A further message of a sequence. Contacts who reply, book or opt out get no further step."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="steps", db_index=False)
    step = models.PositiveSmallIntegerField(help_text="2 or more. The campaign's own body is step 1.")
    delay_minutes = models.PositiveIntegerField(help_text="Time after the step before was sent.")
    body = models.TextField()

    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    audit = Audit(skips=("updated_at",))
    feed = Feed("campaigns", key="campaign_id")

    class Meta:
        db_table = "campaign_steps"
        constraints = [
            models.UniqueConstraint(
                fields=["company", "campaign", "step"],
                name="campaign_steps_company_id_campaign_id_step_unique",
                violation_error_message="The campaign has this step already.",
            ),
            models.CheckConstraint(
                condition=Q(step__gte=2, delay_minutes__gte=1) & ~Q(body=""),
                name="campaign_steps_valid",
                violation_error_message="A further step has a number from 2 on, a delay and a body.",
            ),
        ]

    def __str__(self) -> str:
        return f"Step {self.step}"


class CampaignMembership(TenantModel):
    """One contact in one step of a campaign, with its progress. The pending memberships are the campaign's queue.

    `due_at` is empty before the campaign starts, and again while the message waits in the outbox.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="memberships", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="campaign_memberships", db_index=False)
    step = models.PositiveSmallIntegerField(default=1, db_default=1)
    variant = models.CharField(max_length=10, choices=Variant.choices, default=Variant.A, db_default=Variant.A)
    status = models.CharField(max_length=20, choices=MembershipStatus.choices, default=MembershipStatus.PENDING)
    reason = models.CharField(max_length=200, blank=True, help_text="Reason for skipping or failure.")

    due_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="The message may leave from then on."
    )
    sms_segments = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="Segments of the message, of which each is billed.",
        verbose_name="SMS segments",
    )
    booked_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Time of the booking that followed the message."
    )
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)

    feed = Feed("campaign-memberships", ignores=("due_at",))

    class Meta:
        db_table = "campaign_memberships"
        constraints = [
            StorageSettings(parameters=BUSY_TABLE, name="campaign_memberships_storage"),
            one_of("status", MembershipStatus, name="campaign_memberships_status_valid"),
            one_of("variant", Variant, name="campaign_memberships_variant_valid"),
            models.UniqueConstraint(
                fields=["campaign", "step", "contact"],
                name="campaign_memberships_campaign_id_step_contact_id_unique",
                violation_error_message="The contact is already in this campaign.",
            ),
            models.CheckConstraint(
                condition=Q(step__gte=1),
                name="campaign_memberships_step_valid",
                violation_error_message="Steps are from 1 on.",
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
                question="Which contacts of this campaign have this status?",
                asked_by="GET /api/v1/campaign-memberships?campaign=&status=",
            ),
            Index(
                fields=["campaign", "due_at", "id"],
                condition=Q(status=MembershipStatus.PENDING),
                name="ix_campaign_memberships_campaign_id_due_at_id_pending",
                question="Which contacts of this campaign get their message next?",
                asked_by="manage.py work",
            ),
            Index(
                fields=["campaign", "updated_at"],
                condition=Q(status__in=OUTCOMES),
                name="ix_campaign_memberships_campaign_id_updated_at_outcome",
                question="What became of the campaign's last messages?",
                asked_by="manage.py work: alarms",
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
                fields=["company", "sent_at"],
                condition=Q(sent_at__isnull=False),
                include=["contact"],
                name="ix_campaign_memberships_company_id_sent_at",
                question="Which of a company's contacts had a campaign message lately?",
                asked_by="POST /api/v1/segments/preview; POST /api/v1/campaigns/{id}/audience",
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
