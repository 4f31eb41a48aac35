"""Who is calling."""

from typing import TYPE_CHECKING, Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import AuthenticationFailed
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.utils import get_md5_hash_password

from crm.db.tenancy import all_tenants_autocommit
from crm.models import User

if TYPE_CHECKING:
    from drf_spectacular.openapi import AutoSchema
    from rest_framework_simplejwt.tokens import Token


class TokenAuthentication(JWTAuthentication):
    """`Authorization: Bearer …` with an access token from POST /api/v1/auth/token."""

    def get_user(self, validated_token: "Token") -> Any:
        """The user, with the company, whose zone most answers need: the library's own takes a statement more.

        Raises AuthenticationFailed for who is gone, no longer active, or has another password since.
        """
        users = User.accounts.select_related("company")
        try:
            with all_tenants_autocommit():  # the user's company is only known once the user is
                user = users.get(pk=validated_token[api_settings.USER_ID_CLAIM])
        except User.DoesNotExist as error:
            raise AuthenticationFailed("User not found", code="user_not_found") from error
        if not user.is_active:
            raise AuthenticationFailed("User is inactive", code="user_inactive")
        if validated_token.get(api_settings.REVOKE_TOKEN_CLAIM) != get_md5_hash_password(user.password):
            raise AuthenticationFailed("The user's password has been changed.", code="password_changed")
        return user


class TokenAuthenticationScheme(OpenApiAuthenticationExtension):
    target_class = "crm.api.base.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: "AutoSchema") -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
