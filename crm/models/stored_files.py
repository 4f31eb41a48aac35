"""Stored files: uploads, attachments, and the results of background tasks."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils.timezone import now

from crm.constraints import in_range
from crm.db.indexes import Index
from crm.db.tenancy import TenantModel
from crm.models.companies import User

KEPT_FOR = timedelta(days=30)


class StoredFile(TenantModel):
    """A file in the database. It is written in one transaction with what refers to it, backed up, and one company's."""

    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=100)
    size = models.BigIntegerField(default=0, help_text="Bytes.")
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    created_at = models.DateTimeField(default=now, db_default=Now(), editable=False)
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="Time of its deletion. Empty: it stays as long as what refers to it."
    )

    class Meta:
        db_table = "stored_files"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(size__gte=0), name="stored_files_size_valid",
                violation_error_message="The size can't be negative.",
            ),
            in_range(nullable=("expires_at",), name="stored_files_times_in_range"),
        ]  # fmt: skip
        indexes = [
            Index(
                fields=["expires_at"],
                name="ix_stored_files_expires_at",
                question="Which files have expired, over all companies?",
                asked_by="the worker, once a minute",
            ),
            Index(
                fields=["company", "created_at"],
                name="ix_stored_files_company_id_created_at",
                question="A company's files, newest first?",
                asked_by="admin: stored files of a company",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_picture(self) -> bool:
        return self.content_type.startswith("image/")


class StoredFileChunk(TenantModel):
    """A part of a file's content, compressed. Small parts let a file of any size pass through little memory."""

    file = models.ForeignKey(StoredFile, on_delete=models.CASCADE, related_name="chunks", db_index=False)
    position = models.PositiveIntegerField(help_text="0 for the first part.")
    data = models.BinaryField()

    class Meta:
        db_table = "stored_file_chunks"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["file", "position"], name="stored_file_chunks_file_id_position_unique"),
        ]

    def __str__(self) -> str:
        return f"Stored file chunk #{self.pk}"
