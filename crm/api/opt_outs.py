"""`opt-outs`, and the review of possible ones."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.companions import Companion
from crm.api.base.filters import ChoicesFilter, ListFilterSet, OwnerSearchFilter, RowFilter
from crm.api.base.lists import Rows, columns_of, show_rows
from crm.api.base.serializers import TenantSerializer
from crm.api.base.views import ReadViewSet, without_body
from crm.api.companions import ContactSummaryField, UserNameField
from crm.choices import OptOutState
from crm.error_codes import ErrorCode
from crm.models import Contact, ContactPhone, OptOut, OptOutEntry, User
from crm.services.merging.tombstones import stand_ins
from crm.services.opt_outs import confirm_opt_out, dismiss_opt_out, opt_outs_of


class OptOutEntrySerializer(TenantSerializer):
    created_by_name = UserNameField("created_by")

    class Meta:
        model = OptOutEntry
        fields = [
            "id", "action", "words", "source", "activity", "created_by", "created_by_name", "occurred_at",
            "created_at",
        ]  # fmt: skip
        extra_kwargs = {"action": {"help_text": "What the entry records."}}


@extend_schema_field(OptOutEntrySerializer(many=True))
class EntriesField(Companion):
    """The entries of an opt-out, in order, with the names of their users."""

    missing: ClassVar[Rows] = []

    def __init__(self) -> None:
        super().__init__("id", help_text="The history, oldest first.")

    def load(self, keys: set[int], user: User) -> dict[int, Rows]:
        entries = OptOutEntry.objects.filter(opt_out__in=keys).order_by("occurred_at", "id")
        page = list(entries.values("opt_out", *(column.source for column in columns_of(OptOutEntrySerializer))))
        found: dict[int, Rows] = {}
        for entry, shown in zip(page, show_rows(page, OptOutEntrySerializer, user), strict=True):
            found.setdefault(entry["opt_out"], []).append(shown)
        return found


class OptOutSerializer(TenantSerializer):
    contact = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="The contact that has the number now. Null: nobody has it."
    )
    contact_summary = ContactSummaryField()
    entries = EntriesField()

    class Meta:
        model = OptOut
        fields = [
            "id", "contact", "contact_summary", "phone", "channel", "state", "decided_at", "confirmed_at",
            "created_at", "updated_at", "entries",
        ]  # fmt: skip
        extra_kwargs = {
            "channel": {"help_text": "The kind of messages that it is about."},
            "state": {"help_text": "Whether messages are blocked. They are under review, too."},
        }


class OptOutFilterSet(ListFilterSet):
    state = ChoicesFilter(choices=OptOutState.choices)
    contact = RowFilter(method="of_contacts")
    search = OwnerSearchFilter(field_name="phone")

    def of_contacts(self, queryset: Any, name: str, value: list[int]) -> Any:
        contacts = Contact.objects.filter(pk__in=stand_ins(value))
        return queryset.filter(pk__in=opt_outs_of(*contacts).values("pk"))


class OptOutViewSet(ReadViewSet):
    """Opt-outs, one for each number, with their history."""

    resource = "opt-outs"
    model = OptOut
    serializer_class = OptOutSerializer
    refusals = dict.fromkeys(["confirm", "dismiss"], (ErrorCode.NOT_UNDER_REVIEW,))
    filterset_class = OptOutFilterSet

    def get_rows(self) -> Any:
        return OptOut.objects.decided().with_contact(ContactPhone.objects.all())

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
        opt_out = self.get_object()
        decide(opt_out=opt_out, user=self.user)
        return self.row_response(opt_out.pk)
