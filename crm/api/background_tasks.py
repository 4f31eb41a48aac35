"""`background-tasks`: long work that users asked for, with its progress."""

from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.exports import CSV_TYPE, XLSX_TYPE
from crm.api.base.filters import ChoicesFilter, ListFilterSet
from crm.api.base.serializers import CompanyUserField, TenantSerializer
from crm.api.base.views import ReadViewSet, without_body
from crm.api.companions import UserNameField
from crm.choices import TaskState
from crm.error_codes import ErrorCode
from crm.models import BackgroundTask, StoredFile
from crm.services.background_tasks.requests import cancel_task
from crm.services.stored_files import stream_file


class BackgroundTaskSerializer(TenantSerializer):
    requested_by = CompanyUserField(
        read_only=True, allow_null=True, help_text="ID of the user who asked for it. Null: a program."
    )
    requested_by_name = UserNameField("requested_by")
    result_file = serializers.IntegerField(
        source="result_file_id", read_only=True, allow_null=True,
        help_text="ID of the file that it made: GET background-tasks/{id}/file. Null: none, or it has expired.",
    )  # fmt: skip

    class Meta:
        model = BackgroundTask
        fields = [
            "id", "kind", "state", "done", "total", "cancel_requested", "result_file", "error_code", "error",
            "requested_by", "requested_by_name", "created_at", "started_at", "ended_at", "updated_at",
        ]  # fmt: skip
        extra_kwargs = {
            "state": {"help_text": "Where it stands. `done`, `failed` and `cancelled` are final."},
            "started_at": {"help_text": "Time when a worker began. Null: it waits."},
            "ended_at": {"help_text": "Time of its end. Null: it hasn't ended."},
        }


class BackgroundTaskFilterSet(ListFilterSet):
    state = ChoicesFilter(choices=TaskState.choices)


class BackgroundTaskViewSet(ReadViewSet):
    """Long work that users asked for, such as imports, with its progress."""

    resource = "background-tasks"
    model = BackgroundTask
    serializer_class = BackgroundTaskSerializer
    filterset_class = BackgroundTaskFilterSet
    refusals = {"cancel": (ErrorCode.TASK_ENDED,)}

    @property
    def has_etag(self) -> bool:  # type: ignore[override]
        return super().has_etag and self.action != "file"

    @extend_schema(request=None, responses=BackgroundTaskSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def cancel(self, request: Request, **kwargs: Any) -> Response:
        """Cancel a task. What it has done so far stays. A running one ends after its present step."""
        return self.row_response(cancel_task(task=self.get_object()).pk)

    @extend_schema(
        responses={
            (200, kind): OpenApiResponse(OpenApiTypes.BINARY, description="The file.") for kind in (CSV_TYPE, XLSX_TYPE)
        }
    )
    @action(detail=True, methods=["get"])
    def file(self, request: Request, **kwargs: Any) -> HttpResponseBase:
        """Download the file that a task made. 404 if there is none, or if it has expired."""
        task = self.get_object()
        if task.result_file is None:
            raise NotFound
        return download(task.result_file)


def download(file: StoredFile) -> StreamingHttpResponse:
    """Return the response that sends a file of the active company in parts."""
    return StreamingHttpResponse(
        stream_file(file=file),
        content_type=file.content_type,
        headers={"Content-Length": str(file.size), **attachment(file.name)},
    )


def attachment(name: str) -> dict[str, str]:
    """Return the headers of a response that browsers save under this name, and never show."""
    return {"Content-Disposition": content_disposition_header(True, name) or "attachment"}
