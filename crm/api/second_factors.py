"""`me/second-factor`: codes of an authenticator app at sign-in."""

from collections.abc import Mapping
from typing import Any, cast

from django.contrib.auth import authenticate
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import Throttled
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm.api.base.errors import CodedError
from crm.api.base.filters import check_parameters
from crm.api.base.serializers import BodySerializer
from crm.client_ip import client_address
from crm.error_codes import ErrorCode
from crm.models import User
from crm.qr_codes import ISSUER, draw_qr
from crm.refusals import Refusal
from crm.services import second_factors
from crm.services.login_throttling import seconds_locked_out
from crm.totp import provisioning_uri

CODE = "The present code of the authenticator app, or a recovery code."


class WrongPassword(Refusal):
    """The password isn't the user's."""

    code = ErrorCode.WRONG_PASSWORD
    attr = "password"


class OwnAccountView(APIView):
    """The own account of a signed-in user, staff too. There is no tenant, and a refusal keeps its count."""

    permission_classes = [IsAuthenticated]
    refuses_api_tokens = True  # reading, too: where its creator is signed in doesn't concern a program

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    def read_body(self, serializer_class: type[serializers.Serializer]) -> dict[str, Any]:
        serializer = serializer_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return cast(dict[str, Any], serializer.validated_data)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if hasattr(request.user, "api_token"):
            raise CodedError(ErrorCode.SCOPE_MISSING, "API tokens can't be used here: sign in as a user.")
        if request.method in self.allowed_methods:
            check_parameters(request, ())

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, second_factors.CodesLocked):
            exc = Throttled(exc.seconds, ErrorCode.LOCKED_OUT.detail, ErrorCode.LOCKED_OUT)
        return super().handle_exception(exc)

    def check_password(self, password: str, *, attr: str) -> None:
        """Raise WrongPassword unless it is the user's. Wrong ones count as failed sign-ins."""
        username = self.user.get_username()
        if authenticate(cast(Any, self.request), username=username, password=password) is not None:
            return
        if getattr(self.request, "axes_locked_out", False):
            wait = seconds_locked_out(username=username, address=client_address(self.request))
            raise Throttled(wait, ErrorCode.LOCKED_OUT.detail, ErrorCode.LOCKED_OUT)
        raise WrongPassword(attr=attr)


class SecondFactorSerializer(serializers.Serializer):
    since = serializers.DateTimeField(
        source="second_factor_since",
        allow_null=True,
        help_text="Since when signing in asks for a code. Null: it doesn't.",
    )
    recovery_codes_left = serializers.SerializerMethodField(help_text="Number of unused recovery codes.")

    def get_recovery_codes_left(self, user: User) -> int:
        return second_factors.count_recovery_codes(user=user)


class OwnPasswordSerializer(BodySerializer):
    password = serializers.CharField(
        max_length=128, trim_whitespace=False, write_only=True, help_text="Your present password."
    )


class CodeSerializer(BodySerializer):
    code = serializers.CharField(max_length=second_factors.MAX_LENGTH, help_text=CODE)


class NewKeySerializer(serializers.Serializer):
    secret = serializers.CharField(help_text="To type into the app, if it can't read the QR code.")
    uri = serializers.CharField(help_text="The text of the QR code.")
    qr_svg = serializers.CharField(help_text="The QR code as an SVG image.")


class RecoveryCodesSerializer(serializers.Serializer):
    recovery_codes = serializers.ListField(
        child=serializers.CharField(), help_text="Each works once in place of a code. They are never shown again."
    )


def describe_key(user: User, key: str) -> dict[str, str]:
    uri = provisioning_uri(key, account=user.get_username(), issuer=ISSUER)
    return {"secret": key, "uri": uri, "qr_svg": draw_qr(uri)}


class SecondFactorView(OwnAccountView):
    """Your second factor."""

    refusals = {"post": (ErrorCode.SECOND_FACTOR_ON, ErrorCode.WRONG_PASSWORD, ErrorCode.LOCKED_OUT)}

    @extend_schema(responses=SecondFactorSerializer)
    def get(self, request: Request) -> Response:
        """Read whether signing in asks for a code, and how many recovery codes are left."""
        return Response(SecondFactorSerializer(self.user).data)

    @extend_schema(request=OwnPasswordSerializer, responses={201: NewKeySerializer})
    def post(self, request: Request) -> Response:
        """Get a key for an authenticator app. It counts once one of its codes is confirmed."""
        self.check_password(self.read_body(OwnPasswordSerializer)["password"], attr="password")
        key = second_factors.begin_second_factor(user=self.user)
        return Response(describe_key(self.user, key), status=status.HTTP_201_CREATED)


class CodeView(OwnAccountView):
    """A view that takes a code."""

    refusals: Mapping[str, tuple[ErrorCode, ...]] = {
        "post": (
            ErrorCode.CODE_NOT_VALID, ErrorCode.SECOND_FACTOR_OFF, ErrorCode.LOCKED_OUT, ErrorCode.SECRET_UNREADABLE,
        )
    }  # fmt: skip

    def read_code(self) -> dict[str, Any]:
        return {"user": self.user, "code": self.read_body(CodeSerializer)["code"]}


class ConfirmSecondFactorView(CodeView):
    """Confirm the key by a code of the app. From now on signing in asks for one."""

    refusals = {"post": (*CodeView.refusals["post"], ErrorCode.SECOND_FACTOR_ON)}

    @extend_schema(request=CodeSerializer, responses=RecoveryCodesSerializer)
    def post(self, request: Request) -> Response:
        return Response({"recovery_codes": second_factors.confirm_second_factor(**self.read_code())})


class RecoveryCodesView(CodeView):
    """Get ten new recovery codes. The old ones are worthless."""

    @extend_schema(request=CodeSerializer, responses=RecoveryCodesSerializer)
    def post(self, request: Request) -> Response:
        return Response({"recovery_codes": second_factors.renew_recovery_codes(**self.read_code())})


class RemoveSecondFactorView(CodeView):
    """Remove your second factor. Without the phone and the recovery codes, a manager can reset it."""

    @extend_schema(request=CodeSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        second_factors.remove_second_factor(**self.read_code())
        return Response(status=status.HTTP_204_NO_CONTENT)
