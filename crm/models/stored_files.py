"""Stored files: uploads, attachments, and the results of background tasks; the objects that hold some of them."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils.timezone import now

from crm.constraints import in_range
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel
from crm.models.companies import User
from crm.querysets import StoredObjectQuerySet

KEPT_FOR = timedelta(days=30)
IN_DATABASE = models.Q(has_object=False, expires_at__isnull=True)  # files that move to a file storage, if there is one


class StoredFile(TenantModel):
    """A file, written to the database in one transaction with what refers to it. A worker may move its content."""

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
    has_object = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="Whether a worker has begun to move its content."
    )

    class Meta:
        db_table = "stored_files"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(size__gte=0), name="stored_files_size_valid",
                violation_error_message="The size can't be negative.",
            ),
            in_range(nullable=("expires_at",), name="stored_files_times_in_range"),
            # Imports and exports are read whole, and soon deleted.
            models.CheckConstraint(
                condition=models.Q(has_object=False) | models.Q(expires_at__isnull=True),
                name="stored_files_object_is_kept",
            ),
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
            Index(
                fields=["created_at"],
                condition=IN_DATABASE,
                name="ix_stored_files_created_at_in_database",
                question="Which file has waited longest for its move to the file storage, over all companies?",
                asked_by="the worker, if there is a file storage",
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


class StoredObject(TenantModel):
    """The object in the file storage that holds the content of a stored file.

    The row is written before the content is copied. It outlives its file, until a worker has deleted the object.
    """

    key = models.CharField(max_length=100, unique=True, help_text="Its name in the file storage.")
    file = models.OneToOneField(
        StoredFile, on_delete=models.SET_NULL, null=True, blank=True, related_name="object",
        help_text="Empty: the file was deleted, and the object will be.",
    )  # fmt: skip
    copied_at = models.DateTimeField(
        null=True, blank=True, help_text="Time from which the object is read. Empty: the database has the content."
    )
    run_at = models.DateTimeField(
        default=now, help_text="Next attempt to copy or to delete it not before this time, or the end of a lease."
    )
    tries = models.PositiveIntegerField(default=0, help_text="Attempts since the last success.")
    error = models.CharField(max_length=200, blank=True, help_text="Why the last attempt has failed.")

    objects: ClassVar = TenantManager.from_queryset(StoredObjectQuerySet)()

    class Meta:
        db_table = "stored_objects"
        constraints: ClassVar = [in_range("run_at", nullable=("copied_at",), name="stored_objects_times_in_range")]
        indexes: ClassVar = [
            Index(
                fields=["run_at"],
                condition=models.Q(file__isnull=True) | models.Q(copied_at__isnull=True),
                name="ix_stored_objects_run_at_unfinished",
                question="Which objects are due to be copied or deleted, over all companies?",
                asked_by="the worker, if there is a file storage",
            ),
        ]

    def __str__(self) -> str:
        return self.key
