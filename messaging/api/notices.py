"""`notices`: what waits for a person."""

from dataclasses import asdict
from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.views import TenantView
from crm.models import Company
from messaging.notices import NoticeKind, list_notices


class NoticeSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(choices=list(NoticeKind))
    count = serializers.IntegerField(help_text="At most 100 are counted.")
    message = serializers.CharField()
    url = serializers.CharField(help_text="Where in this API to look.")


class NoticesSerializer(serializers.Serializer):
    notices = NoticeSerializer(many=True)


class NoticesView(TenantView):
    """What waits for the manager: lines without a name, lines that a provider refuses, deliveries that could not be
    read, opt-outs to decide on, texts that did not arrive."""

    resource = "notices"

    @extend_schema(responses=NoticesSerializer)
    def get(self, request: Request) -> Response:
        company = cast(Company, self.user.company)
        return Response({"notices": [asdict(notice) for notice in list_notices(zone=company.zone)]})
