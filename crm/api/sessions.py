"""`me/sessions`: where the user is signed in."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.views import without_body
from crm.api.second_factors import OwnAccountView
from crm.choices import SessionKind
from crm.models import UserSession
from crm.services.user_sessions import MAX_LISTED, end_session, end_sessions, lasting_sessions_of


class UserSessionSerializer(serializers.ModelSerializer):
    is_current = serializers.SerializerMethodField(help_text="Whether it is the session of this request.")

    class Meta:
        model = UserSession
        fields = ["id", "kind", "client", "address", "created_at", "last_used_at", "expires_at", "is_current"]
        read_only_fields = fields
        extra_kwargs = {
            "kind": {"help_text": "`api`: with tokens. `admin`: in the admin, with a cookie."},
            "address": {"help_text": "Address at the sign-in. Null: unknown."},
            "expires_at": {"help_text": "Time from which the user must sign in again."},
        }

    def get_is_current(self, session: UserSession) -> bool:
        return (session.kind, session.key) == self.context["current"]


class UserSessionsSerializer(serializers.Serializer):
    sessions = UserSessionSerializer(many=True, help_text="The newest first, at most 100.")


class SessionsView(OwnAccountView):
    """Your sessions."""

    @property
    def current(self) -> tuple[str, str]:
        return (SessionKind.API, getattr(self.user, "session", ""))

    @extend_schema(responses=UserSessionsSerializer)
    def get(self, request: Request) -> Response:
        """List the sessions in which you are signed in, of the API and the admin."""
        found = lasting_sessions_of(self.user)[:MAX_LISTED]
        serializer = UserSessionSerializer(found, many=True, context={"current": self.current})
        return Response({"sessions": serializer.data})


class EndOtherSessionsView(SessionsView):
    """End all your sessions but this one, at once."""

    http_method_names = ["post", "options"]

    @extend_schema(request=None, responses={204: None})
    @without_body
    def post(self, request: Request) -> Response:
        end_sessions(user=self.user, but=self.current)
        return Response(status=status.HTTP_204_NO_CONTENT)


class SessionView(OwnAccountView):
    """One of your sessions."""

    @extend_schema(operation_id="me_sessions_destroy", responses={204: None})
    def delete(self, request: Request, pk: Any) -> Response:
        """End one of your sessions, at once. Its tokens are worthless from now on."""
        session = lasting_sessions_of(self.user).filter(pk=pk).first()
        if session is None:
            raise Http404
        end_session(session=session)
        return Response(status=status.HTTP_204_NO_CONTENT)
