"""`audit`: who has changed, exported and replayed what, for managers."""

from functools import cache
from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm.api.base.errors import invalid
from crm.api.base.filters import ChoicesFilter, ListFilterSet, RowFilter
from crm.api.base.list_views import LISTS
from crm.api.base.lists import FormattedField
from crm.api.base.pagination import orders_by
from crm.api.base.serializers import TenantSerializer
from crm.api.base.views import ReadViewSet
from crm.choices import AuditAction
from crm.db.audit import Audit
from crm.db.change_feed import Feed
from crm.db.triggers import declared_triggers
from crm.error_codes import ErrorCode
from crm.models import AuditEntry

# Tables that no trigger audits, but of which exports, replays and actions of staff are recorded; and parts of objects.
BESIDE = {
    "contact_phones": "contacts/phones",
    "message_threads": "messages",
    "outgoing_events": "outgoing-events",
    "webhook_events": "webhook-events",
}


@cache
def resources_by_table() -> dict[str, str]:
    """Return the resource of each table with audit entries: as in the URL below /api/v1/, if a route shows its rows."""
    audited = [model._meta.db_table for model, _ in declared_triggers(Audit)]
    shown = {model._meta.db_table: feed.resource for model, feed in declared_triggers(Feed) if feed.key == "id"}
    return {table: table.replace("_", "-") for table in audited} | shown | BESIDE


@extend_schema_field(str)
class ResourceField(FormattedField):
    """A table, as the name of its resource."""

    def to_representation(self, value: str) -> str:
        return resources_by_table().get(value, value.replace("_", "-"))


class AuditEntrySerializer(TenantSerializer):
    resource = ResourceField(source="table_name", help_text="Kind of the object, as in the URL below /api/v1/.")
    object = serializers.IntegerField(
        source="row_id", read_only=True, help_text="ID of the object. 0: a list, of an export."
    )
    user = serializers.IntegerField(
        source="actor_id", read_only=True, allow_null=True, help_text="ID of the user who did it. Null: a program."
    )
    user_name = serializers.CharField(
        source="actor", read_only=True, help_text="Username or program at that time. Empty: unknown."
    )
    changes = serializers.DictField(
        read_only=True,
        child=serializers.ListField(),
        help_text="Old and new value by column. Of an export: its format, filters and number of rows.",
    )

    class Meta:
        model = AuditEntry
        fields = ["id", "resource", "object", "action", "changes", "user", "user_name", "at"]
        read_only_fields = fields
        extra_kwargs = {
            "action": {"help_text": "`export` of a list and `replay` of a webhook event change no row."},
            "at": {"help_text": "Time of the action."},
        }


class AuditFilterSet(ListFilterSet):
    day_field = "at"
    resource = django_filters.ChoiceFilter(
        choices=lambda: [(name, name) for name in sorted(set(resources_by_table().values()))],
        method="of_resource",
        label="Kind of the object, as in the URL below /api/v1/.",
    )
    object = RowFilter(field_name="row_id")
    user = RowFilter(field_name="actor_id", me=True, none=True)
    action = ChoicesFilter(choices=AuditAction.choices)

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        given = self.form.cleaned_data
        if given.get("object") and not given.get("resource"):
            raise invalid("object", "Send `resource` with it: IDs are those of one kind.", code=ErrorCode.NOT_ALLOWED)
        return super().filter_queryset(queryset)

    def of_resource(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        tables = [table for table, resource in resources_by_table().items() if resource == value]
        return queryset.filter(table_name__in=tables)


class AuditViewSet(ReadViewSet):
    """Audit entries, newest first: changes of rows, exports, replays.

    Who merged and imported has inserted a row of `merges` or `imports`; who undid it has updated that row.
    """

    resource = "audit"
    model: Any = AuditEntry
    serializer_class = AuditEntrySerializer
    filterset_class = AuditFilterSet
    orders = orders_by("at")
    refusals = dict.fromkeys(LISTS, (ErrorCode.NOT_ALLOWED,))
