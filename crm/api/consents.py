"""`marketing-consents`: evidence that numbers agreed to marketing messages."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.errors import invalid
from crm.api.base.filters import ListFilterSet, OwnerSearchFilter, PhoneFilter, RowFilter, YesNoFilter
from crm.api.base.serializers import PhoneField, TenantSerializer
from crm.api.base.views import CreateReadViewSet, without_body
from crm.api.companions import ContactSummaryField, UserNameField
from crm.choices import ConsentSource
from crm.error_codes import ErrorCode
from crm.models import ContactPhone, MarketingConsent
from crm.services.consents import record_consent, withdraw_consent
from crm.services.merging.tombstones import stand_ins


class MarketingConsentSerializer(TenantSerializer):
    phone = PhoneField(help_text="The number, E.164. Any format is accepted. Empty after an erasure.")
    contact = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="The contact that has the number now. Null: nobody has it."
    )
    contact_summary = ContactSummaryField()
    recorded_by_name = UserNameField("recorded_by")

    class Meta:
        model = MarketingConsent
        fields = [
            "id", "contact", "contact_summary", "phone", "source", "wording", "proof", "given_at", "withdrawn_at",
            "recorded_by", "recorded_by_name", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["withdrawn_at", "recorded_by", "created_at", "updated_at"]
        extra_kwargs = {
            "source": {"help_text": "Where the consent was given."},
            "wording": {"max_length": 5000},
            "proof": {
                "help_text": "Where the proof is: the form's URL, the import's file, the ID of the message. Required, "
                "unless the source is `person`: then the user is the witness."
            },
            "given_at": {"help_text": "Time at which the person agreed. Default: now. A time in the future is now."},
            "withdrawn_at": {"help_text": "Time of the opt-out or withdrawal. Null: the consent is valid."},
            "recorded_by": {"help_text": "ID of the user who recorded it. Null: a program."},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check the proof alone: the service replaces an earlier consent of the number."""
        if attrs["source"] != ConsentSource.PERSON and not attrs.get("proof"):
            raise invalid("proof", "Required, unless the source is person.", code=ErrorCode.REQUIRED)
        return attrs

    def create(self, validated_data: dict[str, Any]) -> MarketingConsent:
        return record_consent(**validated_data)


class MarketingConsentFilterSet(ListFilterSet):
    phone = PhoneFilter(method="of_phone", label="The number, in any format.")
    contact = RowFilter(method="of_contacts")
    search = OwnerSearchFilter(field_name="phone")
    valid = YesNoFilter(field_name="withdrawn_at", lookup_expr="isnull", label="Whether it is not withdrawn.")

    def of_phone(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(phone=value)

    def of_contacts(self, queryset: Any, name: str, value: list[int]) -> Any:
        return queryset.filter(phone__in=ContactPhone.objects.filter(contact__in=stand_ins(value)).values("phone"))


class MarketingConsentViewSet(CreateReadViewSet):
    """Consents to marketing messages, one for each number, with their evidence.

    Evidence isn't changed: a later consent replaces an earlier one, and an opt-out withdraws it.
    """

    resource = "marketing-consents"
    model = MarketingConsent
    serializer_class = MarketingConsentSerializer
    refusals = {"create": (ErrorCode.LATER_CONSENT, ErrorCode.OWN_NUMBER), "withdraw": (ErrorCode.CONSENT_WITHDRAWN,)}
    filterset_class = MarketingConsentFilterSet

    def get_rows(self) -> Any:
        return MarketingConsent.objects.with_contact(ContactPhone.objects.all())

    def perform_create(self, serializer: serializers.BaseSerializer) -> None:
        serializer.save(user=self.user)

    @extend_schema(request=None, responses=MarketingConsentSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def withdraw(self, request: Request, **kwargs: Any) -> Response:
        """Withdraw the consent: the person wants no marketing messages, but may get others."""
        return self.row_response(withdraw_consent(consent=self.get_object()).pk)
