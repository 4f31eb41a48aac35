"""Authentication by bearer token."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import AuthenticationFailed
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.utils import get_md5_hash_password

from crm.api.base.scopes import check_scope
from crm.api.base.token_users import read_user
from crm.api.tokens import ENDED, SESSION
from crm.db.replicas import observe_primary
from crm.db.tenancy import all_tenants_autocommit
from crm.error_codes import ErrorCode
from crm.services.api_tokens import PREFIX, InactiveCreator, InvalidApiToken, find_user_of_api_token

if TYPE_CHECKING:
    from drf_spectacular.openapi import AutoSchema
    from rest_framework.request import Request
    from rest_framework_simplejwt.tokens import Token


class TokenAuthentication(JWTAuthentication):
    """`Authorization: Bearer …` with an access token from POST /api/v1/auth/token, or with an API token."""

    def authenticate(self, request: "Request") -> Any:
        header = self.get_header(request)
        raw = self.get_raw_token(header) if header is not None else None
        if raw is None or not raw.startswith(PREFIX.encode()):
            return super().authenticate(request)
        try:
            user: Any = find_user_of_api_token(raw.decode(errors="replace"))
        except InvalidApiToken:
            raise AuthenticationFailed(ErrorCode.TOKEN_NOT_VALID.detail, code="token_not_valid") from None
        except InactiveCreator:
            raise AuthenticationFailed(ErrorCode.USER_INACTIVE.detail, code="user_inactive") from None
        check_scope(request, user.api_token.scopes)
        return user, user.api_token

    def get_user(self, validated_token: "Token") -> Any:
        """Return the token's user with the company, in one statement: most responses need the company's time zone.

        Raises:
            AuthenticationFailed: the user is gone or inactive, or the session has ended, as it does with a change of
                role, company or password.
        """
        session = str(validated_token.get(SESSION) or "")
        with all_tenants_autocommit():  # the company is unknown until the user is read
            user: Any = read_user(validated_token[api_settings.USER_ID_CLAIM], session=session)
        if user is None:
            raise AuthenticationFailed("The user no longer exists. Sign in again.", code="user_not_found")
        if settings.REPLICAS:
            observe_primary(user.primary_position)
        if not user.is_active:
            raise AuthenticationFailed("User is inactive", code="user_inactive")
        if not user.signed_in:
            raise AuthenticationFailed(ENDED, code="session_ended")
        # Of a password that changes during a sign-in, the session would begin after the change has ended the others.
        if validated_token.get(api_settings.REVOKE_TOKEN_CLAIM) != get_md5_hash_password(user.password):
            raise AuthenticationFailed("The user's password has been changed.", code="password_changed")
        user.session = session  # of tickets, which end with it
        return user


class TokenAuthenticationScheme(OpenApiAuthenticationExtension):
    target_class = "crm.api.base.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: "AutoSchema") -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
