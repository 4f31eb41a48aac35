"""Routes of this app below /api/v1/."""

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from messaging.api.threads import MessageThreadViewSet
from messaging.api.webhook_events import WebhookEventViewSet

router = SimpleRouter(trailing_slash=False)
router.register("webhook-events", WebhookEventViewSet, "webhook-event")

urlpatterns = [
    re_path(
        rf"^message-threads/(?P<contact_card_id>{MessageThreadViewSet.lookup_value_regex})$",
        MessageThreadViewSet.as_view({"get": "list"}),
        name="message-thread",
    ),
    *router.urls,
]
