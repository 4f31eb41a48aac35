"""`users`: deactivated, never deleted."""

import copy
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers
from rest_framework.fields import get_error_detail

from crm.api.base.filters import ChoicesFilter, ListFilterSet, YesNoFilter
from crm.api.base.pagination import orders_by
from crm.api.base.serializers import OneOfField, TenantSerializer
from crm.api.base.views import EditViewSet
from crm.choices import Role
from crm.error_codes import ErrorCode
from crm.models import User
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
        write_only=True, max_length=128, trim_whitespace=False, help_text="At least 8 characters, and hard to guess."
    )

    class Meta:
        model = User
        fields = [
            "id", "username", "first_name", "last_name", "email", "role", "is_active", "date_joined", "updated_at",
            "password",
        ]  # fmt: skip
        read_only_fields = ["date_joined", "updated_at"]
        extra_kwargs = {"date_joined": {"help_text": "Time when the account was made."}}

    def validate_username(self, username: str) -> str:
        return User.normalize_username(username)  # as the admin does: wide or decomposed letters are the same name

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if password := attrs.get("password"):
            person = copy.copy(self.instance) if self.instance else User()
            for name, value in attrs.items():
                setattr(person, name, value)
            try:
                validate_password(password, person)
            except DjangoValidationError as error:
                raise serializers.ValidationError({"password": get_error_detail(error)}) from error
        return super().validate(attrs)

    def create(self, validated_data: dict[str, Any]) -> User:
        return User.objects.create_user(**validated_data)

    def update(self, instance: User, validated_data: dict[str, Any]) -> User:
        if password := validated_data.get("password"):
            validated_data["password"] = make_password(password)
        return change_user(user=instance, **validated_data)


class UserFilterSet(ListFilterSet):
    day_field = "date_joined"
    role = ChoicesFilter(choices=Role.choices)
    is_active = YesNoFilter()


class UserViewSet(EditViewSet):
    """The company's users. The last active manager can't be deactivated or get another role (409, `last_manager`)."""

    resource = "users"
    model = User
    serializer_class = UserSerializer
    refusals = {"create": PASSWORD_CODES, "partial_update": (*PASSWORD_CODES, ErrorCode.LAST_MANAGER)}
    filterset_class = UserFilterSet
    orders = orders_by("date_joined")
