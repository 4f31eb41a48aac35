"""The five endpoints as the documents' system would answer them, on this product's tables and behind its sign-in.

Metrics take nine statements. Whole rows are fetched and counted in Python. Pages take model instances, COUNT and
OFFSET. The metrics filtered by flag columns that no index served; here expressions without an index stand for them.
"""

from collections import Counter
from datetime import UTC, datetime, time
from typing import Any

from django.db.models import Case, Count, QuerySet, Sum, When
from django.db.models.functions import TruncDate
from django.urls import include, path
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ModelSerializer

from analytics.models import CallAnalysis
from benchmarks.database import execute
from calls.models import Appointment, Call
from crm.api.base.views import TenantView
from crm.db.tenancy import TENANT_PLANNER_SETTINGS, tenant
from crm.models import Contact
from messaging.models import Message

PAGE = 100
FLAGS = {"bought": "purchased", "still_deciding": "still_deciding", "cancelled": "cancelled", "missed_call": "missed"}


class EmptyView(TenantView):
    """Baseline: a signed-in request whose view runs no query."""

    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer]

    def known_parameters(self) -> set[str]:
        return {"start_date", "end_date", "offset", "status"}

    def get(self, request: Request, **_: Any) -> Response:
        return Response({})


class NaiveView(EmptyView):
    """Base view without the planner settings that the product gives a tenant."""

    def begin_read(self) -> None:
        self.exit_stack.enter_context(tenant(self.company_id))
        execute(*(f"SET LOCAL {setting} TO DEFAULT" for setting in TENANT_PLANNER_SETTINGS))

    def bounds(self) -> tuple[datetime, datetime]:
        """Return the asked days in UTC: that system knew no time zones."""
        start, end = (datetime.fromisoformat(self.request.query_params[name]) for name in ("start_date", "end_date"))
        return start.replace(tzinfo=UTC), datetime.combine(end, time.max, UTC)


class FlagMetrics(NaiveView):
    def get(self, request: Request, **_: Any) -> Response:
        flags = {flag: Case(When(status=status, then=True), default=False) for flag, status in FLAGS.items()}
        calls: QuerySet[Any] = Call.objects.annotate(**flags)
        booked = calls.filter(booked=True)
        return _metrics(
            lost=booked.filter(bought=False),
            still_deciding=booked.filter(still_deciding=True),
            awaiting_quote=booked.filter(bought=False, still_deciding=False, cancelled=False, reason_for_lost_sale=""),
            purchased_service=calls.filter(bought=True, cancelled=False),
            missed_calls=calls.filter(missed_call=True, cancelled=False),
            cancelled_appointments=calls.filter(cancelled=True),
            still_deciding_count=calls.filter(still_deciding=True),
        )


class StatusMetrics(NaiveView):
    """The kinder variant: the same numbers by the indexed status, which that system's statements never used."""

    def get(self, request: Request, **_: Any) -> Response:
        booked, unbooked = Call.objects.filter(booked=True), Call.objects.filter(booked=False)
        return _metrics(
            lost=booked.filter(status="lost"),
            still_deciding=booked.filter(status="still_deciding"),
            awaiting_quote=booked.filter(status="awaiting_quote", reason_for_lost_sale=""),
            purchased_service=booked.filter(status="purchased"),
            missed_calls=unbooked.filter(status="missed"),
            cancelled_appointments=booked.filter(status="cancelled"),
            still_deciding_count=Call.objects.filter(status="still_deciding").exclude(quoted_price=None),
        )


class NaiveBookingRate(NaiveView):
    def get(self, request: Request, **_: Any) -> Response:
        appointments = Appointment.objects.filter(
            scheduled_start__range=self.bounds(), status__in=["scheduled", "confirmed", "completed"]
        )
        calls = Call.objects.filter(created_at__range=self.bounds(), lead__isnull=False)
        booked, qualified = _per_day(appointments, "scheduled_start"), _per_day(calls, "created_at")
        days = sorted(qualified)
        return Response(
            {"data": [{"date": day, "rate": round(booked.get(day, 0) / qualified[day] * 100, 2)} for day in days]}
        )


class NaiveObjections(NaiveView):
    def get(self, request: Request, **_: Any) -> Response:
        counts: Counter[str] = Counter()
        with_objections = 0
        for analysis in list(CallAnalysis.objects.filter(analyzed_at__range=self.bounds(), objections__isnull=False)):
            labels = {str(label) for label in analysis.objections}
            with_objections += bool(labels)
            counts.update(labels)
        top = counts.most_common(5)
        return Response(
            {"data": [{"label": label, "percentage": round(n / with_objections * 100, 2)} for label, n in top]}
        )


class WholeCall(ModelSerializer):
    class Meta:
        model = Call
        fields = "__all__"


class WholeMessage(ModelSerializer):
    class Meta:
        model = Message
        fields = "__all__"


class NaiveCalls(NaiveView):
    def get(self, request: Request, **_: Any) -> Response:
        calls = Call.objects.order_by("-created_at")
        if status := request.query_params.get("status"):
            calls = calls.filter(status=status)
        return Response(_page(request, calls, WholeCall))


class NaiveThread(NaiveView):
    def get(self, request: Request, **parameters: Any) -> Response:
        contact = Contact.objects.get(pk=parameters["contact"]).pk
        messages = Message.objects.filter(contact=contact).order_by("created_at")
        return Response({"contact_card_id": contact} | _page(request, messages, WholeMessage))


def _metrics(*, lost: QuerySet[Any], **counted: QuerySet[Any]) -> Response:
    lost = lost.exclude(reason_for_lost_sale="")
    counted["discrepancies"] = Call.objects.filter(booked=True, quoted_price=None).exclude(lead=None)
    value = lost.aggregate(value=Sum("quoted_price"))["value"]
    counts = {name: calls.count() for name, calls in counted.items()}
    return Response(counts | {"lost_quotes": {"total": lost.count(), "value_lost": float(value or 0)}})


def _per_day(rows: QuerySet[Any], instant: str) -> dict[Any, int]:
    days = rows.order_by().annotate(day=TruncDate(instant)).values("day").annotate(rows=Count("pk", distinct=True))
    return dict(days.values_list("day", "rows"))


def _page(request: Request, rows: QuerySet[Any], serializer: type[ModelSerializer]) -> dict[str, Any]:
    offset = int(request.query_params["offset"])
    total = rows.count()
    page = serializer(rows[offset : offset + PAGE], many=True).data
    return {"results": page, "total": total, "limit": PAGE, "offset": offset}


urlpatterns = [
    path("bench/empty", EmptyView.as_view()),
    path("bench/metrics", FlagMetrics.as_view()),
    path("bench/metrics-by-status", StatusMetrics.as_view()),
    path("bench/booking-rate", NaiveBookingRate.as_view()),
    path("bench/top-objections", NaiveObjections.as_view()),
    path("bench/calls", NaiveCalls.as_view()),
    path("bench/message-threads/<int:contact>", NaiveThread.as_view()),
    path("", include("config.urls")),
]
