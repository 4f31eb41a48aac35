"""`tags`, `contact-fields` and `contact-lists`: what a company sorts its contacts by."""

from typing import Any, ClassVar

from django.db.models import Count
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.companions import Companion
from crm.api.base.errors import invalid
from crm.api.base.filters import ChoicesFilter, ListFilterSet, YesNoFilter
from crm.api.base.pagination import read_flag
from crm.api.base.serializers import BodySerializer, CompanyUserField, TenantSerializer
from crm.api.base.views import FullViewSet, without_body
from crm.api.companions import UserNameField
from crm.choices import FieldType
from crm.contact_labels import (
    KEY,
    MAX_KEY_LENGTH,
    MAX_OPTION_LENGTH,
    MAX_OPTIONS,
    InvalidValue,
    clean_label,
    key_from_label,
    label_key,
    text_key,
)
from crm.error_codes import ErrorCode
from crm.models import ContactField, ContactFieldValue, ContactList, ContactListEntry, ContactTag, Tag, User
from crm.services.contact_fields import change_field, delete_field, restore_field
from crm.services.contact_lists import add_to_list, delete_list, remove_from_list, unknown_contacts
from crm.services.exports.headers import is_reserved
from crm.services.merging.tombstones import refuse_merged
from crm.services.tags import delete_tag, parse_tag

CONFIRM = "confirm"
MAX_CONTACTS = 5000  # in one request; it can be repeated
MAX_NAMED = 20


@extend_schema_field(int)
class ContactCountField(Companion):
    """The number of contacts that have a tag or a custom field, or are on a list."""

    missing: ClassVar[int] = 0

    def __init__(self, model: Any, reference: str) -> None:
        super().__init__("id", help_text="Number of contacts.")
        self.rows, self.reference = model, reference

    def load(self, keys: set[int], user: User) -> dict[int, int]:
        rows = self.rows.objects.filter(**{f"{self.reference}__in": keys}).order_by().values(self.reference)
        return dict(rows.annotate(n=Count("pk")).values_list(self.reference, "n"))


class AskingViewSet(FullViewSet):
    """Rows whose deletion takes something from contacts: it needs `confirm=1` (409 `confirm_needed` without)."""

    def known_parameters(self) -> set[str]:
        return super().known_parameters() | ({CONFIRM} if self.action == "destroy" else set())

    @extend_schema(parameters=[OpenApiParameter(CONFIRM, int, enum=[0, 1], description="1: the person was asked.")])
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.confirmed = read_flag(request, CONFIRM)
        return super().destroy(request, *args, **kwargs)


class TagNameField(serializers.CharField):
    """The name of a tag, with single spaces."""

    def to_internal_value(self, data: Any) -> str:
        try:
            return parse_tag(super().to_internal_value(data))
        except InvalidValue as error:
            raise serializers.ValidationError(str(error)) from error


class TagSerializer(TenantSerializer):
    name = TagNameField(max_length=50, help_text="The tag. Capital letters don't make another one.")
    contact_count = ContactCountField(ContactTag, "tag")

    class Meta:
        model = Tag
        fields = ["id", "name", "contact_count", "created_at", "updated_at"]
        read_only_fields = ["created_at", "updated_at"]

    def prepare(self, row: Tag) -> None:
        row.name_key = label_key(row.name)


class TagViewSet(AskingViewSet):
    """Tags of contacts. A deletion takes the tag from all contacts; a tag that a segment uses can't be deleted."""

    resource = "tags"
    model = Tag
    serializer_class = TagSerializer
    refusals = {"destroy": (ErrorCode.CONFIRM_NEEDED,)}

    def perform_destroy(self, instance: Tag) -> None:
        delete_tag(tag=instance, confirmed=self.confirmed)


class OptionsField(serializers.ListField):
    child = serializers.CharField(max_length=MAX_OPTION_LENGTH)

    def to_internal_value(self, data: Any) -> list[str]:
        options = [clean_label(option) for option in super().to_internal_value(data)]
        if len({text_key(option) for option in options}) < len(options):
            raise serializers.ValidationError("Must not repeat an option.")
        return options


class ContactFieldSerializer(TenantSerializer):
    key = serializers.RegexField(
        rf"^{KEY.pattern}$", max_length=MAX_KEY_LENGTH, required=False,
        error_messages={"invalid": "Must be small letters, digits and _, beginning with a letter."},
        help_text="Name for programs: small letters, digits and `_`. By default it is made from the label.",
    )  # fmt: skip
    options = OptionsField(
        required=False, max_length=MAX_OPTIONS,
        help_text="The values of a `choice`. One that contacts have can't be removed (409 `option_in_use`).",
    )  # fmt: skip
    contact_count = ContactCountField(ContactFieldValue, "field")

    class Meta:
        model = ContactField
        fields = [
            "id", "key", "label", "field_type", "options", "position", "contact_count", "created_at", "updated_at",
            "deleted_at",
        ]  # fmt: skip
        read_only_fields = ["created_at", "updated_at", "deleted_at"]
        fixed_fields = ["key", "field_type"]  # segments and imports name the key; values are stored by the type
        extra_kwargs = {
            "label": {"help_text": "Name for people, and the header in exports and imports."},
            "field_type": {"help_text": "Type of the values."},
            "position": {"help_text": "Place in forms and lists: the smallest comes first."},
            "deleted_at": {"help_text": "Time of the deletion. It can be restored for 30 days. Null: not deleted."},
        }

    def validate_label(self, value: str) -> str:
        label = clean_label(value)
        if is_reserved(label):
            raise serializers.ValidationError("Every contact has this field already.", ErrorCode.UNIQUE)
        return label

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        field_type = attrs.get("field_type") or getattr(self.instance, "field_type", None)
        if self.instance is None:
            attrs.setdefault("key", key_from_label(attrs["label"]))
            if not attrs["key"]:
                raise invalid("key", code=ErrorCode.REQUIRED)
            attrs.setdefault("options", [])
        if "options" in attrs and bool(attrs["options"]) is not (field_type == FieldType.CHOICE):
            detail = "A choice needs options." if field_type == FieldType.CHOICE else "Only a choice has options."
            raise invalid("options", detail, code=ErrorCode.NOT_ALLOWED)
        return super().validate(attrs)

    def update(self, instance: ContactField, validated_data: dict[str, Any]) -> ContactField:
        return change_field(field=instance, **validated_data)


