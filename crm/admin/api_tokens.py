"""Admin for API tokens."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from crm.admin.base.columns import moment
from crm.admin.base.model_admin import ReadOnlyAdmin
from crm.db.tenancy import tenant
from crm.models import ApiToken
from crm.services.api_tokens import revoke_api_token


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Managers create tokens by the API, since only they may see the text. Staff can revoke them."""

    actions = ("revoke",)
    list_display = ("name", "created_by", "company", moment("created_at"), moment("last_used_at"), moment("revoked_at"))
    list_select_related = ("created_by", "company")
    list_filter = ("company",)
    fields = (
        "company", "name", "role", "scopes", "beginning", "created_by", "created_at", "expires_at", "last_used_at",
        "revoked_at",
    )  # fmt: skip

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Allow revocations with the change permission, although a token can't be changed."""
        return request.user.has_perm("crm.change_apitoken")

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        for token in queryset:
            with tenant(token.company_id):
                revoke_api_token(token=token)
            self.message_user(request, f"{token}: revoked.")
