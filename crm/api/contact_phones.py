"""`contacts/{id}/phones`: the numbers of a contact."""

from typing import Any, ClassVar

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.serializers import BaseSerializer

from crm.api.base.roles import visible
from crm.api.base.serializers import PhoneField, TenantSerializer
from crm.api.base.views import FullViewSet
from crm.error_codes import ErrorCode
from crm.models import Contact, ContactPhone
from crm.services.contact_numbers import add_number, change_number, remove_number
from crm.services.contacts import NumberRefused


class ContactPhoneSerializer(TenantSerializer):
    number = PhoneField(source="phone", max_length=64, help_text="In any format; returned as E.164.")
    label = serializers.CharField(  # type: ignore[assignment]  # every Field has an attribute of this name
        max_length=50, required=False, allow_blank=True, help_text='What the number is, such as "Work".'
    )
    is_main = serializers.BooleanField(
        required=False, help_text="Whether it is the main number, the contact's `phone`. True makes it the main one."
    )

    class Meta:
        model = ContactPhone
        fields = ["id", "number", "label", "is_main", "created_at", "updated_at"]
        read_only_fields = ["created_at", "updated_at"]
        fixed_fields = ["number"]  # opt-outs belong to the number: add another one and remove this one
        extra_kwargs = {"created_at": {"help_text": "Time when the number was added."}}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return attrs  # the services check the constraints, and name the contact that has the number

    def create(self, validated_data: dict[str, Any]) -> ContactPhone:
        return self._write(add_number, **validated_data)

    def update(self, instance: ContactPhone, validated_data: dict[str, Any]) -> ContactPhone:
        validated_data.pop("phone", None)  # unchanged: a fixed field
        return self._write(change_number, number=instance, **validated_data)

    def _write(self, service: Any, **values: Any) -> ContactPhone:
        try:
            number: ContactPhone = service(**values)
        except NumberRefused as error:
            error.attr = "number"  # not the contact's `phone`
            raise
        return number


class ContactPhoneViewSet(FullViewSet):
    """Numbers of a contact, in the order in which they were added. Exactly one is the main number.

    A number of another contact is a 409 (`number_taken`) whose `existing` is the contact. The main number can't be
    removed (409, `main_number`): make another number the main one first. Opt-outs stay with a number that is removed.
    """

    resource = "contacts/phones"
    model = ContactPhone
    serializer_class = ContactPhoneSerializer
    refusals = {
        "create": (ErrorCode.NUMBER_TAKEN, ErrorCode.OWN_NUMBER),
        "partial_update": (ErrorCode.OWN_NUMBER, ErrorCode.MAIN_NUMBER),
        "destroy": (ErrorCode.MAIN_NUMBER,),
    }
    orders: ClassVar = {"oldest": ("created_at", "id"), "newest": ("-created_at", "-id")}

    def get_contact(self) -> Contact:
        return get_object_or_404(visible(Contact.objects.all(), self.user, "contacts"), pk=self.kwargs["contact"])

    def get_rows(self) -> Any:
        return ContactPhone.objects.all().with_is_main()

    def columns_of_url(self) -> dict[str, int]:
        return {"contact": self.find_contact()}

    def perform_create(self, serializer: BaseSerializer) -> None:
        serializer.save(contact=self.get_contact())

    def perform_destroy(self, instance: ContactPhone) -> None:
        remove_number(number=instance)
