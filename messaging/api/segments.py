"""`segments`: named conditions that choose contacts, their schema and their preview."""

from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.companions import Companion
from crm.api.base.roles import CREATE
from crm.api.base.serializers import BodySerializer, CompanyUserField, TenantSerializer
from crm.api.base.views import FullViewSet, TenantView
from crm.api.companions import UserNameField
from crm.models import Contact, Segment, User
from messaging.services.campaigns.audience_checks import LeftOut
from messaging.services.campaigns.audience_counts import MAX_SAMPLES
from messaging.services.segments.preview import Preview, preview_of
from messaging.services.segments.schema import FAULT_CODES, SCHEMA, InvalidDefinition, check_definition
from messaging.services.segments.sentence import sentences_of


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": True,
        "description": "A tree of conditions, by the JSON schema of GET /api/v1/segments/schema.",
    }
)
class DefinitionField(serializers.JSONField):
    """A definition. An error names the place in the tree: `definition.all.1.call.status`."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            check_definition(data)
        except InvalidDefinition as error:
            details: dict[str, list[ErrorDetail]] = {}
            for fault in error.faults:
                details.setdefault(fault.place, []).append(ErrorDetail(fault.sentence, fault.code))
            raise serializers.ValidationError(details.get("") or details) from error
        return data


@extend_schema_field(str)
class SentenceField(Companion):
    """The definition in English."""

    missing = ""

    def load(self, keys: set[int], user: User) -> dict[int, str]:
        definitions = dict(Segment.objects.filter(pk__in=keys).values_list("pk", "definition"))
        return dict(zip(definitions, sentences_of(list(definitions.values())), strict=True))


class SegmentSerializer(TenantSerializer):
    definition = DefinitionField()
    sentence = SentenceField("id", help_text="The definition in English.")
    created_by = CompanyUserField(read_only=True, allow_null=True)
    created_by_name = UserNameField("created_by")

    class Meta:
        model = Segment
        fields = [
            "id", "name", "definition", "sentence", "created_by", "created_by_name", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["created_at", "updated_at"]


class SegmentViewSet(FullViewSet):
    """Segments: named conditions that choose contacts. One that a campaign uses can't be deleted (409)."""

    resource = "segments"
    model = Segment
    serializer_class = SegmentSerializer
    refusals = dict.fromkeys(["create", "partial_update"], FAULT_CODES)

    def perform_create(self, serializer: serializers.BaseSerializer) -> None:
        serializer.save(company_id=self.user.company_id, created_by=self.user)


class SegmentSchemaView(TenantView):
    """Get the JSON schema of `definition`: the kinds of conditions, with their parts and limits."""

    resource = "segments/schema"

    @extend_schema(operation_id="segments_schema", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response(SCHEMA)


class SampledContactSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField(help_text="First and last name. Empty if only the number is known.")
    phone = serializers.CharField(help_text="Main number, E.164.")


class ReasonsSerializer(serializers.Serializer):
    """Numbers of contacts by the reason that leaves them out. A contact with several reasons counts once."""

    reasons: ClassVar = [reason for reason in LeftOut if reason != LeftOut.ALREADY_IN_CAMPAIGN]

    def get_fields(self) -> dict[str, serializers.Field]:
        return {reason.value: serializers.IntegerField(help_text=f"{reason.label}.") for reason in self.reasons}


class SamplesSerializer(serializers.Serializer):
    """Some of the contacts: `in` the audience, and by reason."""

    def get_fields(self) -> dict[str, serializers.Field]:
        titles = {"in": "In the audience.", **{each.value: f"{each.label}." for each in ReasonsSerializer.reasons}}
        return {name: SampledContactSerializer(many=True, help_text=title) for name, title in titles.items()}


class SegmentPreviewSerializer(BodySerializer):
    definition = DefinitionField()


class PreviewSerializer(serializers.Serializer):
    out = ReasonsSerializer(help_text="Contacts that would be left out, by reason. All zero: nobody.")
    without_consent = serializers.IntegerField(
        help_text="Those of `in` without a recorded consent to marketing messages."
    )
    samples = SamplesSerializer(help_text=f"At most {MAX_SAMPLES} contacts each.")
    sentence = serializers.CharField(help_text="The definition in English.")

    def get_fields(self) -> dict[str, serializers.Field]:
        return {
            "in": serializers.IntegerField(help_text="Contacts that an audience would have."),
            **super().get_fields(),
        }


class SegmentPreviewView(TenantView):
    """Preview a definition: how many contacts an audience would have, and why others would be left out."""

    resource = "segments/preview"
    refusals = {"post": FAULT_CODES}

    @property
    def verb(self) -> str | None:
        return CREATE if self.request.method == "POST" else super().verb

    @extend_schema(
        operation_id="segments_preview", request=SegmentPreviewSerializer, responses={200: PreviewSerializer}
    )
    def post(self, request: Request) -> Response:
        body = SegmentPreviewSerializer(data=request.data, context={"request": request})
        body.is_valid(raise_exception=True)
        company = self.user.company
        assert company is not None  # the permission class rejects users without one  # noqa: S101
        return Response(as_json(preview_of(body.validated_data["definition"], company=company)))


def as_json(preview: Preview) -> dict[str, Any]:
    return {
        "in": preview.included,
        "out": preview.left_out,
        "without_consent": preview.without_consent,
        "samples": {name: [_in_short(each) for each in contacts] for name, contacts in preview.samples.items()},
        "sentence": preview.sentence,
    }


def _in_short(contact: Contact) -> dict[str, Any]:
    return {"id": contact.pk, "name": contact.name, "phone": contact.phone}
