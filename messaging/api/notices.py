"""`notices`: open issues for the users of a company."""

from dataclasses import asdict
from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.pagination import DEFAULT_LIMIT, MAX_LIMIT
from crm.api.base.serializers import WholeNumberField
from crm.api.base.views import TenantView
from crm.choices import Role
from crm.error_codes import ErrorCode
from crm.models import Company
from messaging.notices import NoticeKind, list_notices


class NoticeSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(choices=list(NoticeKind), help_text="What the notice is about.")
    count = serializers.IntegerField(help_text="Number of rows, at most 100.")
    message = serializers.CharField(help_text="What happened and what to do, for people.")
    url = serializers.CharField(help_text="API URL of the affected rows.")


class NoticesSerializer(serializers.Serializer):
    notices = NoticeSerializer(many=True, help_text="One for each kind that has rows.")


class NoticesParameters(serializers.Serializer):
    limit = WholeNumberField(min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT, help_text="Notices at most.")


class NoticesView(TenantView):
    """Return open issues. CSRs have those that they can solve, reps their own overdue tasks.

    They are unnamed and paused phone lines, dead webhook events, opt-outs to review, undelivered messages, messages
    that are held until a manager decides (`texts_held`), and a provider that doesn't answer (`provider_down`).
    CSRs and managers have opt-outs to review, missed callers without a text back, contacts who ask for another time of
    their appointment (`reschedule_requests`), other times that reps propose (`reschedule_proposals`), and their own
    overdue tasks and those of nobody (`tasks_overdue`).
    """

    resource = "notices"
    refusals = {"get": (ErrorCode.MIN_VALUE, ErrorCode.MAX_VALUE)}

    def known_parameters(self) -> set[str]:
        return {"limit"}

    @extend_schema(parameters=[NoticesParameters], responses=NoticesSerializer)
    def get(self, request: Request) -> Response:
        parameters = NoticesParameters(data=request.query_params.dict())
        parameters.is_valid(raise_exception=True)
        company = cast(Company, self.user.company)
        notices = list_notices(zone=company.zone, role=Role(self.user.role), user=self.user)
        return Response({"notices": [asdict(notice) for notice in notices[: parameters.validated_data["limit"]]]})
