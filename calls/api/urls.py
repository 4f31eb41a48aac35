"""Routes of this app below /api/v1/."""

from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from calls.api.appointments import AppointmentViewSet
from calls.api.attachments import AttachmentViewSet, ContactAttachmentsView
from calls.api.calls import CallViewSet, DashboardCallsViewSet
from calls.api.missed_calls import MissedCallCountsView, MissedCallerViewSet
from calls.api.proposals import AppointmentProposalViewSet
from calls.api.series import SeriesView
from calls.api.slots import SlotsView
from calls.api.tasks import TaskViewSet
from calls.api.time_off import TimeOffViewSet

router = SimpleRouter(trailing_slash=False)
router.register("dashboard/calls", DashboardCallsViewSet, "dashboard-call")
router.register("calls", CallViewSet, "call")
router.register("attachments", AttachmentViewSet, "attachment")
router.register("appointments", AppointmentViewSet, "appointment")
router.register("appointment-proposals", AppointmentProposalViewSet, "appointment-proposal")
router.register("missed-calls", MissedCallerViewSet, "missed-call")
router.register("tasks", TaskViewSet, "task")
router.register("time-off", TimeOffViewSet, "time-off")

FILES = rf"^contacts/(?P<contact>{AttachmentViewSet.lookup_value_regex})/attachments$"

urlpatterns = [
    re_path(FILES, ContactAttachmentsView.as_view(), name="contact-attachments"),
    path("missed-calls/counts", MissedCallCountsView.as_view(), name="missed-call-counts"),
    path("appointments/series", SeriesView.as_view(), name="appointment-series"),
    path("slots", SlotsView.as_view(), name="slots"),
    *router.urls,
]
