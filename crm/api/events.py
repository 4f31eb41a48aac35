"""`events/ticket`: access to the stream of changes."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.roles import CREATE
from crm.api.base.views import TenantView, without_body
from crm.changes.tickets import LIFETIME_S, issue_ticket


class TicketSerializer(serializers.Serializer):
    ticket = serializers.CharField(help_text="For one GET /events?ticket=… of manage.py stream.")
    expires_in = serializers.IntegerField(help_text="Seconds.")


class TicketView(TenantView):
    """Get a ticket for one connection to the stream of changes.

    It is never stored: each request gets a new one, also with the `Idempotency-Key` of another.
    """

    resource = "events/ticket"
    gives_secret = True

    @property
    def verb(self) -> str | None:
        return CREATE if self.request.method == "POST" else super().verb

    @extend_schema(operation_id="events_ticket", request=None, responses={201: TicketSerializer})
    @without_body
    def post(self, request: Request) -> Response:
        body = {"ticket": issue_ticket(self.user, session=getattr(self.user, "session", "")), "expires_in": LIFETIME_S}
        return Response(body, status=status.HTTP_201_CREATED)
