"""Admin for users."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as AuthGroupAdmin
from django.contrib.auth.admin import UserAdmin as AuthUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest

from crm.admin.base.columns import moment
from crm.admin.base.forms import RowForm
from crm.admin.base.model_admin import RowAdmin
from crm.admin.base.versions import VersionedForm
from crm.admin.user_actions import UserActions
from crm.models import User
from crm.services.users import LastManager, check_manager_left

ACCESS = ("is_staff", "is_superuser", "groups")


class UserForm(RowForm, UserChangeForm):
    """Django's form with the checks of RowForm. A company keeps a manager."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        try:
            check_manager_left(
                user=self.instance, role=cleaned.get("role", ""), is_active=cleaned.get("is_active", False)
            )
        except LastManager as error:
            self.add_error("role" if cleaned.get("is_active") else "is_active", str(error))
        return cleaned


class NewUserForm(RowForm, AdminUserCreationForm):
    """Django's form with the checks of RowForm."""


@admin.register(User)
class UserAdmin(UserActions, RowAdmin, AuthUserAdmin):
    """Admin for thousands of rows: every column may be searched and sorted. Users are deactivated, never deleted."""

    form = UserForm
    add_form = NewUserForm
    list_display = ("username", "full_name", "company", "role", "is_active", "is_staff", moment("last_login"))
    list_select_related = ("company",)
    list_filter = ("role", "is_active", "is_staff", "company")
    sortable_by = None
    ordering = ("username",)
    time_field = "date_joined"
    autocomplete_fields = ("company", "groups")
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined", "second_factor_since")
    fieldsets = (
        (None, {"fields": ("username", "password", "is_active")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        (
            "Company",
            {"fields": ("company", "role", "working_hours"), "description": "Staff have neither company nor role."},
        ),
        ("Staff access", {"fields": ACCESS, "description": "Staff use this admin, for all companies."}),
        ("Dates", {"fields": ("last_login", "date_joined", "second_factor_since")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "usable_password", "password1", "password2")}),
        ("Company", {"fields": ("company", "role"), "description": "Staff have neither company nor role."}),
        ("Staff access", {"fields": ("is_staff",), "description": "Staff use this admin, for all companies."}),
    )

    @admin.display(description="name", ordering="last_name")
    def full_name(self, user: User) -> str:
        return user.get_full_name()

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Make access fields read-only for all but superusers: staff must not raise their own permissions."""
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else (*fields, *ACCESS)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out the password for those who may not change the user: Django's box links to the page that does."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return [
            (title, {**options, "fields": tuple(name for name in options["fields"] if name != "password")})
            for title, options in fieldsets
        ]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (request.user.is_superuser or obj is None or not obj.is_staff)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(RowAdmin, AuthGroupAdmin):
    """Admin for a few staff groups."""

    form = VersionedForm
    ordering = ("name",)
