"""Routes of messaging below /api/v1/."""

from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from messaging.api.campaign_report import CampaignReportViewSet
from messaging.api.campaign_texts import CampaignTextsViewSet
from messaging.api.campaigns import CampaignMembershipViewSet, CampaignViewSet
from messaging.api.held_messages import HeldMessageViewSet
from messaging.api.messages import MessageViewSet
from messaging.api.notices import NoticesView
from messaging.api.on_the_way import OnTheWayViewSet
from messaging.api.provider_connections import ConnectionTestView, ProviderConnectionsView
from messaging.api.reminders import AppointmentReminderViewSet
from messaging.api.segments import SegmentPreviewView, SegmentSchemaView, SegmentViewSet
from messaging.api.setup import SetupView
from messaging.api.snippets import SnippetViewSet
from messaging.api.threads import MessageThreadViewSet
from messaging.api.webhook_events import WebhookEventViewSet

router = SimpleRouter(trailing_slash=False)
router.register("campaigns", CampaignViewSet, "campaign")
router.register("campaign-memberships", CampaignMembershipViewSet, "campaign-membership")
router.register("appointment-reminders", AppointmentReminderViewSet, "appointment-reminder")
router.register("held-messages", HeldMessageViewSet, "held-message")
router.register("messages", MessageViewSet, "message")
router.register("segments", SegmentViewSet, "segment")
router.register("snippets", SnippetViewSet, "snippet")
router.register("webhook-events", WebhookEventViewSet, "webhook-event")

APPOINTMENT = rf"^appointments/(?P<pk>{OnTheWayViewSet.lookup_value_regex})"
CAMPAIGN = rf"^campaigns/(?P<pk>{CampaignViewSet.lookup_value_regex})"
THREAD = rf"^message-threads/(?P<contact_card_id>{MessageThreadViewSet.lookup_value_regex})"

urlpatterns = [
    re_path(rf"{APPOINTMENT}/on-the-way$", OnTheWayViewSet.as_view({"post": "on_the_way"}), name="on-the-way"),
    re_path(rf"{CAMPAIGN}/texts$", CampaignTextsViewSet.as_view({"get": "texts"}), name="campaign-texts"),
    re_path(rf"{CAMPAIGN}/estimate$", CampaignTextsViewSet.as_view({"get": "estimate"}), name="campaign-estimate"),
    re_path(rf"{CAMPAIGN}/test-send$", CampaignTextsViewSet.as_view({"post": "test_send"}), name="campaign-test-send"),
    re_path(rf"{CAMPAIGN}/report$", CampaignReportViewSet.as_view({"get": "report"}), name="campaign-report"),
    re_path(rf"{THREAD}$", MessageThreadViewSet.as_view({"get": "list", "post": "create"}), name="message-thread"),
    re_path(rf"{THREAD}/export$", MessageThreadViewSet.as_view({"get": "export"}), name="message-thread-export"),
    re_path(rf"{THREAD}/read$", MessageThreadViewSet.as_view({"post": "read"}), name="message-thread-read"),
    re_path(rf"{THREAD}/unread$", MessageThreadViewSet.as_view({"post": "unread"}), name="message-thread-unread"),
    path("notices", NoticesView.as_view(), name="notices"),
    path("provider-connections", ProviderConnectionsView.as_view(), name="provider-connections"),
    path("provider-connections/test", ConnectionTestView.as_view(), name="provider-connections-test"),
    path("segments/preview", SegmentPreviewView.as_view(), name="segment-preview"),
    path("segments/schema", SegmentSchemaView.as_view(), name="segment-schema"),
    path("setup", SetupView.as_view(), name="setup"),
    *router.urls,
]
