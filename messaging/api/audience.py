"""`campaigns/{id}/audience`: contacts that become members of a campaign."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.errors import WHOLE_BODY, invalid
from crm.api.base.pagination import read_flag
from crm.api.base.serializers import BodySerializer
from crm.error_codes import ErrorCode
from crm.models import ContactList, Segment
from messaging.api.segments import DefinitionField
from messaging.services.campaigns.audience import add_audience
from messaging.services.campaigns.audience_checks import LeftOut

MAX_CONTACTS = 5000  # in one request; it can be repeated
DRY_RUN = "dry_run"


@extend_schema_field(int)
class SegmentIdField(serializers.PrimaryKeyRelatedField):
    def get_queryset(self) -> Any:
        return Segment.objects.all()


@extend_schema_field(int)
class ListIdField(serializers.PrimaryKeyRelatedField):
    def get_queryset(self) -> Any:
        return ContactList.objects.all()


class AudienceSerializer(BodySerializer):
    """Contacts, a list of contacts, a segment or a definition: one of them."""

    contacts = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), min_length=1, max_length=MAX_CONTACTS,
        required=False, help_text="IDs of contacts.",
    )  # fmt: skip
    segment = SegmentIdField(required=False, help_text="ID of a segment.")
    list = ListIdField(required=False, help_text="ID of a static list.")
    definition = DefinitionField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise invalid(WHOLE_BODY, f"Send one of: {', '.join(self.fields)}.", code=ErrorCode.INVALID)
        return attrs


class LeftOutSerializer(serializers.Serializer):
    """Numbers of contacts by the reason that leaves them out. A contact with several reasons counts once."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return {reason.value: serializers.IntegerField(help_text=f"{reason.label}.") for reason in LeftOut}


class AudienceResultSerializer(serializers.Serializer):
    added = serializers.IntegerField(help_text="Contacts that became members; with `dry_run`, that would.")
    left_out = LeftOutSerializer(help_text="The others, by reason.")


class AudienceMixin:
    """The `audience` action of campaigns."""

    @extend_schema(
        request=AudienceSerializer,
        responses=AudienceResultSerializer,
        parameters=[OpenApiParameter(DRY_RUN, int, enum=[0, 1], description="1 counts, and adds nobody.")],
    )
    @action(detail=True, methods=["post"])
    def audience(self: Any, request: Request, **kwargs: Any) -> Response:
        """Add contacts to a draft or scheduled campaign. Contacts who are in it already stay as they are."""
        dry_run = read_flag(request, DRY_RUN)
        campaign = self.get_object()
        body = AudienceSerializer(data=request.data, context={"request": request})
        body.is_valid(raise_exception=True)
        chosen = body.validated_data
        if "list" in chosen:
            chosen = {"definition": {"list": {"id": chosen["list"].pk}}}
        audience = add_audience(campaign=campaign, dry_run=dry_run, **chosen)
        return Response({"added": audience.added, "left_out": audience.left_out})

    def known_parameters(self: Any) -> set[str]:
        known: set[str] = super().known_parameters()  # type: ignore[misc]
        return known | ({DRY_RUN} if self.action == "audience" else set())
