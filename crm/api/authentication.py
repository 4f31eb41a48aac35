"""Who is calling."""

from typing import TYPE_CHECKING, Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework_simplejwt.authentication import JWTAuthentication

from crm.db.tenancy import all_tenants

if TYPE_CHECKING:
    from drf_spectacular.openapi import AutoSchema
    from rest_framework_simplejwt.tokens import Token


class TokenAuthentication(JWTAuthentication):
    """`Authorization: Bearer …` with an access token from POST /api/v1/auth/token."""

    def get_user(self, validated_token: "Token") -> Any:
        with all_tenants():  # the user's company is only known once the user is
            return super().get_user(validated_token)


class TokenAuthenticationScheme(OpenApiAuthenticationExtension):
    target_class = "crm.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: "AutoSchema") -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
