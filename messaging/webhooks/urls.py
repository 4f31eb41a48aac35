"""One door for each provider that we take deliveries from, below `/webhooks/`."""

from django.urls import path

from messaging.webhooks.views import receive_from_openphone

urlpatterns = [
    path("openphone/<slug:slug>", receive_from_openphone, name="openphone-webhook"),
]
