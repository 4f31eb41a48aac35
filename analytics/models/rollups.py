"""Daily totals of calls, leads and objections, and the hours that have changed since they were counted."""

from typing import Any, ClassVar

from django.db import models
from django.utils.timezone import now

from analytics.models import stale_hour_triggers
from analytics.querysets import CallRollupQuerySet
from calls.choices import CallStatus
from crm.db.indexes import Index
from crm.db.storage import BUSY_TABLE, StorageSettings
from crm.db.tenancy import TenantManager, TenantModel
from crm.models import Company


def of_company(relation: type[models.ForeignKey] = models.ForeignKey, **options: Any) -> models.ForeignKey:
    """Return a foreign key for derived rows: they are deleted with their company."""
    return relation(Company, on_delete=models.CASCADE, related_name="+", **options)


class CallCounts(TenantModel):
    """Call counts, with a column for each of analytics.rollups.measures.MEASURES."""

    company = of_company(db_index=False)

    total = models.PositiveIntegerField()
    qualified = models.PositiveIntegerField()
    booked = models.PositiveIntegerField()
    qualified_booked = models.PositiveIntegerField()
    lost_value = models.DecimalField(max_digits=20, decimal_places=2)

    class Meta:
        abstract = True


for status in CallStatus.values:
    # With a default and no CHECK, a new status is added to a large table in a moment.
    CallCounts.add_to_class(status, models.IntegerField(default=0, db_default=0))


class CallDay(CallCounts):
    """Counts of the calls that began on one of a company's days. A day without calls has no row."""

    day = models.DateField(help_text="A day in the rollup's time zone.")

    class Meta:
        db_table = "call_days"
        verbose_name = "daily total"
        constraints = [
            StorageSettings(parameters=BUSY_TABLE | {"fillfactor": 80}, name="call_days_storage"),
            models.UniqueConstraint(fields=["company", "day"], name="call_days_company_id_day_unique"),
        ]

    def __str__(self) -> str:
        return str(self.day)


class LeadDay(TenantModel):
    """Counts of the leads that were created on one of a company's days, from one source, with one assignee.

    They have a column for each of `LEADS.measures` in analytics.rollups.measures.
    """

    company = of_company(db_index=False)
    day = models.DateField(help_text="A day in the rollup's time zone.")
    source = models.CharField(max_length=100, blank=True)
    assignee_id = models.BigIntegerField(default=0, help_text="User ID. 0: nobody.", verbose_name="assignee ID")

    leads = models.PositiveIntegerField()
    booked = models.PositiveIntegerField(help_text="Leads that are booked or won.")
    won = models.PositiveIntegerField()
    lost = models.PositiveIntegerField()
    won_value = models.DecimalField(max_digits=20, decimal_places=2)

    triggers: ClassVar = stale_hour_triggers.LEAD_TRIGGERS

    class Meta:
        db_table = "lead_days"
        verbose_name = "daily total of leads"
        verbose_name_plural = "daily totals of leads"
        constraints = [
            StorageSettings(parameters=BUSY_TABLE, name="lead_days_storage"),
            models.UniqueConstraint(
                fields=["company", "day", "source", "assignee_id"],
                name="lead_days_company_id_day_source_assignee_id_unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.source}".strip()


class ObjectionDay(TenantModel):
    """Counts of the calls whose latest analysis, made on one of a company's days, has one label."""

    company = of_company(db_index=False)
    day = models.DateField(help_text="A day in the rollup's time zone.")
    label = models.CharField(max_length=255, blank=True, help_text="Empty: archived calls with any label.")

    calls = models.PositiveIntegerField()
    calls_by_first_label = models.PositiveIntegerField(
        help_text="Those without a label before this one. Their sum over all labels is the number of calls."
    )

    triggers: ClassVar = stale_hour_triggers.OBJECTION_TRIGGERS

    class Meta:
        db_table = "objection_days"
        verbose_name = "daily total of objections"
        verbose_name_plural = "daily totals of objections"
        constraints = [
            StorageSettings(parameters=BUSY_TABLE, name="objection_days_storage"),
            models.UniqueConstraint(
                fields=["company", "day", "label"], name="objection_days_company_id_day_label_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.label}".strip()


class CallRollup(TenantModel):
    """State of a company's rollup: all days until `rolled_up_until` are counted, except stale ones."""

    company = of_company(models.OneToOneField)
    timezone = models.CharField(
        max_length=64, blank=True, help_text="Time zone of the counted days.", verbose_name="time zone"
    )
    rolled_up_until = models.DateField(null=True, blank=True, help_text="Last counted day. Empty: none.")
    version = models.PositiveBigIntegerField(default=0, help_text="Increases with each update of the counted days.")
    tries = models.PositiveSmallIntegerField(default=0, help_text="Failed updates since the last successful one.")
    run_at = models.DateTimeField(default=now, help_text="Next update not before this time.")
    error = models.CharField(max_length=300, blank=True, help_text="Why the last update failed.")

    objects: ClassVar = TenantManager.from_queryset(CallRollupQuerySet)()

    class Meta:
        db_table = "call_rollups"
        verbose_name = "rollup"

    def __str__(self) -> str:
        return f"{self.company} until {self.rolled_up_until}"


class StaleCallHour(TenantModel):
    """An hour of UTC in which a company's calls, leads or objections have changed since: its days are counted again.

    Triggers insert these rows in the transaction of the change. No key makes them unique, so writers never wait for
    each other. Changes within `stale_hour_triggers.FRESH` of a row's creation insert none: its day is not counted yet.
    """

    company = of_company(db_index=False)
    hour = models.DateTimeField()

    triggers: ClassVar = stale_hour_triggers.TRIGGERS

    class Meta:
        db_table = "stale_call_hours"
        constraints = [
            StorageSettings(parameters=BUSY_TABLE, name="stale_call_hours_storage"),
        ]
        verbose_name = "stale hour"
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
