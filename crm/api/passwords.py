"""Own, forgotten and first passwords."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.fields import get_error_detail
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm.api.base.filters import check_parameters
from crm.api.base.serializers import BodySerializer
from crm.api.base.throttles import SignInThrottle
from crm.api.second_factors import OwnAccountView
from crm.api.sign_in import TokenPairSerializer, begin_session
from crm.api.users import PASSWORD_CODES
from crm.error_codes import ErrorCode
from crm.services.links import MAX_LENGTH
from crm.services.passwords import ask_for_reset, set_password, set_password_by_link

NEW = "At least 8 characters, and hard to guess."


class PasswordField(serializers.CharField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=128, trim_whitespace=False, write_only=True, **options)


class ChangePasswordSerializer(BodySerializer):
    current_password = PasswordField(help_text="Your present password.")
    new_password = PasswordField(help_text=NEW)


class ForgottenPasswordSerializer(BodySerializer):
    email = serializers.EmailField(max_length=254, write_only=True, help_text="The user's email address.")


class SetPasswordSerializer(BodySerializer):
    token = serializers.CharField(
        max_length=MAX_LENGTH, write_only=True, help_text="The last part of the mailed link's path."
    )
    password = PasswordField(help_text=NEW)


class OwnPasswordView(OwnAccountView):
    """Change your password. All sessions end; the answer has the tokens of a new one."""

    refusals = {"post": (*PASSWORD_CODES, ErrorCode.WRONG_PASSWORD, ErrorCode.LOCKED_OUT)}

    @extend_schema(request=ChangePasswordSerializer, responses=TokenPairSerializer)
    def post(self, request: Request) -> Response:
        body = self.read_body(ChangePasswordSerializer)
        self.check_password(body["current_password"], attr="current_password")
        with refused_as("new_password"):
            set_password(user=self.user, password=body["new_password"])
        return Response(begin_session(self.user, request))


class PublicPasswordView(APIView):
    """A view for people who can't sign in. It counts as a sign-in attempt of the address."""

    authentication_classes: Any = ()
    permission_classes = [AllowAny]
    throttle_classes = [SignInThrottle]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method in self.allowed_methods:
            check_parameters(request, ())


class ForgottenPasswordView(PublicPasswordView):
    """Ask for a mail with a link to choose a new password.

    The answer is the same whether or not a user has this address. The link works once, within one hour.
    """

    @extend_schema(request=ForgottenPasswordSerializer, responses={202: None})
    def post(self, request: Request) -> Response:
        serializer = ForgottenPasswordSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        ask_for_reset(email=serializer.validated_data["email"])
        return Response(status=status.HTTP_202_ACCEPTED)


class SetPasswordView(PublicPasswordView):
    """Choose a password by a mailed link, of an invitation or for a forgotten one. All sessions of the user end."""

    refusals = {
        "post": (*PASSWORD_CODES, ErrorCode.LINK_NOT_VALID, ErrorCode.LINK_EXPIRED, ErrorCode.LINK_USED),
    }

    @extend_schema(request=SetPasswordSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        serializer = SetPasswordSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        with refused_as("password"):
            set_password_by_link(**serializer.validated_data)
        return Response(status=status.HTTP_204_NO_CONTENT)


@contextmanager
def refused_as(field: str) -> Iterator[None]:
    """Turn the refusal of a weak password into an error of this field."""
    try:
        yield
    except DjangoValidationError as error:
        raise serializers.ValidationError({field: get_error_detail(error)}) from error