class ContactFieldFilterSet(ListFilterSet):
    field_type = ChoicesFilter(choices=FieldType.choices)
    deleted = YesNoFilter(
        field_name="deleted_at", lookup_expr="isnull", exclude=True, label="Those that are deleted and can be restored."
    )


class ContactFieldViewSet(AskingViewSet):
    """Custom fields of contacts. Managers define them.

    A deleted field can be restored with its values for 30 days. A field that a segment uses can't be deleted.
    """

    resource = "contact-fields"
    model = ContactField
    serializer_class = ContactFieldSerializer
    refusals = {
        "destroy": (ErrorCode.CONFIRM_NEEDED,),
        "partial_update": (ErrorCode.OPTION_IN_USE,),
        "restore": (ErrorCode.UNIQUE, ErrorCode.LIMIT_REACHED),
    }
    filterset_class = ContactFieldFilterSet

    def get_rows(self) -> Any:
        asks_for_deleted = self.is_list and "deleted" in self.request.query_params
        if asks_for_deleted or self.action in ("retrieve", "restore"):
            return ContactField.objects.all()
        return ContactField.objects.live()

    def perform_destroy(self, instance: ContactField) -> None:
        delete_field(field=instance, confirmed=self.confirmed)

    @extend_schema(request=None, responses=ContactFieldSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def restore(self, request: Request, **kwargs: Any) -> Response:
        """Restore a deleted field with its values. One that isn't deleted stays as it is."""
        return self.row_response(restore_field(field=self.get_object()).pk)


class ContactListSerializer(TenantSerializer):
    contact_count = ContactCountField(ContactListEntry, "list")
    created_by = CompanyUserField(read_only=True, allow_null=True)
    created_by_name = UserNameField("created_by")

    class Meta:
        model = ContactList
        fields = [
            "id", "name", "contact_count", "created_by", "created_by_name", "created_at", "updated_at",
            "entries_changed_at",
        ]  # fmt: skip
        read_only_fields = ["created_at", "updated_at", "entries_changed_at"]


class ContactsOfListSerializer(BodySerializer):
    contacts = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), min_length=1, max_length=MAX_CONTACTS,
        help_text="IDs of contacts.",
    )  # fmt: skip


class AddedSerializer(serializers.Serializer):
    added = serializers.IntegerField(help_text="Contacts that weren't on the list.")


class RemovedSerializer(serializers.Serializer):
    removed = serializers.IntegerField(help_text="Contacts that were on the list.")


class ContactListViewSet(AskingViewSet):
    """Static lists of contacts. `contacts?list=` shows the contacts of one.

    A list that a segment uses can't be deleted. Deleting a list keeps its contacts.
    """

    resource = "contact-lists"
    model = ContactList
    serializer_class = ContactListSerializer
    refusals = {"destroy": (ErrorCode.CONFIRM_NEEDED,), "add": (ErrorCode.DOES_NOT_EXIST, ErrorCode.MERGED)}

    @property
    def has_etag(self) -> bool:  # type: ignore[override]
        return self.action not in ("add", "remove") and super().has_etag

    def perform_create(self, serializer: serializers.BaseSerializer) -> None:
        serializer.save(company_id=self.user.company_id, created_by=self.user)

    def perform_destroy(self, instance: ContactList) -> None:
        delete_list(contact_list=instance, confirmed=self.confirmed)

    @extend_schema(request=ContactsOfListSerializer, responses=AddedSerializer)
    @action(detail=True, methods=["post"])
    def add(self, request: Request, **kwargs: Any) -> Response:
        """Add contacts to a list. Those who are on it stay there."""
        contact_list, contacts = self.get_object(), self.read_contacts(request)
        if unknown := unknown_contacts(contacts):
            refuse_merged(unknown)
            more = f" and {len(unknown) - MAX_NAMED:,} more" if len(unknown) > MAX_NAMED else ""
            detail = f"There are no contacts with these IDs: {', '.join(map(str, unknown[:MAX_NAMED]))}{more}."
            raise invalid("contacts", detail, code=ErrorCode.DOES_NOT_EXIST)
        return Response({"added": add_to_list(contact_list=contact_list, contact_ids=contacts)})

    @extend_schema(request=ContactsOfListSerializer, responses=RemovedSerializer)
    @action(detail=True, methods=["post"])
    def remove(self, request: Request, **kwargs: Any) -> Response:
        """Remove contacts from a list."""
        contact_list, contacts = self.get_object(), self.read_contacts(request)
        return Response({"removed": remove_from_list(contact_list=contact_list, contact_ids=contacts)})

    def read_contacts(self, request: Request) -> list[int]:
        body = ContactsOfListSerializer(data=request.data, context={"request": request})
        body.is_valid(raise_exception=True)
        contacts: list[int] = body.validated_data["contacts"]
        return contacts
