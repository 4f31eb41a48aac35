"""`company`: the user's company."""

from typing import Any

from django.db import transaction
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.etags import check_if_match, tagged_response
from crm.api.base.roles import CHANGE
from crm.api.base.serializers import TenantSerializer
from crm.api.base.views import TenantView
from crm.api.working_hours import WorkingHoursSerializer
from crm.error_codes import ErrorCode
from crm.models import Company
from crm.models.companies import (
    LAWFUL_HOURS,
    MAX_CAMPAIGN_INTERVAL_DAYS,
    MAX_SEGMENT_PRICE_MICROS,
    MIN_IDLE_DAYS,
    MIN_RECORDING_DAYS,
    MIN_RETENTION_DAYS,
)
from crm.services.companies import change_settings
from crm.texting_hours import EARLIEST, LATEST


def hour_field(help_text: str) -> serializers.IntegerField:
    """Return the field of an hour of the day, between the hours that the law allows."""
    return serializers.IntegerField(
        min_value=EARLIEST,
        max_value=LATEST,
        required=False,
        help_text=help_text,
        error_messages=dict.fromkeys(("min_value", "max_value"), f"Must be {LAWFUL_HOURS}"),
    )


class CompanySettingsSerializer(TenantSerializer):
    after_hours_text = serializers.CharField(
        max_length=1600,
        allow_blank=True,
        required=False,
        help_text="Sent instead after a call that was missed outside of `working_hours`. Empty: the same text.",
    )

    working_hours = WorkingHoursSerializer(
        allow_null=True, required=False, help_text="By the company's clock. Null: it always works."
    )

    quiet_hours_start = hour_field("Hour from which automatic texts wait, by the recipient's clock.")
    quiet_hours_end = hour_field("Hour from which they leave. States, and campaigns, may have stricter hours.")

    missed_call_text = serializers.CharField(
        max_length=1600,
        allow_blank=True,
        required=False,
        help_text="Sent after a missed call. Leave empty to send nothing.",
    )

    retention_days = serializers.IntegerField(
        min_value=MIN_RETENTION_DAYS,
        max_value=36500,
        allow_null=True,
        required=False,
        help_text="Archive closed records after this many days. Null: never.",
    )

    recording_retention_days = serializers.IntegerField(
        min_value=MIN_RECORDING_DAYS,
        max_value=36500,
        allow_null=True,
        required=False,
        help_text="Delete recordings and voicemails after this many days. Null: never.",
    )

    close_conversations_after_days = serializers.IntegerField(
        min_value=MIN_IDLE_DAYS,
        max_value=36500,
        allow_null=True,
        required=False,
        help_text="Close conversations after this many days without a call or message. Null: never.",
    )

    campaign_interval_days = serializers.IntegerField(
        min_value=1,
        max_value=MAX_CAMPAIGN_INTERVAL_DAYS,
        allow_null=True,
        required=False,
        help_text="A contact gets one campaign in this many days. Null: any number.",
    )

    daily_segment_limit = serializers.IntegerField(
        min_value=1,
        max_value=2**31 - 1,  # the column's maximum on PostgreSQL
        allow_null=True,
        required=False,
        help_text="SMS segments a day (UTC) that carriers allow for all lines together. Null: only each line's limit.",
    )

    segment_price_micros = serializers.IntegerField(
        min_value=0,
        max_value=MAX_SEGMENT_PRICE_MICROS,
        required=False,
        help_text="Price of an SMS segment in millionths of the currency, for estimates.",
    )

    class Meta:
        model = Company
        fields = [
            "id",
            "name",
            "slug",
            "timezone",
            "currency",
            "missed_call_text",
            "after_hours_text",
            "working_hours",
            "quiet_hours_start",
            "quiet_hours_end",
            "opt_out_text",
            "retention_days",
            "recording_retention_days",
            "close_conversations_after_days",
            "require_marketing_consent",
            "campaign_interval_days",
            "daily_segment_limit",
            "segment_price_micros",
            "appointment_reminders",
            "reminder_text_24h",
            "reminder_text_2h",
            "on_the_way_text",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["slug", "created_at", "updated_at"]  # providers hold URLs with the slug
        extra_kwargs = {
            "timezone": {"help_text": "IANA name, such as America/Denver. Future appointments move to a new one."},
            "currency": {"help_text": "ISO 4217 code, such as USD. Amounts keep their numbers when it changes."},
        }

    def update(self, instance: Company, validated_data: dict[str, Any]) -> Company:
        return change_settings(company=instance, now=now(), **validated_data)


class CompanyView(TenantView):
    """The user's company and its settings."""

    resource = "company"
    has_etag = True
    refusals = {"patch": (ErrorCode.REQUIRED,)}  # of a day's hours

    @property
    def verb(self) -> str | None:
        return CHANGE if self.request.method == "PATCH" else super().verb

    @extend_schema(responses=CompanySettingsSerializer)
    def get(self, request: Request) -> Response:
        """Read the company's settings."""
        return tagged_response(request, self._serializer().data)

    @extend_schema(request=CompanySettingsSerializer, responses=CompanySettingsSerializer)
    def patch(self, request: Request) -> Response:
        """Change the company's settings."""
        with transaction.atomic():  # SQLite has no transaction yet
            Company.objects.select_for_update(no_key=True).get(pk=self.company_id)
            check_if_match(request, self._serializer().data)
            serializer = self._serializer(data=request.data, partial=True)
            serializer.is_valid(raise_exception=True)
            serializer.save()
            return tagged_response(request, self._serializer().data)

    def _serializer(self, **options: Any) -> CompanySettingsSerializer:
        company = Company.objects.get(pk=self.company_id)
        return CompanySettingsSerializer(company, context={"request": self.request, "view": self}, **options)
