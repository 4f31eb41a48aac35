"""`setup`: what the company's set-up still lacks."""

from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.views import TenantView
from crm.choices import Provider
from crm.models import Company
from messaging.services.setup import StepName, read_setup


class SetupStepSerializer(serializers.Serializer):
    name = serializers.ChoiceField(choices=[(name.value, name.value) for name in StepName], help_text="The step.")
    title = serializers.CharField(help_text="What the company needs, for people.")
    is_done = serializers.BooleanField(help_text="Whether it is there.")
    note = serializers.CharField(help_text="What is there, or what is to do, for people.")
    missing_for = serializers.ListField(
        child=serializers.ChoiceField(choices=Provider.choices),
        help_text="Providers of the company's phone lines that still lack it.",
    )


class SetupSerializer(serializers.Serializer):
    is_complete = serializers.BooleanField(help_text="Whether every step is done.")
    missing = serializers.IntegerField(help_text="Number of steps to do.")
    last_event_at = serializers.DateTimeField(
        allow_null=True, help_text="Time of the latest webhook event of a provider. Null: none has come."
    )
    steps = SetupStepSerializer(many=True, help_text="In the order in which they are done.")


class SetupView(TenantView):
    """The steps of the company's set-up. For managers."""

    resource = "setup"

    @extend_schema(responses=SetupSerializer)
    def get(self, request: Request) -> Response:
        """Read what the set-up still lacks."""
        return Response(SetupSerializer(read_setup(cast(Company, self.user.company))).data)
