"""`tasks`: what people of the company are to do."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from calls.choices import Due
from calls.models import Task
from calls.services.tasks import finish_task, reopen_task
from crm.api.base.errors import invalid
from crm.api.base.filters import ChoicesFilter, ContactFilterSet, RowFilter, YesNoFilter
from crm.api.base.pagination import orders_by
from crm.api.base.serializers import AssignableUserField, CompanyUserField, TenantSerializer
from crm.api.base.views import FullViewSet, without_body
from crm.api.companions import ContactSummaryField, UserNameField
from crm.error_codes import ErrorCode


class TaskSerializer(TenantSerializer):
    contact_summary = ContactSummaryField()
    assignee = AssignableUserField(required=False, allow_null=True, help_text="ID of the user who is to do it.")
    assignee_name = UserNameField("assignee", help_text="Name of that user.")
    created_by = CompanyUserField(read_only=True, allow_null=True)
    created_by_name = UserNameField("created_by")

    class Meta:
        model = Task
        fields = [
            "id", "title", "contact", "contact_summary", "call", "lead", "assignee", "assignee_name", "due_at",
            "done_at", "created_by", "created_by_name", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["done_at", "created_at", "updated_at"]
        fixed_fields = ["contact", "call", "lead"]
        extra_kwargs = {
            "contact": {"help_text": "ID of the contact. Without it, that of the call or the lead."},
            "title": {"help_text": "What is to be done."},
            "due_at": {"help_text": "Time by which it is to be done."},
            "done_at": {"help_text": "Time when it was done, see `done` and `reopen`. Null: open."},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name in ("call", "lead"):
            source = attrs.get(name)
            if source is None or source.contact_id is None:
                continue
            if attrs.get("contact") is None:
                attrs["contact"] = source.contact
            elif attrs["contact"].pk != source.contact_id:
                raise invalid(name, f"This {name} belongs to another contact.", code=ErrorCode.OTHER_CONTACT)
        return super().validate(attrs)


class DueFilter(ChoicesFilter):
    """Open tasks by their due time: today in the company's time zone."""

    def filter(self, queryset: Any, value: list[str]) -> QuerySet:
        if not value:
            return queryset
        found: QuerySet = queryset.due([Due(each) for each in value], zone=self.parent.request.user.company.zone)
        return found


class TaskFilterSet(ContactFilterSet):
    day_field = "due_at"
    assignee = RowFilter(field_name="assignee", me=True, none=True)
    call = RowFilter(field_name="call")
    lead = RowFilter(field_name="lead")
    done = YesNoFilter(method="by_done", label="Whether the task is done.")
    due = DueFilter(
        choices=Due.choices,
        label="Open tasks: `overdue`, still due `today` in the company's time zone, or `later`. Repeat it for several.",
    )

    def by_done(self, queryset: Any, name: str, value: bool) -> Any:
        return queryset.filter(done_at__isnull=not value)


class TaskViewSet(FullViewSet):
    """Tasks by their due time, latest first.

    One's own, the most urgent first: `?assignee=me&done=false&order=oldest`. A task from a call, a missed caller or a
    message: send its `call`, or its contact.
    """

    resource = "tasks"
    model = Task
    serializer_class = TaskSerializer
    filterset_class = TaskFilterSet
    orders = orders_by("due_at")
    refusals = {"create": (ErrorCode.OTHER_CONTACT,)}

    def perform_create(self, serializer: serializers.BaseSerializer) -> None:
        serializer.save(company_id=self.user.company_id, created_by=self.user)

    @extend_schema(request=None, responses=TaskSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def done(self, request: Request, **kwargs: Any) -> Response:
        """Mark a task as done. A done one stays unchanged."""
        return self.row_response(finish_task(task=self.get_object()).pk)

    @extend_schema(request=None, responses=TaskSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def reopen(self, request: Request, **kwargs: Any) -> Response:
        """Take up a task that was done. An open one stays unchanged."""
        return self.row_response(reopen_task(task=self.get_object()).pk)
