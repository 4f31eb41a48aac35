"""`colleagues`: the users of the company, by name."""

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from crm.api.base.list_views import ListRowsMixin
from crm.api.base.pagination import orders_by
from crm.api.base.serializers import TenantSerializer
from crm.api.base.views import TenantViewSet
from crm.api.companions import UserNameField
from crm.api.users import UserFilterSet
from crm.choices import Role
from crm.models import User


class ColleagueSerializer(TenantSerializer):
    name = UserNameField("id", help_text="First and last name; without them, the user name.")
    role = serializers.ChoiceField(choices=Role.choices, read_only=True)

    class Meta:
        model = User
        fields = ["id", "username", "name", "role", "is_active"]
        read_only_fields = fields
        extra_kwargs = {"username": {"help_text": "Name of the account, for `@username` in a note."}}


@extend_schema_view(list=extend_schema(summary="List colleagues"))
class ColleagueViewSet(ListRowsMixin, TenantViewSet):
    """The company's users for every role, for names and choices of assignees. Users who have left are inactive."""

    resource = "colleagues"
    model = User
    serializer_class = ColleagueSerializer
    filterset_class = UserFilterSet
    orders = orders_by("date_joined")
