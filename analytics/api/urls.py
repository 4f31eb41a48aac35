"""Routes of the dashboard, timelines and call analyses, below /api/v1/."""

from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from analytics.api.call_analyses import CallAnalysisViewSet
from analytics.api.card import CardViewSet
from analytics.api.dashboard import BookingRateView, LeadConversionView, MetricsView, TopObjectionsView
from analytics.api.timeline import TimelineViewSet

router = SimpleRouter(trailing_slash=False)
router.register("call-analyses", CallAnalysisViewSet, "call-analysis")

urlpatterns = [
    re_path(
        rf"^contacts/(?P<pk>{TimelineViewSet.lookup_value_regex})/timeline$",
        TimelineViewSet.as_view({"get": "timeline"}),
        name="contact-timeline",
    ),
    re_path(
        rf"^contacts/(?P<pk>{CardViewSet.lookup_value_regex})/card$",
        CardViewSet.as_view({"get": "card"}),
        name="contact-card",
    ),
    path("dashboard/metrics", MetricsView.as_view(), name="dashboard-metrics"),
    path("dashboard/booking-rate", BookingRateView.as_view(), name="dashboard-booking-rate"),
    path("dashboard/lead-conversion", LeadConversionView.as_view(), name="dashboard-lead-conversion"),
    path("dashboard/top-objections", TopObjectionsView.as_view(), name="dashboard-top-objections"),
    *router.urls,
]
