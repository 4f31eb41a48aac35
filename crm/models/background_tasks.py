"""Background tasks."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.timezone import now

from crm.choices import TaskState
from crm.constraints import in_range, one_of
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.storage import BUSY_TABLE, StorageSettings
from crm.db.tenancy import TenantManager, TenantModel
from crm.models.companies import User
from crm.models.stored_files import StoredFile
from crm.querysets import BackgroundTaskQuerySet


class BackgroundTask(TenantModel):
    """Long work that a user asked for, such as an import. See `crm.services.background_tasks`."""

    kind = models.CharField(max_length=50, help_text="What is done, such as import.")
    state = models.CharField(max_length=10, choices=TaskState.choices, default=TaskState.QUEUED)
    done = models.BigIntegerField(default=0, help_text="How much of `total` is done.")
    total = models.BigIntegerField(null=True, blank=True, help_text="How much there is to do. Empty: not known yet.")
    parameters = models.JSONField(default=dict, blank=True)
    result_file = models.ForeignKey(
        StoredFile, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False,
        help_text="The file that it made. Empty: none, or it has expired.",
    )  # fmt: skip
    error_code = models.CharField(max_length=50, blank=True, help_text="Why it failed, for programs.")
    error = models.TextField(blank=True, help_text="Why it failed, in words.")
    cancel_requested = models.BooleanField(default=False, help_text="Whether it ends after its present step.")
    requested_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    lease_until = models.DateTimeField(
        null=True, blank=True, help_text="Until when a worker has it. Renewed with each step."
    )
    created_at = models.DateTimeField(default=now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    objects: ClassVar = TenantManager.from_queryset(BackgroundTaskQuerySet)()
    feed = Feed("background-tasks", rep="requested_by_id", ignores=("lease_until",))

    class Meta:
        db_table = "background_tasks"
        constraints = [
            StorageSettings(parameters=BUSY_TABLE, name="background_tasks_storage"),
            one_of("state", TaskState, name="background_tasks_state_valid"),
            in_range(
                "created_at", nullable=("lease_until", "started_at", "ended_at"), name="background_tasks_times_in_range"
            ),
            models.CheckConstraint(
                condition=Q(done__gte=0) & (Q(total__isnull=True) | Q(total__gte=F("done"))),
                name="background_tasks_done_within_total",
                violation_error_message="No more can be done than there is.",
            ),
            models.CheckConstraint(
                condition=Q(state=TaskState.QUEUED, started_at__isnull=True, ended_at__isnull=True)
                | Q(state=TaskState.RUNNING, started_at__isnull=False, ended_at__isnull=True)
                | Q(state__in=TaskState.ended(), ended_at__isnull=False),
                name="background_tasks_state_has_its_times",
                violation_error_message="A running task has started, and only an ended one has ended.",
            ),
            models.CheckConstraint(
                condition=Q(lease_until__isnull=True) | Q(state=TaskState.RUNNING),
                name="background_tasks_lease_of_running",
                violation_error_message="Only a running task has a lease.",
            ),
            models.CheckConstraint(
                condition=Q(state=TaskState.FAILED) & ~Q(error="") | ~Q(state=TaskState.FAILED) & Q(error=""),
                name="background_tasks_error_of_failed",
                violation_error_message="A failed task has an error, and no other has.",
            ),
        ]
        indexes = [
            Index(
                fields=["company", "created_at"],
                name="ix_background_tasks_company_id_created_at",
                question="A company's background tasks, newest first, from any page on?",
                asked_by="GET /api/v1/background-tasks",
            ),
            Index(
                fields=["id"],
                condition=Q(state__in=TaskState.open()),
                name="ix_background_tasks_id_open",
                question="Which tasks are queued, or have lost their worker, in any company?",
                asked_by="the worker",
                kept_because="it is nearly empty: by the primary key the worker would read all tasks.",
            ),
            Index(
                fields=["result_file"],
                condition=Q(result_file__isnull=False),
                name="ix_background_tasks_result_file_id",
                question="Which task made this file?",
                asked_by="the worker, when the file expires",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"
