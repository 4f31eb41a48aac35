"""Routes below `/webhooks/`."""

from django.urls import path

from messaging.webhooks.views import receive_webhook

urlpatterns = [
    path("<slug:provider>/<slug:slug>", receive_webhook, name="webhook"),
    # A provider may have a URL for each kind of event, and state the kind nowhere else.
    path("<slug:provider>/<slug:slug>/<slug:kind>", receive_webhook, name="webhook-of-kind"),
]
