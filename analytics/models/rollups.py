"""Calls counted by day, for the dashboard; and what has changed since they were counted."""

from typing import Any, ClassVar

from django.db import models

from analytics.models import stale_hour_triggers
from crm.db.indexes import Index
from crm.db.tenancy import TenantModel
from crm.models import Company


def of_company(relation: type[models.ForeignKey] = models.ForeignKey, **options: Any) -> models.ForeignKey:
    """What is derived from a company's rows goes with the company."""
    return relation(Company, on_delete=models.CASCADE, related_name="+", **options)


class CallCounts(TenantModel):
    """Some of a company's calls, counted: see analytics.rollups.measures.MEASURES."""

    company = of_company(db_index=False)

    total = models.PositiveIntegerField()
    qualified = models.PositiveIntegerField()
    booked = models.PositiveIntegerField()
    qualified_booked = models.PositiveIntegerField()

    in_progress = models.PositiveIntegerField()
    missed = models.PositiveIntegerField()
    unbooked = models.PositiveIntegerField()
    awaiting_quote = models.PositiveIntegerField()
    still_deciding = models.PositiveIntegerField()
    purchased = models.PositiveIntegerField()
    lost = models.PositiveIntegerField()
    cancelled = models.PositiveIntegerField()
    lost_value = models.DecimalField(max_digits=20, decimal_places=2)

    class Meta:
        abstract = True


class CallDay(CallCounts):
    """A company's calls that began on one of its days, counted. A day without calls has no row."""

    day = models.DateField(help_text="In the zone of the company's rollup.")

    class Meta:
        db_table = "call_days"
        constraints = [
            models.UniqueConstraint(fields=["company", "day"], name="call_days_company_id_day_unique"),
        ]

    def __str__(self) -> str:
        return str(self.day)


class CallRollup(TenantModel):
    """How far a company's calls are counted by day. All days until `rolled_up_until` are, but those marked as stale."""

    company = of_company(models.OneToOneField)
    timezone = models.CharField(max_length=64, blank=True, help_text="The zone in which the days were cut.")
    rolled_up_until = models.DateField(null=True, blank=True, help_text="The last day counted; empty: none is.")
    version = models.PositiveBigIntegerField(default=0, help_text="Moves on with every change of what is counted.")

    class Meta:
        db_table = "call_rollups"

    def __str__(self) -> str:
        return f"{self.company} until {self.rolled_up_until}"


class StaleCallHour(TenantModel):
    """An hour of UTC in which a company's calls have changed since it was over: its days are not to be trusted.

    Triggers add them, with the change and in its transaction. No key makes them unique, so that no writer ever waits
    for another. What a call did within `stale_hour_triggers.FRESH` after it began adds none: no such day is folded yet.
    """

    company = of_company(db_index=False)
    hour = models.DateTimeField()

    triggers: ClassVar = stale_hour_triggers.TRIGGERS

    class Meta:
        db_table = "stale_call_hours"
        indexes = [
            Index(
                fields=["company", "hour"],
                name="ix_stale_call_hours_company_id_hour",
                question="Which hours of a company have changed since they were counted?",
                asked_by="GET /api/v1/dashboard/metrics and booking-rate; the worker",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}:00"
