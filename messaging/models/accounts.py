"""Provider accounts."""

from django.core.validators import MaxLengthValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from crm.choices import PROVIDERS_WITHOUT_ACCOUNT_ID, Provider
from crm.constraints import one_of
from crm.db.audit import Audit
from crm.db.tenancy import TenantModel
from crm.fields import EncryptedTextField


class ProviderAccount(TenantModel):
    """A company's account with a provider, used for sending and reconciliation."""

    provider = models.CharField(max_length=20, choices=Provider.choices)
    account_id = models.CharField(
        max_length=100,
        blank=True,
        validators=[
            RegexValidator(r"^[A-Za-z0-9]+$", "Account ID must contain letters and digits only.")
        ],  # it is part of a URL
        help_text="Account ID at the provider, if the provider has one.",
        verbose_name="account ID",
    )
    api_key = EncryptedTextField(
        validators=[
            MaxLengthValidator(200),
            RegexValidator(r"\A[!-~]+\Z", "API key must be one word of ASCII letters, digits and symbols."),
        ],  # it is sent in a header
        verbose_name="API key",
    )

    created_at = models.DateTimeField(default=now, editable=False)

    audit = Audit(hides=("api_key",))

    class Meta:
        db_table = "provider_accounts"
        constraints = [
            one_of("provider", Provider, name="provider_accounts_provider_valid"),
            models.CheckConstraint(
                condition=Q(provider__in=PROVIDERS_WITHOUT_ACCOUNT_ID) | ~Q(account_id=""),
                name="provider_accounts_account_id_given",
                violation_error_message="This provider requires an account ID.",
            ),
            models.UniqueConstraint(
                fields=["company", "provider"],
                name="provider_accounts_company_id_provider_unique",
                violation_error_message="The company already has an account with this provider.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_provider_display()} account"
