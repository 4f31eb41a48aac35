"""`contacts/{id}/merge`, and `merges` with their undoing."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.filters import ContactFilter, ListFilterSet
from crm.api.base.serializers import BodySerializer, ContactField, TenantSerializer
from crm.api.base.views import ReadViewSet, TenantViewSet, without_body
from crm.api.companions import ContactSummaryField, UserNameField
from crm.error_codes import ErrorCode
from crm.models import Contact, ContactMerge
from crm.services.merging.fields import CUSTOM, FIELDS
from crm.services.merging.merge import merge_contacts
from crm.services.merging.undo import undo_merge

MERGE_CODES = (ErrorCode.MERGED, ErrorCode.NOT_ALLOWED, ErrorCode.INVALID, ErrorCode.INVALID_PHONE)
CHOICE = (
    "`kept`: that of the contact in the URL, `gone`: that of the other. Any other text is the value itself, but for a "
    "custom field. Tags of both are kept in any case."
)


class ChosenFieldsMixin(serializers.Serializer):
    """A body with `fields`, a name that serializers use themselves."""

    chosen_fields = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=254),
        required=False,
        help_text=f"By field ({', '.join(FIELDS)}, or `{CUSTOM}KEY` for a custom field): {CHOICE} "
        "Left out: `kept`, with its blank fields filled.",
    )

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        fields["fields"] = fields.pop("chosen_fields")
        return fields


class ContactMergeSerializer(TenantSerializer):
    kept_summary = ContactSummaryField("kept")
    gone = serializers.IntegerField(
        source="gone_id", read_only=True, help_text="ID of the contact that was deleted: `kept` stands for it."
    )
    moved = serializers.DictField(
        source="counts", child=serializers.IntegerField(), read_only=True, help_text="Number of moved rows, by table."
    )
    not_restored = serializers.ListField(
        child=serializers.DictField(),
        read_only=True,
        help_text="Rows that the undoing left: `table`, `ids`, `reason`, and maybe `columns`.",
    )
    created_by_name = UserNameField("created_by")
    undone_by_name = UserNameField(
        "undone_by", help_text="Name of the user who undid it. Null: nobody did, or a program."
    )

    class Meta:
        model = ContactMerge
        fields = [
            "id", "kept", "kept_summary", "gone", "fields", "moved", "created_by", "created_by_name", "created_at",
            "updated_at", "undone_at", "undone_by", "undone_by_name", "not_restored",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {
            "kept": {"help_text": "ID of the contact that stayed."},
            "undone_at": {"help_text": "Time when it was undone. Null: it is in force."},
            "undone_by": {"help_text": "ID of the user who undid it. Null: nobody did, or a program."},
        }

    def get_fields(self) -> dict[str, serializers.Field]:
        chosen = serializers.DictField(read_only=True, help_text="The values that were chosen, by field.")
        return super().get_fields() | {"fields": chosen}


@extend_schema_field({"type": "integer"})
class OtherContactField(ContactField):
    """A contact in a body that has no model to tell the type of an ID."""


class MergeSerializer(ChosenFieldsMixin, BodySerializer):
    """The contact to merge, and which values stay."""

    other = OtherContactField(help_text="ID of the contact to merge into the one in the URL. It is deleted.")


class UndoneMergeSerializer(serializers.Serializer):
    """Result of an undoing."""

    id = serializers.IntegerField()
    contact = serializers.IntegerField(help_text="ID of the contact that is back.")
    restored = serializers.DictField(
        child=serializers.IntegerField(), help_text="Number of rows that went back to it, by table."
    )
    followed = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Number of calls and messages since the merge that belong to its numbers, by table.",
    )
    not_restored = serializers.ListField(
        child=serializers.DictField(),
        help_text="Rows that stay as they are: `table`, `ids`, `reason` (`changed`, `deleted`, `taken`, `reference`).",
    )


class MergeContactViewSet(TenantViewSet):
    """The merge of two contacts."""

    resource = "contacts"
    model = Contact
    serializer_class = ContactMergeSerializer
    refusals = {"merge": MERGE_CODES}

    @extend_schema(request=MergeSerializer, responses=ContactMergeSerializer)
    def merge(self, request: Request, **kwargs: Any) -> Response:
        """Merge another contact into this one.

        Every call, message, appointment and other row of the other contact moves. Its ID is a 410 (`merged`) from then
        on, with `merged_into`. `POST merges/{id}/undo` undoes it for 30 days.
        """
        kept = self.get_object()
        body = MergeSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        merge = merge_contacts(
            kept=kept, gone=body.validated_data["other"], user=self.user, fields=body.validated_data.get("fields")
        )
        return Response(ContactMergeSerializer(merge, context=self.get_serializer_context()).data)


class ContactMergeFilterSet(ListFilterSet):
    contact = ContactFilter(field_name="kept")


class ContactMergeViewSet(ReadViewSet):
    """Merges of contacts, newest first."""

    resource = "merges"
    model = ContactMerge
    serializer_class = ContactMergeSerializer
    filterset_class = ContactMergeFilterSet
    refusals = {
        "undo": (
            ErrorCode.MERGE_UNDONE,
            ErrorCode.UNDO_EXPIRED,
            ErrorCode.NEWER_MERGE,
            ErrorCode.NO_NUMBER_LEFT,
        )
    }

    @property
    def has_etag(self) -> bool:  # type: ignore[override]
        return self.action == "retrieve"

    @extend_schema(request=None, responses=UndoneMergeSerializer)
    @without_body
    def undo(self, request: Request, **kwargs: Any) -> Response:
        """Undo a merge, for 30 days: what is still where the merge put it goes back, and the rest is named.

        409 if it is undone already, or if the contact was merged again since: undo that merge first.
        """
        undone = undo_merge(merge=self.get_object(), user=self.user)
        return Response(
            {
                "id": undone.merge.pk,
                "contact": undone.gone.pk,
                "restored": undone.restored,
                "followed": undone.followed,
                "not_restored": undone.not_restored,
            }
        )
