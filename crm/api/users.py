"""`users`: deactivated, never deleted."""

import copy
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.fields import get_error_detail
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.errors import invalid
from crm.api.base.filters import ChoicesFilter, ListFilterSet, YesNoFilter
from crm.api.base.pagination import orders_by
from crm.api.base.serializers import OneOfField, TenantSerializer
from crm.api.base.views import EditViewSet, without_body
from crm.api.working_hours import WorkingHoursSerializer
from crm.choices import Role
from crm.error_codes import ErrorCode
from crm.models import User
from crm.services.passwords import invite
from crm.services.second_factors import reset_second_factor
from crm.services.users import change_user

PASSWORD_CODES = (
    ErrorCode.PASSWORD_TOO_SIMILAR,
    ErrorCode.PASSWORD_TOO_SHORT,
    ErrorCode.PASSWORD_TOO_COMMON,
    ErrorCode.PASSWORD_ENTIRELY_NUMERIC,
)


class UserSerializer(TenantSerializer):
    role = OneOfField(choices=Role.choices)
    password = serializers.CharField(
        write_only=True,
        required=False,
        max_length=128,
        trim_whitespace=False,
        help_text="At least 8 characters, and hard to guess. Without it, the new user gets an invitation by mail.",
    )

    working_hours = WorkingHoursSerializer(
        allow_null=True, required=False, help_text="Of a rep, by the company's clock. Null: those of the company."
    )

    class Meta:
        model = User
        fields = [
            "id", "username", "first_name", "last_name", "email", "role", "is_active", "working_hours",
            "second_factor_since", "date_joined", "updated_at", "password",
        ]  # fmt: skip
        read_only_fields = ["second_factor_since", "date_joined", "updated_at"]
        extra_kwargs = {"date_joined": {"help_text": "Time when the account was made."}}

    def validate_username(self, username: str) -> str:
        return User.normalize_username(username)  # as the admin does: wide or decomposed letters are the same name

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "password" in attrs and self.instance and self.instance.pk == self.context["request"].user.pk:
            # A stolen session must not choose the password: `me/password` asks for the present one.
            raise invalid("password", "Change your own password at me/password.", code=ErrorCode.NOT_ALLOWED)
        if password := attrs.get("password"):
            person = copy.copy(self.instance) if self.instance else User()
            for name, value in attrs.items():
                setattr(person, name, value)
            try:
                validate_password(password, person)
            except DjangoValidationError as error:
                raise serializers.ValidationError({"password": get_error_detail(error)}) from error
        elif self.instance is None and not attrs.get("email"):
            raise serializers.ValidationError(
                {"email": "A user without a password needs an email address, for the invitation."}, ErrorCode.REQUIRED
            )
        return super().validate(attrs)

    def create(self, validated_data: dict[str, Any]) -> User:
        user = User.objects.create_user(**validated_data)
        if not user.has_usable_password() and user.is_active:
            invite(user=user)
        return user

    def update(self, instance: User, validated_data: dict[str, Any]) -> User:
        if password := validated_data.get("password"):
            validated_data["password"] = make_password(password)
        return change_user(user=instance, **validated_data)


class UserFilterSet(ListFilterSet):
    day_field = "date_joined"
    role = ChoicesFilter(choices=Role.choices)
    is_active = YesNoFilter()


class UserViewSet(EditViewSet):
    """The company's users. The last active manager can't be deactivated or get another role (409, `last_manager`).

    A new user without a password gets an invitation: a mail with a link that works once, within 7 days.
    """

    resource = "users"
    model = User
    serializer_class = UserSerializer
    refusals = {
        "create": (*PASSWORD_CODES, ErrorCode.REQUIRED),
        "partial_update": (*PASSWORD_CODES, ErrorCode.REQUIRED, ErrorCode.LAST_MANAGER, ErrorCode.NOT_ALLOWED),
        "invite": (ErrorCode.ALREADY_JOINED, ErrorCode.NO_EMAIL, ErrorCode.NOT_ACTIVE),
        "reset_second_factor": (ErrorCode.SECOND_FACTOR_OFF,),
    }
    filterset_class = UserFilterSet
    orders = orders_by("date_joined")

    @extend_schema(request=None, responses={202: UserSerializer})
    @action(detail=True, methods=["post"])
    @without_body
    def invite(self, request: Request, pk: str) -> Response:
        """Send another invitation to a user who has no password yet. Links of earlier ones are worthless."""
        invite(user=self.get_locked_object())
        return self.row_response(int(pk), status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=None, responses=UserSerializer)
    @action(detail=True, methods=["post"], url_path="reset-second-factor")
    @without_body
    def reset_second_factor(self, request: Request, pk: str) -> Response:
        """Remove the second factor of a colleague who has lost phone and recovery codes. All of their sessions end."""
        if int(pk) == self.user.pk:  # a stolen session alone must not be enough to sign in without a code
            raise PermissionDenied("Remove your own second factor with a code: POST me/second-factor/remove.")
        reset_second_factor(user=self.get_locked_object())
        return self.row_response(int(pk))
