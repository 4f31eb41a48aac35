"""Routes below `/webhooks/`."""

from django.urls import path

from messaging.webhooks.views import receive_webhook

urlpatterns = [
    path("<slug:provider>/<slug:slug>", receive_webhook, name="webhook"),
]
