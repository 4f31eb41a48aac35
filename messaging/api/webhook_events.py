"""`webhook-events`: what providers delivered. Managers only."""

import django_filters

from crm.api.filters import YesNoFilter
from crm.api.serializers import TenantSerializer
from crm.api.views import ReadViewSet
from crm.choices import Provider
from messaging.choices import EventStatus
from messaging.models import WebhookEvent


class WebhookEventSerializer(TenantSerializer):
    class Meta:
        model = WebhookEvent
        fields = [
            "id", "provider", "event_id", "event_type", "status", "processed", "error", "tries",
            "created_at", "processed_at",
        ]  # fmt: skip


class WebhookEventFilterSet(django_filters.FilterSet):
    provider = django_filters.ChoiceFilter(choices=Provider.choices)
    status = django_filters.ChoiceFilter(choices=EventStatus.choices)
    processed = YesNoFilter()


class WebhookEventViewSet(ReadViewSet):
    """Deliveries from providers, and what became of them."""

    resource = "webhook-events"
    model = WebhookEvent
    serializer_class = WebhookEventSerializer
    filterset_class = WebhookEventFilterSet
