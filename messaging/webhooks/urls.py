"""One door for every provider that we take deliveries from, below `/webhooks/`."""

from django.urls import path

from messaging.webhooks.views import receive_delivery

urlpatterns = [
    path("<slug:provider>/<slug:slug>", receive_delivery, name="webhook"),
]
