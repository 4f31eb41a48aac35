"""Sign-in, token refresh, sign-out and the current user."""

from contextlib import ExitStack
from secrets import token_urlsafe
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.serializers import PasswordField, TokenBlacklistSerializer, TokenObtainSerializer
from rest_framework_simplejwt.utils import get_md5_hash_password
from rest_framework_simplejwt.views import TokenBlacklistView, TokenObtainPairView, TokenRefreshView

from crm.api.base.etags import tagged_response
from crm.api.base.filters import check_parameters
from crm.api.base.serializers import BodySerializer
from crm.api.base.throttles import SignInThrottle
from crm.api.tokens import SessionToken
from crm.choices import SessionKind
from crm.client_ip import client_address
from crm.db.tenancy import all_tenants
from crm.error_codes import ErrorCode
from crm.models import Company, User
from crm.services.login_throttling import seconds_locked_out
from crm.services.second_factors import MAX_LENGTH as MAX_CODE_LENGTH
from crm.services.second_factors import CodesLocked, WrongCode, check_code
from crm.services.user_sessions import record_session

MAX_TOKEN_LENGTH = 2000
CLIENT_COOKIE = "session_client"
LATEST = "The latest refresh token of the session."
PAIR_AS_RECEIVED = "Not needed: clients may send the two tokens as they got them."


def describe_client(request: Request) -> str:
    """Return what identifies a client beyond its tokens: its address, its program, and a cookie if it keeps cookies."""
    cookie = request.COOKIES.get(CLIENT_COOKIE, "")
    return f"{client_address(request)} {cookie} {request.headers.get('User-Agent', '')}"


class TokenPairSerializer(serializers.Serializer):
    """Access and refresh token. Send `Authorization: Bearer <access>` with every request."""

    access = serializers.CharField(help_text="Short-lived. Send it with every request.")
    refresh = serializers.CharField(help_text="Works once: exchange it for the next pair.")


class PublicTenantView(APIView):
    """A view that reads a user by token: the company is unknown until then."""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        with ExitStack() as self.exit_stack:
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # counts the request, outside of the view's transaction
        if request.method in self.allowed_methods:  # any other is refused as such
            check_parameters(request, ())
        self.exit_stack.enter_context(all_tenants())


def begin_session(user: User, request: Any) -> dict[str, str]:
    """Begin a session of the API. Return its first tokens."""
    token = SessionToken.for_user(user)
    end = now() + settings.SESSION_LIFETIME
    record_session(user=user, kind=SessionKind.API, key=token["jti"], request=request, expires_at=end)
    return {"access": str(token.access_token), "refresh": str(token)}


class SignInSerializer(BodySerializer, TokenObtainSerializer):
    token_class = SessionToken

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # No user has longer ones; hashing them or storing them as failed attempts would be expensive.
        self.fields["username"] = serializers.CharField(write_only=True, max_length=150, help_text="The user name.")
        self.fields["password"] = PasswordField(max_length=128, trim_whitespace=False, help_text="The password.")
        self.fields["code"] = serializers.CharField(
            write_only=True, required=False, max_length=MAX_CODE_LENGTH,
            help_text="For users with a second factor: the authenticator app's present code, or a recovery code.",
        )  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        request = self.context["request"]
        try:
            super().validate(attrs)
            self.check_second_factor(attrs.get("code"))
        except AuthenticationFailed as error:
            if getattr(request, "axes_locked_out", False):
                wait = seconds_locked_out(username=attrs["username"], address=client_address(request))
                raise Throttled(wait, ErrorCode.LOCKED_OUT.detail, ErrorCode.LOCKED_OUT) from error
            raise
        # simplejwt doesn't send this signal; its receivers write last_login and clear failed attempts.
        user_logged_in.send(sender=User, request=request, user=self.user)
        return begin_session(cast(User, self.user), request)

    def check_second_factor(self, code: str | None) -> None:
        """Raise AuthenticationFailed or Throttled unless it is the user's code, or the user needs none."""
        user = cast(User, self.user)
        if user.second_factor_since is None:
            return
        if code is None:
            raise AuthenticationFailed(ErrorCode.CODE_REQUIRED.detail, ErrorCode.CODE_REQUIRED)
        try:
            check_code(user=user, code=code)
        except CodesLocked as error:
            raise Throttled(error.seconds, ErrorCode.LOCKED_OUT.detail, ErrorCode.LOCKED_OUT) from error
        except WrongCode as error:
            credentials = {"username": user.get_username()}
            user_login_failed.send(sender=__name__, credentials=credentials, request=self.context["request"])
            raise AuthenticationFailed(ErrorCode.WRONG_CODE.detail, ErrorCode.WRONG_CODE) from error


