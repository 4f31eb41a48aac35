"""`attachments`: files of messages, calls, contacts and appointments, with short-lived links."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.datastructures import MultiValueDict
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers, status
from rest_framework.exceptions import ErrorDetail
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from calls.choices import AttachmentStatus
from calls.models import Appointment, Attachment
from calls.services.attachments.links import make_link
from calls.services.attachments.uploads import remove_upload, upload_file
from crm.api.base.companions import Companion, add_companions
from crm.api.base.errors import invalid
from crm.api.base.parsers import BoundedJSONParser
from crm.api.base.roles import visible
from crm.api.base.serializers import BodySerializer, CompanyUserField, ContactField, TenantSerializer
from crm.api.base.views import DeleteMixin, RetrieveMixin, TenantView, TenantViewSet
from crm.api.companions import UserNameField
from crm.choices import Role
from crm.error_codes import ErrorCode
from crm.models import Contact, User

LINK = "Where the file is, for a quarter of an hour and without signing in. Null: it isn't stored."


@extend_schema_field(str)
class LinkField(Companion):
    """The link to a stored file. Who may see an attachment may have its file."""

    def __init__(self) -> None:
        super().__init__("id", help_text=LINK)

    def key_of(self, row: dict[str, Any]) -> Any:
        return row["id"] if row["status"] == AttachmentStatus.STORED else None

    def load(self, keys: set[int], user: User) -> dict[int, str | None]:
        stored = AttachmentStatus.STORED
        return {pk: absolute_link(Attachment(pk=pk, company_id=user.company_id or 0, status=stored)) for pk in keys}


class AttachmentSerializer(TenantSerializer):
    name = serializers.CharField(source="file.name", default="", read_only=True, help_text="Name to save it under.")
    content_type = serializers.CharField(
        source="file.content_type", default="", read_only=True,
        help_text="Such as image/jpeg, found in the file itself. Empty until it is stored.",
    )  # fmt: skip
    size = serializers.IntegerField(
        source="file.size", default=None, read_only=True, allow_null=True, help_text="Bytes. Null until it is stored."
    )
    url = LinkField()
    created_by = CompanyUserField(
        read_only=True, allow_null=True, help_text="ID of the user who uploaded it. Null: it came from the provider."
    )
    created_by_name = UserNameField("created_by")

    class Meta:
        model = Attachment
        fields = [
            "id", "kind", "call", "contact", "appointment", "status", "error", "name", "content_type", "size", "url",
            "created_by", "created_by_name", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["kind", "status", "error", "call", "created_at", "updated_at"]
        extra_kwargs = {
            "kind": {"help_text": "Where it comes from."},
            "contact": {"help_text": "ID of the contact that it was put on. Null: it belongs to something else."},
            "appointment": {"help_text": "ID of its appointment. Null: none."},
            "status": {"help_text": "`pending` until a worker has fetched it from the provider, or failed to."},
            "error": {"help_text": "Why the last attempt to fetch it has failed. Empty: it hasn't."},
            "created_at": {"help_text": "Time of the message, the call or the upload."},
        }


def show_files(files: Iterable[Attachment], context: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return attachments as JSON, completed together."""
    serializer = AttachmentSerializer(context=dict(context))
    rows = [serializer.own_fields(attachment) for attachment in files]
    add_companions(rows, serializer.companions, context["request"].user)
    return rows


def absolute_link(attachment: Attachment) -> str | None:
    """Return the URL of a stored file for a reader who may have it."""
    if attachment.status != AttachmentStatus.STORED:
        return None
    return settings.PUBLIC_URL + make_link(attachment).path


@extend_schema_field(int)
class OwnerField(ContactField):
    """A contact that the user sees."""


@extend_schema_field(int)
class AppointmentField(serializers.PrimaryKeyRelatedField):
    """An appointment that the user sees."""

    def get_queryset(self) -> Any:
        return visible(Appointment.objects.all(), self.context["request"].user, "appointments")


