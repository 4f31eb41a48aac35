"""Consent to marketing messages."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.timezone import now

from crm.choices import ConsentSource
from crm.constraints import in_range, one_of
from crm.db.audit import Audit
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel
from crm.models.companies import User
from crm.models.number_triggers import CONSENT_LINKS
from crm.phones import MAX_LENGTH
from crm.querysets import MarketingConsentQuerySet


class MarketingConsent(TenantModel):
    """One number's consent to marketing messages of one company, with its proof. An opt-out withdraws it.

    47 CFR 64.1200(f)(9): prior express written consent names the seller and the number, and is kept. The row has the
    latest consent; audit entries have the earlier ones. The hash outlives the number: erasing the person erases the
    number, and the company can still prove to a claimant who names it that there was consent.
    """

    number_hash = models.CharField(max_length=64)
    phone = models.CharField(max_length=MAX_LENGTH, blank=True, help_text="E.164. Empty after erasure.")
    source = models.CharField(max_length=20, choices=ConsentSource.choices)
    wording = models.TextField(help_text="The words that the person agreed to.")
    proof = models.CharField(
        max_length=300,
        blank=True,
        help_text="Where the proof is: the form's URL, the import's file, the message. Empty: the user's word.",
    )
    given_at = models.DateTimeField(default=now, help_text="Time at which the person agreed.")
    recorded_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    withdrawn_at = models.DateTimeField(
        null=True, blank=True, help_text="Time of the opt-out or of the withdrawal. Empty: the consent is valid."
    )
    main_contact_id = models.BigIntegerField(
        null=True,
        editable=False,
        help_text="Contact with this main number, of a valid consent. Empty: it is found by the number.",
        verbose_name="main contact ID",
    )

    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    objects: ClassVar = TenantManager.from_queryset(MarketingConsentQuerySet)()
    audit = Audit(skips=("updated_at", "main_contact_id"))
    feed = Feed("marketing-consents", ignores=("main_contact_id",))
    triggers = CONSENT_LINKS

    class Meta:
        db_table = "marketing_consents"
        constraints = [
            one_of("source", ConsentSource, name="marketing_consents_source_valid"),
            in_range("given_at", nullable=("withdrawn_at",), name="marketing_consents_times_in_range"),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gte=F("given_at")),
                name="marketing_consents_withdrawn_after_given",
                violation_error_message="A consent can't be withdrawn before it was given.",
            ),
            models.CheckConstraint(
                condition=~Q(wording="") & (Q(source=ConsentSource.PERSON, recorded_by__isnull=False) | ~Q(proof="")),
                name="marketing_consents_proved",
                violation_error_message="A consent needs its wording and its proof, or the user who recorded it.",
            ),
            models.UniqueConstraint(
                fields=["company", "number_hash"], name="marketing_consents_company_id_number_hash_unique"
            ),
        ]
        indexes = [
            Index(
                fields=["company", "phone"],
                name="ix_marketing_consents_company_id_phone",
                question="Is there consent to marketing messages to these numbers?",
                asked_by="GET /api/v1/marketing-consents?phone=; manage.py work",
            ),
            Index(
                fields=["company", "main_contact_id"],
                condition=Q(main_contact_id__isnull=False),
                name="ix_marketing_consents_company_id_main_contact_id",
                question="Which contacts have consented to marketing messages?",
                asked_by="POST /api/v1/segments/preview; POST /api/v1/campaigns/{id}/audience",
            ),
            Index(
                fields=["company", "phone"],
                condition=Q(main_contact_id__isnull=True, withdrawn_at__isnull=True),
                name="ix_marketing_consents_company_id_phone_unlinked",
                question="Which consents were given before there was a contact with the number?",
                asked_by="POST /api/v1/segments/preview; POST /api/v1/campaigns/{id}/audience",
                kept_because="few valid consents have no contact: by all numbers a preview would read every consent.",
            ),
            Index(
                fields=["company", "created_at"],
                name="ix_marketing_consents_company_id_created_at",
                question="A company's marketing consents, newest first?",
                asked_by="GET /api/v1/marketing-consents",
            ),
        ]

    def __str__(self) -> str:
        return f"Marketing consent #{self.pk}"
