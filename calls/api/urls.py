"""Routes of this app below /api/v1/."""

from rest_framework.routers import SimpleRouter

from calls.api.appointments import AppointmentViewSet
from calls.api.calls import CallViewSet, DashboardCallsViewSet

router = SimpleRouter(trailing_slash=False)
router.register("dashboard/calls", DashboardCallsViewSet, "dashboard-call")
router.register("calls", CallViewSet, "call")
router.register("appointments", AppointmentViewSet, "appointment")

urlpatterns = router.urls
