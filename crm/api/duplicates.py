"""`duplicates`: contacts that may be the same person, and the decisions about them."""

from typing import Any, ClassVar

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.filters import ChoicesFilter, ContactFilter, ListFilterSet
from crm.api.base.serializers import BodySerializer, TenantSerializer
from crm.api.base.views import ReadViewSet, TenantView, without_body
from crm.api.companions import ContactSummaryField, UserNameField
from crm.api.merges import MERGE_CODES, ChosenFieldsMixin, ContactMergeSerializer
from crm.choices import DuplicateState
from crm.error_codes import ErrorCode
from crm.models import DuplicateCandidate
from crm.services.duplicates.decisions import dismiss_duplicate, merge_duplicate
from crm.services.duplicates.search import request_search
from crm.services.merging.tombstones import stand_ins


class DuplicateSerializer(TenantSerializer):
    first_summary = ContactSummaryField("first")
    second_summary = ContactSummaryField("second")
    reasons = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="What the two have in common: `email`, `name_address`, `phone`.",
    )
    decided_by_name = UserNameField(
        "decided_by", help_text="Name of the user who decided. Null: nobody has, or a program."
    )

    class Meta:
        model = DuplicateCandidate
        fields = [
            "id", "first", "first_summary", "second", "second_summary", "reasons", "score", "state", "decided_by",
            "decided_by_name", "decided_at", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {
            "first": {"help_text": "ID of the older contact. Null: it was merged into the other."},
            "second": {"help_text": "ID of the newer contact. Null: it was merged into the other."},
            "score": {"help_text": "0 to 100: how likely they are the same person."},
            "state": {"help_text": "`open`, or what was decided."},
            "decided_by": {"help_text": "ID of the user who decided. Null: nobody has, or a program."},
            "decided_at": {"help_text": "Time of the decision. Null: it is open."},
        }


class MergeDuplicateSerializer(ChosenFieldsMixin, BodySerializer):
    """The contact that stays, and the values."""

    kept = serializers.IntegerField(
        required=False, min_value=1, help_text="ID of the contact that stays. Left out: the first, the older one."
    )


class DuplicateFilterSet(ListFilterSet):
    state = ChoicesFilter(choices=DuplicateState.choices)
    contact = ContactFilter(method="of_contacts")

    def of_contacts(self, queryset: Any, name: str, value: list[int]) -> Any:
        ids = stand_ins(value)
        return queryset.filter(Q(first__in=ids) | Q(second__in=ids))


class DuplicateViewSet(ReadViewSet):
    """Pairs of contacts that may be the same person, the likeliest first. Each is asked about once."""

    resource = "duplicates"
    model = DuplicateCandidate
    serializer_class = DuplicateSerializer
    filterset_class = DuplicateFilterSet
    orders: ClassVar = {"score": ("-score", "-id")}
    refusals = {
        "merge": (*MERGE_CODES, ErrorCode.DUPLICATE_DECIDED, ErrorCode.OTHER_CONTACT),
        "dismiss": (ErrorCode.DUPLICATE_DECIDED,),
    }

    @property
    def has_etag(self) -> bool:  # type: ignore[override]
        return self.action != "merge" and super().has_etag

    @extend_schema(request=MergeDuplicateSerializer, responses=ContactMergeSerializer)
    def merge(self, request: Request, **kwargs: Any) -> Response:
        """Merge the two contacts, as `POST contacts/{id}/merge` does. 409 if it is decided."""
        body = MergeDuplicateSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        merge = merge_duplicate(
            candidate=self.get_object(),
            user=self.user,
            kept_id=body.validated_data.get("kept"),
            fields=body.validated_data.get("fields"),
        )
        return Response(ContactMergeSerializer(merge, context=self.get_serializer_context()).data)

    @extend_schema(request=None, responses=DuplicateSerializer)
    @without_body
    def dismiss(self, request: Request, **kwargs: Any) -> Response:
        """Decide that the two aren't the same person. They are never asked about again. 409 if it is decided."""
        candidate = dismiss_duplicate(candidate=self.get_object(), user=self.user)
        return self.row_response(candidate.pk)


class RequestedSearchSerializer(serializers.Serializer):
    """A search that the worker does next."""

    requested = serializers.BooleanField(help_text="True: the worker searches the company's contacts next.")


class DuplicateSearchView(TenantView):
    """The search for duplicates, which the worker does every hour."""

    resource = "duplicates/search"

    @property
    def verb(self) -> str | None:
        return "create" if self.request.method == "POST" else None

    @extend_schema(request=None, responses={202: RequestedSearchSerializer})
    @without_body
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Search for duplicates now. The worker does it; the list shows them a little later."""
        request_search(company_id=self.company_id)
        return Response({"requested": True}, status.HTTP_202_ACCEPTED)