class UploadSerializer(BodySerializer):
    file = serializers.FileField(allow_empty_file=True, help_text="The file, of up to 25 MiB.")
    contact = OwnerField(required=False, help_text="ID of the contact that it is put on.")
    appointment = AppointmentField(required=False, help_text="ID of the appointment that it is put on.")

    def refused_fields(self, data: dict[str, Any]) -> dict[str, ErrorDetail]:
        """Return an error for each unknown field, and for values of a wrong type. All values of a form are texts."""
        computed = AttachmentSerializer().fields
        codes = {
            name: ErrorCode.READ_ONLY if name in computed else ErrorCode.UNKNOWN_FIELD
            for name in data
            if name not in self.fields
        }
        refused = {name: ErrorDetail(code.detail, code) for name, code in codes.items()}
        return refused if isinstance(data, MultiValueDict) else super().refused_fields(data) | refused

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("contact") and attrs.get("appointment"):
            raise invalid("appointment", "Send a contact or an appointment.", code=ErrorCode.NOT_ALLOWED)
        if not (attrs.get("contact") or attrs.get("appointment")) and self.context["request"].user.role == Role.REP:
            raise invalid("contact", "Send a contact or an appointment.", code=ErrorCode.REQUIRED)
        return attrs


class AttachmentListSerializer(serializers.Serializer):
    attachments = AttachmentSerializer(many=True, help_text="The files, newest first.")


def list_files(files: QuerySet[Attachment], context: Any) -> Response:
    """Return the response with all files of a contact or an appointment."""
    rows = files.select_related("file").order_by("-created_at", "-pk")
    return Response({"attachments": show_files(rows, context)})


@extend_schema_view(
    retrieve=extend_schema(summary="Read an attachment"), destroy=extend_schema(summary="Delete an uploaded file")
)
class AttachmentViewSet(DeleteMixin, RetrieveMixin, TenantViewSet):
    """A file, with a new link. Lists of files are those of `messages`, `calls`, `contacts` and `appointments`."""

    resource = "attachments"
    model = Attachment
    serializer_class = AttachmentSerializer
    parser_classes = (BoundedJSONParser, MultiPartParser)
    refusals = {
        "create": (
            ErrorCode.UNREADABLE_FILE,
            ErrorCode.LIMIT_REACHED,
            ErrorCode.NOT_ALLOWED,
            ErrorCode.REQUIRED,
            ErrorCode.READ_ONLY,
        ),
        "destroy": (ErrorCode.NOT_ALLOWED,),
    }

    @extend_schema(summary="Upload a file", request=UploadSerializer, responses={201: AttachmentSerializer})
    def create(self, request: Request) -> Response:
        """Upload a file, for a contact or an appointment. Without one, send its ID with a message within a day."""
        body = UploadSerializer(data=request.data, context={"request": request})
        body.is_valid(raise_exception=True)
        sent = body.validated_data
        attachment = upload_file(
            upload=sent["file"], user=self.user, contact=sent.get("contact"), appointment=sent.get("appointment")
        )
        return self.row_response(attachment.pk, status=status.HTTP_201_CREATED)

    def perform_destroy(self, instance: Attachment) -> None:
        remove_upload(attachment=instance, user=self.user)

    def get_rows(self) -> Any:
        return Attachment.objects.select_related("file")


class ContactAttachmentsView(TenantView):
    """The files that users have put on a contact."""

    resource = "contacts/attachments"

    @extend_schema(
        operation_id="contacts_attachments", summary="List the files of a contact", responses=AttachmentListSerializer
    )
    def get(self, request: Request, **kwargs: Any) -> Response:
        """List all files of a contact, newest first. Those of its messages and calls are there."""
        contact = get_object_or_404(visible(Contact.objects.all(), self.user, "contacts"), pk=kwargs["contact"])
        return list_files(Attachment.objects.filter(contact=contact), {"request": request, "view": self})
