"""Consent to marketing messages."""

from django.db import models
from django.db.models.functions import Now
from django.utils.timezone import now

from crm.choices import ConsentSource
from crm.constraints import one_of
from crm.db.audit import Audit
from crm.db.tenancy import TenantModel
from crm.models.companies import User
from crm.phones import MAX_LENGTH


class MarketingConsent(TenantModel):
    """One number's consent to marketing messages of one company, with its proof. An opt-out withdraws it.

    47 CFR 64.1200(f)(9): prior express written consent names the seller and the number, and is kept.
    """

    phone = models.CharField(max_length=MAX_LENGTH, help_text="E.164.")
    source = models.CharField(max_length=20, choices=ConsentSource.choices)
    wording = models.TextField(blank=True, help_text="The words that the person agreed to.")
    proof = models.CharField(
        max_length=300, blank=True, help_text="Where the proof is: the form's URL, the import's file, the message."
    )
    given_at = models.DateTimeField(default=now)
    recorded_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    audit = Audit(skips=("updated_at",))

    class Meta:
        db_table = "marketing_consents"
        constraints = [
            one_of("source", ConsentSource, name="marketing_consents_source_valid"),
            models.UniqueConstraint(
                fields=["company", "phone"],
                name="marketing_consents_company_id_phone_unique",
                violation_error_message="The consent of this number is recorded already.",
            ),
        ]

    def __str__(self) -> str:
        return f"Consent of {self.phone}"
