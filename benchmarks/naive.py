"""The five endpoints in the shapes of the system that the documents describe, on our tables and behind our sign-in.

Nine statements for the metrics, whole rows fetched and counted in Python, model instances and a COUNT for every page,
OFFSET for its depth. Columns that it had and we have not are said by the nearest that we have: the flags that its
metrics asked for (`bought`, `cancelled`, …), which none of its indexes served, by expressions that none of ours serves.
"""

from collections import Counter
from datetime import UTC, datetime, time
from typing import Any

from django.db import connection
from django.db.models import Case, Count, QuerySet, Sum, When
from django.db.models.functions import TruncDate
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.models import CallAnalysis
from calls.models import Appointment, Call
from crm.api.base.views import TenantView
from crm.db.tenancy import TENANT_PLANNER_SETTINGS, tenant
from crm.models import Contact
from messaging.models import Message

PAGE = 100
FLAGS = {"bought": "purchased", "still_deciding": "still_deciding", "cancelled": "cancelled", "missed_call": "missed"}


class BenchView(TenantView):
    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer]

    def known_parameters(self) -> set[str]:
        return {"start_date", "end_date", "offset", "status"}

    def bounds(self) -> tuple[datetime, datetime]:
        """UTC days: it knew no time zone."""
        start, end = (datetime.fromisoformat(self.request.query_params[name]) for name in ("start_date", "end_date"))
        return start.replace(tzinfo=UTC), datetime.combine(end, time.max, UTC)


class EmptyView(BenchView):
    """What a request costs that asks for nothing."""

    def get(self, request: Request) -> Response:
        return Response({})


class NaiveView(BenchView):
    """Planned as the server plans for anybody: how a tenant's requests are planned is none of that system's."""

    def begin_read(self) -> None:
        self.exit_stack.enter_context(tenant(self.company_id))
        with connection.cursor() as cursor:
            cursor.execute(" ".join(f"SET LOCAL {setting} TO DEFAULT;" for setting in TENANT_PLANNER_SETTINGS))


class NaiveMetrics(NaiveView):
    def get(self, request: Request) -> Response:
        calls: QuerySet[Any] = Call.objects.annotate(**{flag: _flag(status) for flag, status in FLAGS.items()})
        booked = calls.filter(booked=True)
        quoted = booked.filter(bought=False, still_deciding=False, cancelled=False)
        lost = booked.filter(bought=False).exclude(reason_for_lost_sale="")
        return Response(
            {
                "still_deciding": booked.filter(still_deciding=True).count(),
                "awaiting_quote": quoted.filter(reason_for_lost_sale="").count(),
                "purchased_service": calls.filter(bought=True, cancelled=False).count(),
                "missed_calls": calls.filter(missed_call=True, cancelled=False).count(),
                "cancelled_appointments": calls.filter(cancelled=True).count(),
                "discrepancies": booked.filter(quoted_price=None).exclude(lead=None).count(),
                "lost_quotes": {
                    "total": lost.count(),
                    "value_lost": float(lost.aggregate(value=Sum("quoted_price"))["value"] or 0),
                },
                "still_deciding_count": calls.filter(still_deciding=True).count(),
            }
        )


class ServedMetrics(NaiveView):
    """The same, had it counted by the status that the second document's index is on: no statement of it did."""

    def get(self, request: Request) -> Response:
        calls = Call.objects.all()
        lost = calls.filter(booked=True, status="lost").exclude(reason_for_lost_sale="")
        return Response(
            {
                "still_deciding": calls.filter(booked=True, status="still_deciding").count(),
                "awaiting_quote": calls.filter(booked=True, status="awaiting_quote", reason_for_lost_sale="").count(),
                "purchased_service": calls.filter(booked=True, status="purchased").count(),
                "missed_calls": calls.filter(booked=False, status="missed").count(),
                "cancelled_appointments": calls.filter(booked=True, status="cancelled").count(),
                "discrepancies": calls.filter(booked=True, quoted_price=None).exclude(lead=None).count(),
                "lost_quotes": {
                    "total": lost.count(),
                    "value_lost": float(lost.aggregate(value=Sum("quoted_price"))["value"] or 0),
                },
                "still_deciding_count": calls.filter(status="still_deciding").exclude(quoted_price=None).count(),
            }
        )


class NaiveBookingRate(NaiveView):
    def get(self, request: Request) -> Response:
        start, end = self.bounds()
        visits = Appointment.objects.filter(
            scheduled_start__gte=start,
            scheduled_start__lte=end,
            status__in=["scheduled", "confirmed", "completed"],
        )
        calls = Call.objects.filter(created_at__gte=start, created_at__lte=end, lead__isnull=False)
        booked, qualified = _per_day(visits, "scheduled_start"), _per_day(calls, "created_at")
        return Response(
            {
                "data": [
                    {"date": day, "rate": round(booked.get(day, 0) / qualified[day] * 100, 2)}
                    for day in sorted(qualified)
                ]
            }
        )


class NaiveObjections(NaiveView):
    def get(self, request: Request) -> Response:
        start, end = self.bounds()
        analyses = list(
            CallAnalysis.objects.filter(analyzed_at__gte=start, analyzed_at__lte=end, objections__isnull=False)
        )
        counts: Counter[str] = Counter()
        with_objections = 0
        for analysis in analyses:
            labels = {str(label) for label in analysis.objections}
            with_objections += bool(labels)
            counts.update(labels)
        return Response(
            {
                "data": [
                    {"label": label, "percentage": round(count / with_objections * 100, 2)}
                    for label, count in counts.most_common(5)
                ]
            }
        )


class WholeCallSerializer(serializers.ModelSerializer):
    class Meta:
        model = Call
        fields = "__all__"


class NaiveCalls(NaiveView):
    def get(self, request: Request) -> Response:
        calls = Call.objects.order_by("-created_at")
        if status := request.query_params.get("status"):
            calls = calls.filter(status=status)
        offset = int(request.query_params["offset"])
        total, page = calls.count(), calls[offset : offset + PAGE]
        rows = WholeCallSerializer(page, many=True).data
        return Response({"calls": rows, "total": total, "limit": PAGE, "offset": offset})


class WholeMessageSerializer(serializers.ModelSerializer):
    class Meta:
        model = Message
        fields = "__all__"


class NaiveThread(NaiveView):
    def get(self, request: Request, contact: int) -> Response:
        Contact.objects.get(pk=contact)
        messages = Message.objects.filter(contact=contact).order_by("created_at")
        offset = int(request.query_params["offset"])
        total, page = messages.count(), messages[offset : offset + PAGE]
        rows = WholeMessageSerializer(page, many=True).data
        return Response({"contact_card_id": contact, "messages": rows, "total": total})


def _flag(status: str) -> Case:
    return Case(When(status=status, then=True), default=False)


def _per_day(rows: QuerySet[Any], instant: str) -> dict[Any, int]:
    days = rows.order_by().annotate(day=TruncDate(instant)).values("day").annotate(rows=Count("pk", distinct=True))
    return dict(days.values_list("day", "rows"))