class SignInView(TokenObtainPairView):
    """Sign in: return a short-lived access token and a refresh token.

    A user with a second factor sends a code, too. Without it the answer is a 401, `code_required`: ask, and repeat.
    Too many wrong passwords for a username from one address: 429 until `Retry-After`. Other addresses aren't affected.
    """

    serializer_class = SignInSerializer
    refusals = {
        "post": (
            ErrorCode.NO_ACTIVE_ACCOUNT, ErrorCode.CODE_REQUIRED, ErrorCode.WRONG_CODE, ErrorCode.LOCKED_OUT,
            ErrorCode.SECRET_UNREADABLE,
        ),
    }  # fmt: skip
    throttle_classes = [SignInThrottle]

    @extend_schema(responses=TokenPairSerializer)
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        check_parameters(request, ())
        response = super().post(request, *args, **kwargs)
        response.set_cookie(
            CLIENT_COOKIE,
            token_urlsafe(),
            max_age=settings.SESSION_LIFETIME,
            path="/api/v1/auth/",
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Strict",
        )
        return response


class RefreshSerializer(BodySerializer):
    refresh = serializers.CharField(max_length=MAX_TOKEN_LENGTH, help_text=LATEST)
    access = serializers.CharField(required=False, max_length=MAX_TOKEN_LENGTH, help_text=PAIR_AS_RECEIVED)

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        refresh = SessionToken(attrs["refresh"])
        user = User.accounts.filter(pk=refresh["user_id"], is_active=True).first()
        if user is None or refresh.get("hash_password") != get_md5_hash_password(user.password):
            raise AuthenticationFailed("No active account found for the given token.", "no_active_account")
        refresh.exchange(client=describe_client(self.context["request"]))
        return {"access": str(refresh.access_token), "refresh": str(refresh)}


class RefreshView(PublicTenantView, TokenRefreshView):
    """Exchange a refresh token for a new access token and the next refresh token.

    If the answer is lost, the same client gets the same refresh token again within 30 seconds. Any other use of a used
    token ends the session (401), since the token may be stolen.
    """

    serializer_class = RefreshSerializer
    refusals = {"post": (ErrorCode.TOKEN_NOT_VALID, ErrorCode.NO_ACTIVE_ACCOUNT)}

    @extend_schema(responses=TokenPairSerializer)
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().post(request, *args, **kwargs)


class SignOutSerializer(BodySerializer, TokenBlacklistSerializer):
    refresh = serializers.CharField(write_only=True, max_length=MAX_TOKEN_LENGTH, help_text=LATEST)
    access = serializers.CharField(
        required=False, write_only=True, max_length=MAX_TOKEN_LENGTH, help_text=PAIR_AS_RECEIVED
    )
    token_class = SessionToken


class SignOutView(PublicTenantView, TokenBlacklistView):
    """Sign out: end the session with all its refresh and access tokens."""

    serializer_class = SignOutSerializer
    refusals = {"post": (ErrorCode.TOKEN_NOT_VALID,)}

    @extend_schema(responses={204: None})
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        super().post(request, *args, **kwargs)
        return Response(status=status.HTTP_204_NO_CONTENT)


class CompanySerializer(serializers.ModelSerializer):
    class Meta:
        model = Company
        fields = ["id", "name", "slug", "timezone", "currency"]


class MeSerializer(serializers.ModelSerializer):
    company = CompanySerializer(allow_null=True, help_text="The user's company. Null for staff.")

    class Meta:
        model = User
        fields = ["id", "username", "first_name", "last_name", "email", "role", "second_factor_since", "company"]


class MeView(APIView):
    """The current user and their company."""

    permission_classes = [IsAuthenticated]
    has_etag = True

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        check_parameters(request, ())
        return tagged_response(request, MeSerializer(request.user).data)
