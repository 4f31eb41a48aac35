"""The attachments of messages, as a companion."""

from typing import Any, ClassVar

from django.db.models import F
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from calls.api.attachments import LINK, absolute_link
from calls.choices import AttachmentStatus
from calls.models import Attachment
from crm.api.base.companions import Companion
from crm.models import User


class MessageFileSerializer(serializers.Serializer):
    """A file of a message."""

    id = serializers.IntegerField(help_text="ID of the attachment.")
    status = serializers.ChoiceField(
        choices=AttachmentStatus.choices, help_text="`pending` until a worker has fetched it, or failed to."
    )
    name = serializers.CharField(help_text="Name to save it under. Empty until it is stored.")
    content_type = serializers.CharField(help_text="Such as image/jpeg. Empty until it is stored.")
    size = serializers.IntegerField(allow_null=True, help_text="Bytes. Null until it is stored.")
    url = serializers.CharField(allow_null=True, help_text=LINK)


@extend_schema_field(MessageFileSerializer(many=True))
class MessageFilesField(Companion):
    """The files of a message, in their order. Who may see a message may see its files."""

    missing: ClassVar[Any] = []

    def __init__(self) -> None:
        super().__init__("id", help_text="Its files, such as photos, in the company's own store.")

    def key_of(self, row: dict[str, Any]) -> Any:
        return row["id"] if row["media"] else None

    def load(self, keys: set[int], user: User) -> dict[int, list[dict[str, Any]]]:
        rows = Attachment.objects.filter(activity__message__in=keys).select_related("file")
        found: dict[int, list[dict[str, Any]]] = {}
        for row in rows.annotate(message=F("activity__message")).order_by("position", "pk"):
            file = row.file
            found.setdefault(row.message, []).append(
                {
                    "id": row.pk, "status": row.status, "name": file.name if file else "",
                    "content_type": file.content_type if file else "", "size": file.size if file else None,
                    "url": absolute_link(row),
                }
            )  # fmt: skip
        return found
