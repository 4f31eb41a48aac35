"""`imports`: files of contacts, what became of their rows, and undoing them."""

from pathlib import Path
from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import ErrorDetail
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.background_tasks import attachment
from crm.api.base.filters import ChoicesFilter, ListFilterSet
from crm.api.base.parsers import UNSTORABLE, BoundedJSONParser
from crm.api.base.serializers import BodySerializer, CompanyUserField, TenantSerializer
from crm.api.base.views import ReadViewSet, without_body
from crm.api.companions import UserNameField
from crm.choices import ImportState
from crm.error_codes import ErrorCode
from crm.models import Import
from crm.services.imports.rejected_rows import rejected_csv
from crm.services.imports.requests import Options, begin_import, open_upload
from crm.services.imports.undo import begin_undo
from crm.services.stored_files import upload_on_disk

OF_FILES = (ErrorCode.UNREADABLE_FILE, ErrorCode.INVALID_MAPPING, ErrorCode.MAPPING_NEEDED)


class ImportSerializer(TenantSerializer):
    created_by = CompanyUserField(read_only=True, allow_null=True)
    created_by_name = UserNameField("created_by")
    list = serializers.IntegerField(
        source="list_id", read_only=True, allow_null=True, help_text="ID of the list with its contacts. Null: none."
    )
    task = serializers.IntegerField(
        source="task_id", read_only=True, help_text="ID of the background task that does the import, or its undo."
    )

    class Meta:
        model = Import
        fields = [
            "id", "name", "state", "dry_run", "warning", "file_rows", "rows", "created", "updated", "unchanged",
            "merged_in_file", "rejected", "reversed", "kept", "errored", "list", "task", "created_by",
            "created_by_name", "created_at", "ended_at", "updated_at",
        ]  # fmt: skip
        extra_kwargs = {
            "state": {"help_text": "Where it stands. The counts are final once it is done."},
            "warning": {
                "help_text": "What a person should check: it looks like another company's list. Empty: nothing."
            },
            "created": {"help_text": "Rows that became new contacts."},
            "updated": {"help_text": "Rows that changed a contact."},
            "unchanged": {"help_text": "Rows whose contact has all that they say."},
            "merged_in_file": {"help_text": "Rows whose contact has an earlier row in the same file."},
            "rejected": {"help_text": "Rows that were not imported: GET imports/{id}/rejected."},
            "ended_at": {"help_text": "Time of its end. Null: it hasn't ended."},
        }


@extend_schema_field({"type": "object", "additionalProperties": True})
class MappingField(serializers.JSONField):
    """A mapping as JSON."""


class ImportUploadSerializer(BodySerializer):
    file = serializers.FileField(allow_empty_file=True, help_text="The file: CSV in any encoding, or Excel (.xlsx).")
    preset = serializers.CharField(
        required=False, default="", max_length=50, help_text="Name of a preset. Default: found by the file's columns."
    )
    mapping = MappingField(
        required=False, default=None,
        help_text='Which column goes where: {"columns": {"Cell": "phone", "Name": "full_name"}}. Default: that of the '
        "last file with these columns, or of a preset.",
    )  # fmt: skip
    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="Whether to predict the counts, and change no contact."
    )
    overwrite = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, default=list,
        help_text="Columns of contacts that the file may overwrite, such as email or field:roof_age. Default: only "
        "blank ones are filled.",
    )  # fmt: skip
    tags = serializers.ListField(
        child=serializers.CharField(max_length=50), required=False, default=list, help_text="Tags for all contacts."
    )
    list_name = serializers.CharField(
        required=False, default="", max_length=200, help_text="Name of the list for all contacts. Default: the file's."
    )
    consent_wording = serializers.CharField(
        required=False, default="", help_text="What the people agreed to, if a column says that they did."
    )

    def refused_fields(self, data: dict[str, Any]) -> dict[str, ErrorDetail]:
        """Return an error for each unknown field. All values of a form are texts."""
        computed = ImportSerializer().fields
        errors = {}
        for name in data:
            if name not in self.fields:
                code = ErrorCode.READ_ONLY if name in computed else ErrorCode.UNKNOWN_FIELD
                errors[name] = ErrorDetail(code.detail, code)
        for name, value in data.items():
            if isinstance(value, str) and UNSTORABLE.search(value):
                errors[name] = ErrorDetail(ErrorCode.UNSTORABLE.detail, ErrorCode.UNSTORABLE)
        return errors


class ImportFilterSet(ListFilterSet):
    state = ChoicesFilter(choices=ImportState.choices)


class ImportViewSet(ReadViewSet):
    """Imports of contacts from files. Each row of a file ends in exactly one of five counts."""

    resource = "imports"
    model = Import
    serializer_class = ImportSerializer
    filterset_class = ImportFilterSet
    parser_classes = (BoundedJSONParser, MultiPartParser)
    refusals = {"create": (*OF_FILES, ErrorCode.READ_ONLY), "undo": (ErrorCode.NOT_UNDOABLE,)}

    @property
    def has_etag(self) -> bool:  # type: ignore[override]
        return super().has_etag and self.action != "rejected"

    @extend_schema(request=ImportUploadSerializer, responses={202: ImportSerializer})
    def create(self, request: Request) -> Response:
        """Import a file, of up to 500 MB. It is stored, and the worker imports it: see `state`, or the `task`."""
        body = ImportUploadSerializer(data=request.data, context={"request": request})
        body.is_valid(raise_exception=True)
        sent = body.validated_data
        options = Options(
            overwrite=sent["overwrite"], tags=sent["tags"], list_name=sent["list_name"],
            consent_wording=sent["consent_wording"],
        )  # fmt: skip
        company = self.user.company
        assert company is not None  # the permission class rejects users without one  # noqa: S101
        with upload_on_disk(sent["file"]) as path:
            source = begin_import(
                company=company, upload=open_upload(path=path, name=sent["file"].name), user=self.user,
                mapping=sent["mapping"], preset=sent["preset"], options=options, dry_run=sent["dry_run"],
            )  # fmt: skip
        return self.row_response(source.pk, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.BINARY, description="The rows, with their reasons.")}
    )
    @action(detail=True, methods=["get"])
    def rejected(self, request: Request, **kwargs: Any) -> HttpResponseBase:
        """Download the rejected rows as CSV, with the reasons in the last column. Mend them and send them again."""
        source = self.get_object()
        return StreamingHttpResponse(
            rejected_csv(source=source),
            content_type="text/csv; charset=utf-8",
            headers=attachment(f"Rejected rows of {Path(source.name).stem}.csv"),
        )

    @extend_schema(request=None, responses=ImportSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def undo(self, request: Request, **kwargs: Any) -> Response:
        """Undo an import, within 30 days. Contacts that somebody has touched since are kept, and counted as such."""
        return self.row_response(begin_undo(source=self.get_object(), user=self.user).pk)
