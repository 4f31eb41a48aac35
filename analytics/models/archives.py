"""Archive files, and the counts that keep archived rows on the dashboard."""

from django.db import models
from django.utils.timezone import now

from analytics.models.objections import MAX_LABEL
from analytics.models.rollups import CallCounts, of_company
from crm.db.audit import Audit
from crm.db.tenancy import TenantModel


class ArchivedCalls(CallCounts):
    """Counts of archived calls that began in one quarter of an hour. Days of every time zone begin with a quarter."""

    quarter_hour = models.DateTimeField(help_text="Start of the quarter of an hour, UTC.")

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
    """Archived calls with one label, counted by the quarter of an hour of their latest analysis."""

    company = of_company(db_index=False)
    quarter_hour = models.DateTimeField(help_text="Start of the quarter of an hour, UTC.")
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
    """The files of rows that were archived together.

    Committed with the deletion of the rows, so it is the authority on which files are valid. Its audit entry stands for
    those of the rows, which would keep their values in the database.
    """

    company = of_company(db_index=False)
    folder = models.CharField(max_length=500, help_text="Folder in which the files were written.")
    archive = models.CharField(max_length=30, help_text="Name of the folder: the time at which the archive began.")
    number = models.PositiveIntegerField()
    bundle = models.CharField(max_length=30)
    cut_off = models.DateTimeField(help_text="All rows are older than this time.")
    files = models.JSONField(help_text="Table, row count, size and checksums of each file.")

    created_at = models.DateTimeField(default=now, editable=False)
    restored_at = models.DateTimeField(null=True, blank=True, help_text="Time at which the rows were restored.")

    audit = Audit()

    class Meta:
        db_table = "archived_chunks"
        verbose_name = "archive file"
        constraints = [
            models.UniqueConstraint(
                fields=["company", "archive", "number"], name="archived_chunks_company_id_archive_number_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.archive}/{self.number:06}"
