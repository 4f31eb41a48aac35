"""`time-off`: when reps get no appointments."""

from typing import Any

from rest_framework import serializers

from calls.models import TimeOff
from crm.api.base.errors import invalid
from crm.api.base.filters import ListFilterSet, RowFilter
from crm.api.base.pagination import orders_by
from crm.api.base.roles import grant_for
from crm.api.base.serializers import AssignableUserField, TenantSerializer
from crm.api.base.views import FullViewSet
from crm.api.companions import UserNameField
from crm.error_codes import ErrorCode


class TimeOffSerializer(TenantSerializer):
    rep = AssignableUserField(required=False, help_text="ID of the rep. A rep may leave it out: it is their own.")
    rep_name = UserNameField("rep")

    class Meta:
        model = TimeOff
        fields = ["id", "rep", "rep_name", "starts_at", "ends_at", "reason", "created_at", "updated_at"]
        read_only_fields = ["created_at", "updated_at"]
        fixed_fields = ["rep"]
        extra_kwargs = {
            "starts_at": {"help_text": "When it begins."},
            "ends_at": {"help_text": "When it ends, within 366 days."},
            "reason": {"help_text": "Such as Holiday. Colleagues read it."},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        user = self.context["request"].user
        if self.instance is None:
            is_own = grant_for(user.role, "time-off").own
            if "rep" not in attrs and not is_own:
                raise invalid("rep", "This field is required.", code=ErrorCode.REQUIRED)
            if attrs.setdefault("rep", user) != user and is_own:
                raise invalid("rep", "You can enter your own time off only.", code=ErrorCode.FIELD_FORBIDDEN)
        return super().validate(attrs)


class TimeOffFilterSet(ListFilterSet):
    rep = RowFilter(field_name="rep", me=True)
    day_field = "starts_at"


class TimeOffViewSet(FullViewSet):
    """Time off of reps by its start, latest first.

    `slots` leaves it out. Appointments that stand already stay, and one can be booked in it all the same.
    """

    resource = "time-off"
    model = TimeOff
    serializer_class = TimeOffSerializer
    filterset_class = TimeOffFilterSet
    orders = orders_by("starts_at")
    refusals = {"create": (ErrorCode.REQUIRED, ErrorCode.FIELD_FORBIDDEN)}

    def perform_create(self, serializer: serializers.BaseSerializer) -> None:
        serializer.save(company_id=self.user.company_id)
