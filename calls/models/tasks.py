"""Tasks."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import now

from calls.models.calls import Call
from calls.querysets import TaskQuerySet
from crm.constraints import in_range
from crm.db.audit import Audit
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel
from crm.models import Contact, Lead, User

MAX_TITLE = 200
OPEN = Q(done_at__isnull=True)


class Task(TenantModel):
    """Something that a person of the company is to do until a time, mostly about a contact, a call or a lead."""

    title = models.CharField(max_length=MAX_TITLE, help_text="What is to be done.")
    contact = models.ForeignKey(
        Contact, on_delete=models.PROTECT, null=True, blank=True, related_name="tasks", db_index=False
    )
    call = models.ForeignKey(
        Call, on_delete=models.PROTECT, null=True, blank=True, related_name="tasks", db_index=False
    )
    lead = models.ForeignKey(
        Lead, on_delete=models.SET_NULL, null=True, blank=True, related_name="tasks", db_index=False
    )
    assignee = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False,
        help_text="Who is to do it. Empty: anybody.",
    )  # fmt: skip

    due_at = models.DateTimeField(help_text="Time by which it is to be done.")
    done_at = models.DateTimeField(null=True, blank=True, editable=False)

    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False, editable=False
    )
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    objects: ClassVar = TenantManager.from_queryset(TaskQuerySet)()
    audit = Audit(skips=("updated_at",))
    feed = Feed("tasks", rep="assignee_id")

    class Meta:
        db_table = "tasks"
        constraints = [
            models.CheckConstraint(
                condition=~Q(title=""), name="tasks_title_present", violation_error_message="A task must have a title."
            ),
            in_range("due_at", name="tasks_due_at_in_range"),
        ]
        indexes = [
            Index(
                fields=["company", "due_at"],
                name="ix_tasks_company_id_due_at",
                question="Which tasks does a company have, by their due time?",
                asked_by="GET /api/v1/tasks",
            ),
            Index(
                fields=["company", "due_at"],
                condition=OPEN,
                name="ix_tasks_company_id_due_at_open",
                question="Which open tasks of a company are overdue, or due today?",
                asked_by="GET /api/v1/tasks?due=overdue; GET /api/v1/notices",
                kept_because="done tasks, which pile up, lie before the open ones in the index of all.",
            ),
            Index(
                fields=["assignee", "due_at"],
                condition=OPEN,
                name="ix_tasks_assignee_id_due_at_open",
                question="Which open tasks has this user?",
                asked_by="GET /api/v1/tasks?assignee=me&done=false; GET /api/v1/notices",
            ),
            Index(
                fields=["contact", "due_at"],
                name="ix_tasks_contact_id_due_at",
                question="Which tasks are about this contact?",
                asked_by="GET /api/v1/tasks?contact=; GET /api/v1/contacts/{id}/card; deleting a contact",
            ),
            Index(
                fields=["call"],
                condition=Q(call__isnull=False),
                name="ix_tasks_call_id",
                question="Which tasks were made from this call?",
                asked_by="GET /api/v1/tasks?call=; deleting a call",
            ),
            Index(
                fields=["lead"],
                condition=Q(lead__isnull=False),
                name="ix_tasks_lead_id",
                question="Which tasks are about this lead?",
                asked_by="GET /api/v1/tasks?lead=; deleting a lead",
            ),
        ]

    def __str__(self) -> str:
        return self.title
