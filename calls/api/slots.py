"""`slots`: when reps can take an appointment."""

from datetime import timedelta
from typing import Any, cast

from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from calls.services.slots import MAX_SLOTS, assignable_reps, find_free_slots
from crm.api.base.date_ranges import PeriodSerializer
from crm.api.base.errors import invalid
from crm.api.base.filters import check_days
from crm.api.base.roles import grant_for
from crm.api.base.serializers import DayField, WholeNumberField
from crm.api.base.views import TenantView
from crm.date_ranges import LAST_DAY, DateRange, today_in
from crm.error_codes import ErrorCode
from crm.models import Company, User

MAX_DAYS, DEFAULT_DAYS = 31, 7
SHORTEST, LONGEST = 5, 24 * 60


class SlotParameters(serializers.Serializer):
    length = WholeNumberField(
        min_value=SHORTEST, max_value=LONGEST, default=60, help_text="Length of the appointment in minutes."
    )
    start_date = DayField(required=False, help_text="First day, in the company's time zone. Default: today.")
    end_date = DayField(
        required=False, help_text=f"Last day, included: {MAX_DAYS} days at most. Default: {DEFAULT_DAYS} days in all."
    )
    rep = WholeNumberField(min_value=1, required=False, help_text="ID of a rep. Default: all active reps.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        start, end = attrs.get("start_date"), attrs.get("end_date")
        check_days(start, end)
        zone = self.context["company"].zone
        start = start or (min(today_in(zone), end) if end else today_in(zone))
        end = end or min(start + timedelta(days=DEFAULT_DAYS - 1), LAST_DAY)
        if (end - start).days >= MAX_DAYS:
            detail = f"At most {MAX_DAYS} days can be listed; choose an earlier end date."
            raise invalid("end_date", detail, code=ErrorCode.OUT_OF_RANGE)
        attrs["days"] = DateRange(start, end, zone)
        return attrs


class SlotSerializer(serializers.Serializer):
    rep = serializers.IntegerField(help_text="ID of the rep.")
    rep_name = serializers.CharField(help_text="Name of the rep.")
    starts_at = serializers.DateTimeField(help_text="When an appointment in it would start.")
    ends_at = serializers.DateTimeField(help_text="When it would end.")


class SlotsSerializer(PeriodSerializer):
    length = serializers.IntegerField(help_text="In minutes.")
    is_complete = serializers.BooleanField(
        help_text=f"False: only the first {MAX_SLOTS} are listed. Ask for fewer days, or for one rep."
    )
    slots = SlotSerializer(many=True, help_text="By start, then by the rep's name.")


class SlotsView(TenantView):
    """Free slots of reps.

    A slot begins every half hour from the beginning of the working hours of the rep, or else of the company, and lies
    within them. It overlaps no time off and no appointment, and isn't past. Without working hours the day is 24 hours.
    A rep has own slots alone.
    """

    resource = "slots"
    refusals = {
        "get": (ErrorCode.MIN_VALUE, ErrorCode.MAX_VALUE, ErrorCode.OUT_OF_RANGE, ErrorCode.DOES_NOT_EXIST),
    }

    def known_parameters(self) -> set[str]:
        return set(SlotParameters().fields)

    @extend_schema(parameters=[SlotParameters], responses=SlotsSerializer)
    def get(self, request: Request) -> Response:
        company = cast(Company, self.user.company)
        parameters = SlotParameters(data=request.query_params.dict(), context={"company": company})
        parameters.is_valid(raise_exception=True)
        asked = parameters.validated_data
        found = find_free_slots(
            company=company, reps=self._reps(asked.get("rep")), days=asked["days"],
            length=timedelta(minutes=asked["length"]), now=now(),
        )  # fmt: skip
        slots = [
            {"rep": slot.rep.pk, "rep_name": str(slot.rep), "starts_at": slot.starts_at, "ends_at": slot.ends_at}
            for slot in found[:MAX_SLOTS]
        ]
        is_complete = len(found) <= MAX_SLOTS
        return Response(
            asked["days"].as_json() | {"length": asked["length"], "is_complete": is_complete, "slots": slots}
        )

    def _reps(self, asked: int | None) -> list[User]:
        reps = assignable_reps()
        if grant_for(self.user.role, self.resource).own:
            reps = reps.filter(pk=self.user.pk)
        if asked is not None:
            reps = reps.filter(pk=asked)
        found = list(reps)
        if asked is not None and not found:
            raise invalid("rep", "Must be an active rep of your company.", code=ErrorCode.DOES_NOT_EXIST)
        return found
