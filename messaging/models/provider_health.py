"""Health of providers."""

from django.db import models

from crm.choices import Provider
from crm.constraints import one_of


class ProviderHealth(models.Model):
    """A provider's API and webhooks, as the workers of all companies see them. The counts only grow."""

    provider = models.CharField(max_length=20, choices=Provider.choices, unique=True)
    unreachable = models.PositiveBigIntegerField(default=0, db_default=0, help_text="Calls without a connection.")
    unknown = models.PositiveBigIntegerField(default=0, db_default=0, help_text="Calls without a readable answer.")
    rate_limited = models.PositiveBigIntegerField(default=0, db_default=0, help_text="Calls refused for their pace.")
    suspended = models.PositiveBigIntegerField(default=0, db_default=0, help_text="Calls refused for the line.")
    rejected = models.PositiveBigIntegerField(default=0, db_default=0, help_text="Calls refused for the message.")
    events_processed = models.PositiveBigIntegerField(default=0, db_default=0, help_text="Webhook events recorded.")
    events_ignored = models.PositiveBigIntegerField(default=0, db_default=0, help_text="Webhook events ignored.")
    events_dead = models.PositiveBigIntegerField(default=0, db_default=0, help_text="Webhook events that failed.")
    failed_in_row = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Calls without a connection or answer, since the last answer."
    )
    down_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "provider_health"
        verbose_name_plural = "provider health"
        constraints = [one_of("provider", Provider, name="provider_health_provider_valid")]

    def __str__(self) -> str:
        return self.get_provider_display()
