"""`contacts` and `contact-flags`."""

from functools import cached_property
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from rest_framework.serializers import BaseSerializer

from crm.api.base.filters import ChoicesFilter, ContactFilterSet, ContactSearchFilter, ListFilterSet
from crm.api.base.serializers import CompanyUserField, PhoneField, TenantSerializer
from crm.api.base.views import EditViewSet, FullViewSet
from crm.api.companions import ContactSummaryField, FlagsField, OptedOutField, PhonesField, UserNameField
from crm.api.contact_exports import ContactExport
from crm.api.contact_labels import LABEL_CODES, FieldParameters, FieldsField, ListFilter, TagFilter, TagsField
from crm.choices import FlagType
from crm.error_codes import ErrorCode
from crm.models import Contact, ContactFlag
from crm.services.contact_fields import set_field_values
from crm.services.contacts import create_contact, delete_contact, update_contact
from crm.services.flags import check_flag, save_flag
from crm.services.opt_outs import lock_opt_outs_of
from crm.services.tags import replace_tags

LABELS = ("tags", "fields")  # of rows of their own


class ContactSerializer(TenantSerializer):
    phone = PhoneField(max_length=64)
    phones = PhonesField("id", help_text="All numbers, the main one too, in the order in which they were added.")
    flags = FlagsField()
    opted_out = OptedOutField()
    tags = TagsField("id")
    fields: Any = FieldsField("id")  # every serializer has a property of this name

    class Meta:
        model = Contact
        fields = [
            "id", "first_name", "last_name", "phone", "phones", "flags", "opted_out", "email",
            "address", "city", "state", "postal_code", "timezone", "tags", "fields",
            "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["created_at", "updated_at"]
        extra_kwargs = {
            "updated_at": {
                "help_text": "Time of the last change of other fields than `tags` and `fields`. The ETag and `changes` "
                "tell of those, too."
            }
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        super().validate({name: value for name, value in attrs.items() if name not in LABELS})
        return attrs

    def create(self, validated_data: dict[str, Any]) -> Contact:
        labels = take_labels(validated_data)
        with transaction.atomic():
            return self.save_labels(create_contact(**validated_data), labels)

    def update(self, instance: Contact, validated_data: dict[str, Any]) -> Contact:
        labels = take_labels(validated_data)
        with transaction.atomic():
            return self.save_labels(update_contact(contact=instance, **validated_data), labels)

    def save_labels(self, contact: Contact, labels: dict[str, Any]) -> Contact:
        user = self.context["request"].user
        if "tags" in labels:
            replace_tags(contact=contact, names=labels["tags"], user=user)
        if "fields" in labels:
            set_field_values(company_id=contact.company_id, values={contact.pk: labels["fields"]}, user=user)
        return contact


def take_labels(values: dict[str, Any]) -> dict[str, Any]:
    """Remove and return those values that are no columns of the contact."""
    return {name: values.pop(name) for name in LABELS if name in values}


class ContactSearchSet(ListFilterSet):
    search = ContactSearchFilter(field_name="pk")
    tag = TagFilter()
    list = ListFilter()


class ContactViewSet(FullViewSet):
    """Contacts. A contact with a history can't be deleted (409).

    The list can be filtered by custom fields, too: `field.KEY=` is the value, and may be repeated for any of several;
    `field.KEY.gte=` and `field.KEY.lte=` are the ends of a range of numbers or days.
    """

    resource = "contacts"
    model = Contact
    serializer_class = ContactSerializer
    refusals = dict.fromkeys(["create", "partial_update"], (ErrorCode.OWN_NUMBER, *LABEL_CODES))
    filterset_class = ContactSearchSet
    export_class = ContactExport

    @cached_property
    def field_parameters(self) -> FieldParameters:
        return FieldParameters(self.request.query_params)

    def known_parameters(self) -> set[str]:
        return super().known_parameters() | (self.field_parameters.known if self.is_list else set())

    def repeatable_parameters(self) -> set[str]:
        return super().repeatable_parameters() | (self.field_parameters.repeatable if self.is_list else set())

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        contacts = super().filter_queryset(queryset)
        return self.field_parameters.filter(contacts) if self.is_list else contacts

    def perform_destroy(self, instance: Contact) -> None:
        delete_contact(contact=instance)


class ContactFlagSerializer(TenantSerializer):
    created_by = CompanyUserField(read_only=True, allow_null=True)
    created_by_name = UserNameField("created_by")
    contact_summary = ContactSummaryField()

    class Meta:
        model = ContactFlag
        fields = [
            "id", "contact", "contact_summary", "flag_type", "review_state", "reason", "source", "evidence",
            "created_by", "created_by_name", "created_at", "updated_at", "expires_at",
        ]  # fmt: skip
        read_only_fields = ["review_state", "created_at", "updated_at"]
        fixed_fields = ["contact"]

    def prepare(self, row: ContactFlag) -> None:
        check_flag(before=self.instance, after=row)

    def create(self, validated_data: dict[str, Any]) -> ContactFlag:
        return save_flag(flag=ContactFlag(**validated_data), user=validated_data["created_by"])

    def update(self, instance: ContactFlag, validated_data: dict[str, Any]) -> ContactFlag:
        if instance.flag_type != FlagType.OPTED_OUT:
            return super().update(instance, validated_data)
        for name, value in validated_data.items():
            setattr(instance, name, value)
        return save_flag(flag=instance, user=self.context["request"].user)


class ContactFlagFilterSet(ContactFilterSet):
    flag_type = ChoicesFilter(choices=FlagType.choices)


class ContactFlagViewSet(EditViewSet):
    """Flags of contacts. A flag ends at `expires_at`; it can't be deleted.

    The flag `opted_out` opts out every number of the contact. Its end opts them in again.
    """

    resource = "contact-flags"
    model = ContactFlag
    serializer_class = ContactFlagSerializer
    filterset_class = ContactFlagFilterSet

    def lock_row(self) -> None:
        """Keep to the order of locks: opt-outs, then the contact, then its flag. Another order could deadlock."""
        flag = self.get_object()
        if flag.flag_type == FlagType.OPTED_OUT:
            lock_opt_outs_of(contact=flag.contact)
        super().lock_row()

    def perform_create(self, serializer: BaseSerializer) -> None:
        serializer.save(company_id=self.user.company_id, created_by=self.user)
