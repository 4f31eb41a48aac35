"""`opt-outs`, and the review of possible ones."""

from collections import defaultdict
from typing import Any

import django_filters
from django.db.models import Prefetch
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.errors import Conflict
from crm.api.base.filters import IdFilter
from crm.api.base.lists import Rows
from crm.api.base.serializers import TenantSerializer
from crm.api.base.views import ReadViewSet, without_body
from crm.choices import OptOutState
from crm.models import Contact, ContactPhone, OptOut, OptOutEntry
from crm.services.opt_outs import NotUnderReview, confirm_opt_out, dismiss_opt_out, opt_outs_of


class OptOutEntrySerializer(TenantSerializer):
    class Meta:
        model = OptOutEntry
        fields = ["id", "action", "words", "source", "activity", "created_by", "occurred_at", "created_at"]


class OptOutSerializer(TenantSerializer):
    contact = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="The contact that has the number now."
    )
    entries: Any = OptOutEntrySerializer(many=True, read_only=True)

    class Meta:
        model = OptOut
        fields = ["id", "contact", "phone", "channel", "state", "decided_at", "confirmed_at", "created_at", "entries"]


class OptOutFilterSet(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=OptOutState.choices)
    contact = IdFilter(method="of_contact")

    def of_contact(self, queryset: Any, name: str, value: int) -> Any:
        contact = Contact.objects.filter(pk=value).first()
        return queryset.filter(pk__in=opt_outs_of(contact).values("pk")) if contact else queryset.none()


class OptOutViewSet(ReadViewSet):
    """Opt-outs, one for each number, with their history."""

    resource = "opt-outs"
    model = OptOut
    serializer_class = OptOutSerializer
    filterset_class = OptOutFilterSet

    def get_rows(self) -> Any:
        rows = OptOut.objects.decided().with_contact(ContactPhone.objects.all())
        return rows.prefetch_related(Prefetch("entries", OptOutEntry.objects.order_by("occurred_at", "id")))

    def complete_rows(self, rows: Rows) -> None:
        entries = defaultdict(list)
        for entry in OptOutEntry.objects.filter(opt_out__in=[row["id"] for row in rows]).order_by("occurred_at", "id"):
            entries[entry.opt_out_id].append(entry)
        for row in rows:
            row["entries"] = OptOutEntrySerializer(entries[row["id"]], many=True).data

    @extend_schema(request=None, responses=OptOutSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def confirm(self, request: Request, **kwargs: Any) -> Response:
        """Confirm the opt-out: the number gets no more messages. 409 if it is not under review."""
        return self._review(confirm_opt_out)

    @extend_schema(request=None, responses=OptOutSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def dismiss(self, request: Request, **kwargs: Any) -> Response:
        """Dismiss the opt-out: the number may get messages again. 409 if it is not under review."""
        return self._review(dismiss_opt_out)

    def _review(self, decide: Any) -> Response:
        try:
            decide(opt_out=self.get_object(), user=self.user)
        except NotUnderReview as error:
            raise Conflict(str(error)) from error
        return Response(self.get_serializer(self.get_object()).data)
