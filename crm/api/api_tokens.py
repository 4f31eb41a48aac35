"""`api-tokens`: access of programs to the API, for managers."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.scopes import all_scopes
from crm.api.base.serializers import CompanyUserField, OneOfField, TenantSerializer
from crm.api.base.views import CreateReadViewSet, without_body
from crm.api.companions import UserNameField
from crm.choices import Role
from crm.error_codes import ErrorCode
from crm.models import ApiToken
from crm.services.api_tokens import create_api_token, revoke_api_token


class ApiTokenSerializer(TenantSerializer):
    role = OneOfField(
        choices=Role.choices, default=Role.MANAGER, help_text="The token may do what this role may, within its scopes."
    )
    scopes = serializers.ListField(
        child=OneOfField(choices=[(scope, scope) for scope in all_scopes()]),
        min_length=1,
        help_text="First word of a URL below /api/v1/ with `read` (GET) or `write` (other methods), such as "
        "`contacts:read`. `read` and `write` alone: of every URL that tokens can use.",
    )
    created_by = CompanyUserField(read_only=True, help_text="ID of the manager in whose name it acts.")
    created_by_name = UserNameField("created_by")

    class Meta:
        model = ApiToken
        fields = [
            "id", "name", "role", "scopes", "beginning", "created_by", "created_by_name", "created_at", "expires_at",
            "revoked_at", "last_used_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["beginning", "created_at", "revoked_at", "last_used_at", "updated_at"]
        extra_kwargs = {
            "beginning": {"help_text": "First characters of the secret, after `crm_<id>_`."},
            "expires_at": {"help_text": "Time when it ends. Null: never."},
            "revoked_at": {"help_text": "Time when it was revoked. Null: it is in force."},
            "last_used_at": {"help_text": "Time of the last request, to the minute. Null: none."},
        }


class IssuedTokenSerializer(ApiTokenSerializer):
    """A token with its text, which is shown once."""

    token = serializers.CharField(read_only=True, help_text="Send `Authorization: Bearer <token>`. Never shown again.")

    class Meta(ApiTokenSerializer.Meta):
        fields = [*ApiTokenSerializer.Meta.fields, "token"]


class ApiTokenViewSet(CreateReadViewSet):
    """API tokens: a program signs in with one, in the name of the manager who created it.

    A token ends when it is revoked or expires, and when its creator is deactivated or is no manager any more. Tokens
    can't be used for tokens, passwords and accounts (403, `scope_missing`).
    """

    resource = "api-tokens"
    model = ApiToken
    serializer_class = ApiTokenSerializer
    refusals = {"create": (ErrorCode.OUT_OF_RANGE, ErrorCode.MIN_LENGTH)}

    @property
    def gives_secret(self) -> bool:  # type: ignore[override]
        return self.action == "create"

    @property
    def has_etag(self) -> bool:  # type: ignore[override]
        return super().has_etag and not self.gives_secret

    @extend_schema(request=ApiTokenSerializer, responses={201: IssuedTokenSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Create a token. The answer alone has its text: it is stored as a hash."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = {"expires_at": None, **serializer.validated_data}
        row, text = create_api_token(user=self.user, **values)
        return Response({**self.row_response(row.pk).data, "token": text}, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=ApiTokenSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def revoke(self, request: Request, **kwargs: Any) -> Response:
        """End a token at once. One that has ended stays as it is."""
        row = self.get_object()
        revoke_api_token(token=row)
        return self.row_response(row.pk)
