"""`contacts/{id}/timeline`: a contact's timeline."""

from typing import Any, cast

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.timeline.entries import SERIALIZERS
from analytics.timeline.pagination import Timeline
from analytics.timeline.sources import TimelineEntry
from crm.api.base.companions import Rows, add_each, companions_of
from crm.api.base.pagination import KeysetPagination
from crm.api.base.views import TenantViewSet
from crm.models import Contact, User


class TimelinePagination(KeysetPagination):
    """Pages of a timeline, by cursor alone."""

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        parameters = super().get_schema_operation_parameters(view)
        return [parameter for parameter in parameters if parameter["name"] in ("limit", "cursor")]


class TimelineViewSet(TenantViewSet):
    """Timeline of a contact, latest first: activities, appointments, flags and campaign messages."""

    resource = "contacts"
    model = Contact
    pagination_class = TimelinePagination
    filter_backends = ()  # a timeline has none of the lists' filters
    on_replica = True

    def known_parameters(self) -> set[str]:
        return {"limit", "cursor"}

    @extend_schema(
        responses=PolymorphicProxySerializer(
            component_name="TimelineEntry", serializers=SERIALIZERS, resource_type_field_name="kind", many=True
        ),
    )
    def timeline(self, request: Request, **kwargs: Any) -> Response:
        entries = cast(TimelinePagination, self.paginator).paginate(
            Timeline(self.find_contact(), user=self.user), request
        )
        return self.get_paginated_response(show_entries(entries, self.user))


def show_entries(entries: list[TimelineEntry], user: User) -> Rows:
    """Return the entries with their companions, which are read for all kinds together."""
    rows = [entry.shown for entry in entries]
    add_each([(row, companion) for row in rows for companion in companions_of(SERIALIZERS[row["kind"]])], user)
    return rows
