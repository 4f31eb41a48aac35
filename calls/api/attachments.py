"""`attachments`: files of messages, calls, contacts and appointments, with short-lived links."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from calls.choices import AttachmentStatus
from calls.models import Attachment
from calls.services.attachments.links import make_link
from crm.api.base.companions import add_companions
from crm.api.base.serializers import CompanyUserField, TenantSerializer
from crm.api.base.views import RetrieveMixin, TenantViewSet
from crm.api.companions import UserNameField

LINK = "Where the file is, for a quarter of an hour and without signing in. Null: it isn't stored."


class AttachmentSerializer(TenantSerializer):
    name = serializers.CharField(source="file.name", default="", read_only=True, help_text="Name to save it under.")
    content_type = serializers.CharField(
        source="file.content_type", default="", read_only=True,
        help_text="Such as image/jpeg, found in the file itself. Empty until it is stored.",
    )  # fmt: skip
    size = serializers.IntegerField(
        source="file.size", default=None, read_only=True, allow_null=True, help_text="Bytes. Null until it is stored."
    )
    url = serializers.SerializerMethodField(help_text=LINK)
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
        read_only_fields = ["kind", "status", "error", "call", "contact", "appointment", "created_at", "updated_at"]
        extra_kwargs = {
            "kind": {"help_text": "Where it comes from."},
            "contact": {"help_text": "ID of the contact that it was put on. Null: it belongs to something else."},
            "appointment": {"help_text": "ID of its appointment. Null: none."},
            "status": {"help_text": "`pending` until a worker has fetched it from the provider, or failed to."},
            "error": {"help_text": "Why the last attempt to fetch it has failed. Empty: it hasn't."},
            "created_at": {"help_text": "Time of the message, the call or the upload."},
        }

    def get_url(self, attachment: Attachment) -> str | None:
        return absolute_link(attachment)


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


@extend_schema_view(retrieve=extend_schema(summary="Read an attachment"))
class AttachmentViewSet(RetrieveMixin, TenantViewSet):
    """A file, with a new link. Lists of files are those of `messages`, `calls`, `contacts` and `appointments`."""

    resource = "attachments"
    model = Attachment
    serializer_class = AttachmentSerializer

    def get_rows(self) -> Any:
        return Attachment.objects.select_related("file")
