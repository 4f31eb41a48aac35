"""What went to archives: which rows are in which files, and what the dashboard goes on counting of them."""

from django.db import models
from django.utils.timezone import now

from analytics.models.objections import MAX_LABEL
from analytics.models.rollups import CallCounts, of_company
from crm.db.tenancy import TenantModel


class ArchivedCalls(CallCounts):
    """Archived calls that began in one quarter of an hour, counted. Days of all zones begin with a quarter."""

    quarter_hour = models.DateTimeField(help_text="When the quarter of an hour begins, UTC.")

    class Meta:
        db_table = "archived_calls"
        verbose_name_plural = "archived calls"
        constraints = [
            models.UniqueConstraint(
                fields=["company", "quarter_hour"], name="archived_calls_company_id_quarter_hour_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quarter_hour:%Y-%m-%d %H:%M}"


class ArchivedObjections(TenantModel):
    """How many archived calls had this label, by the quarter of an hour in which their latest analysis was made."""

    company = of_company(db_index=False)
    quarter_hour = models.DateTimeField(help_text="When the quarter of an hour begins, UTC.")
    label = models.CharField(max_length=MAX_LABEL, blank=True, help_text="Empty: calls with any label.")
    calls = models.PositiveIntegerField()

    class Meta:
        db_table = "archived_objections"
        verbose_name_plural = "archived objections"
        constraints = [
            models.UniqueConstraint(
                fields=["company", "quarter_hour", "label"],
                name="archived_objections_company_id_quarter_hour_label_unique",
            ),
        ]

    def __str__(self) -> str:
        return self.label


class ArchivedChunk(TenantModel):
    """Rows that went together. Written in the transaction that deletes them, so that it says which files are true.

    Also the evidence of who took them: an audit entry for each row would keep in the database what was to leave it.
    """

    company = of_company(db_index=False)
    folder = models.CharField(max_length=500, help_text="Where the files were written.")
    archive = models.CharField(max_length=30, help_text="The folder's name: the instant at which the archive began.")
    number = models.PositiveIntegerField()
    bundle = models.CharField(max_length=30)
    cut_off = models.DateTimeField(help_text="Everything in it is older.")
    files = models.JSONField(help_text="Each file with its table, rows, size and checksums.")

    created_at = models.DateTimeField(default=now, editable=False)
    restored_at = models.DateTimeField(null=True, blank=True, help_text="When its rows came back.")

    class Meta:
        db_table = "archived_chunks"
        constraints = [
            models.UniqueConstraint(
                fields=["company", "archive", "number"], name="archived_chunks_company_id_archive_number_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.archive}/{self.number:06}"
