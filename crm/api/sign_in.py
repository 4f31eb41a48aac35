"""Signing in and out, and who is signed in."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.serializers import TokenRefreshSerializer
from rest_framework_simplejwt.views import TokenBlacklistView, TokenObtainPairView, TokenRefreshView

from crm.api.filters import check_parameters
from crm.db.tenancy import all_tenants
from crm.models import Company, User


class TokenPairSerializer(serializers.Serializer):
    """The answer to a sign-in. Send `Authorization: Bearer <access>` with every request."""

    access = serializers.CharField()
    refresh = serializers.CharField()


class BeforeTheTenant(APIView):
    """A view that looks users up by name or token: their company is only known once they are."""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        with all_tenants():
            return super().dispatch(request, *args, **kwargs)


class SignInView(BeforeTheTenant, TokenObtainPairView):
    """Sign in: a short-lived access token, and a refresh token to get the next one with."""

    @extend_schema(responses=TokenPairSerializer)
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().post(request, *args, **kwargs)


class RefreshSerializer(TokenRefreshSerializer):
    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        try:
            return super().validate(attrs)
        except User.DoesNotExist as error:
            raise AuthenticationFailed(self.error_messages["no_active_account"], "no_active_account") from error


class RefreshView(BeforeTheTenant, TokenRefreshView):
    """A new access token for a refresh token."""

    serializer_class = RefreshSerializer


class SignOutView(BeforeTheTenant, TokenBlacklistView):
    """Sign out: the refresh token given is of no use any more."""

    @extend_schema(responses={204: None})
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        super().post(request, *args, **kwargs)
        return Response(status=status.HTTP_204_NO_CONTENT)


class CompanySerializer(serializers.ModelSerializer):
    class Meta:
        model = Company
        fields = ["id", "name", "slug", "timezone", "currency"]


class MeSerializer(serializers.ModelSerializer):
    company = CompanySerializer(allow_null=True)

    class Meta:
        model = User
        fields = ["id", "username", "first_name", "last_name", "email", "role", "company"]


class MeView(APIView):
    """Who is signed in, and for which company."""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        check_parameters(request, ())
        return Response(MeSerializer(request.user).data)
