"""`campaigns/{id}/report`: the results of a campaign."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.views import TenantViewSet
from crm.choices import Variant
from crm.models import Campaign, Company
from messaging.api.campaigns import ProgressSerializer
from messaging.services.campaigns.estimates import cost_of
from messaging.services.campaigns.reports import CampaignReport, Outcome, read_report
from messaging.services.campaigns.statistics import LOOKS, Proportion
from messaging.services.campaigns.variant_tests import NEEDED_PER_VARIANT, VariantTest, Verdict

PERCENT = "In percent, with two decimals."


class ShareSerializer(serializers.Serializer):
    """A number of a number, with its 95 % interval (Wilson)."""

    count = serializers.IntegerField(help_text="How many.")
    of = serializers.IntegerField(help_text="Of how many.")
    rate = serializers.FloatField(allow_null=True, help_text=f"{PERCENT} Null: of nothing.")
    low = serializers.FloatField(
        allow_null=True, help_text="Lower end of the 95 % interval of the rate. Null: of nothing."
    )
    high = serializers.FloatField(
        allow_null=True, help_text="Upper end of the 95 % interval of the rate. Null: of nothing."
    )


class OutcomeSerializer(serializers.Serializer):
    members = serializers.IntegerField(help_text="Contacts; by step, the messages made for them.")
    recipients = serializers.IntegerField(help_text="Those of them whose message was sent.")
    replies = ShareSerializer(help_text="Recipients who replied within 72 hours.")
    bookings = ShareSerializer(help_text="Recipients with a booking that followed the message.")
    opt_outs = ShareSerializer(help_text="Recipients who opted out.")
    failures = ShareSerializer(help_text="Messages that failed or weren't delivered, of all that were tried.")
    sms_segments = serializers.IntegerField(help_text="SMS segments of the sent messages.")
    cost = serializers.DecimalField(max_digits=14, decimal_places=2, help_text="Their cost, by the company's price.")


class VariantOutcomeSerializer(OutcomeSerializer):
    variant = serializers.ChoiceField(choices=Variant.choices, help_text="`a`: `body`. `b`: `body_b`.")


class StepOutcomeSerializer(OutcomeSerializer):
    step = serializers.IntegerField(help_text="1: the campaign's own text. 2 and more: its further steps.")


class HourOutcomeSerializer(OutcomeSerializer):
    hour = serializers.DateTimeField(help_text="Start of the hour of sending, in the company's time zone.")


class DifferenceSerializer(serializers.Serializer):
    """Rate of replies of text B minus that of text A, with its 95 % interval (Newcombe)."""

    points = serializers.FloatField(help_text="In percentage points, with two decimals.")
    low = serializers.FloatField(help_text="Lower end of the 95 % interval.")
    high = serializers.FloatField(help_text="Upper end of the 95 % interval.")
    p_value = serializers.FloatField(help_text="Two-sided. With five looks, a value below 0.0158 is a difference.")


class VariantTestSerializer(serializers.Serializer):
    verdict = serializers.ChoiceField(
        choices=[verdict.value for verdict in Verdict],
        help_text="`too_small`: there are too few contacts. `not_enough_yet`: too few have had 72 hours to reply.",
    )
    winner = serializers.ChoiceField(
        choices=Variant.choices, allow_null=True, help_text="The text that gets more replies. Null without a winner."
    )
    message = serializers.CharField(help_text="The verdict for people.")
    recipients = serializers.IntegerField(
        help_text="Recipients of each text, at least, who have had 72 hours to reply."
    )
    planned = serializers.IntegerField(help_text="Recipients of each text at the last look.")
    needed = serializers.IntegerField(help_text="Recipients that each text needs for a verdict.")
    look = serializers.IntegerField(help_text="Number of the last planned look. 0: before the first.")
    looks = serializers.IntegerField(help_text="Number of planned looks.")
    a = ShareSerializer(allow_null=True, help_text="Replies to text A at this look. Null before the first.")
    b = ShareSerializer(allow_null=True, help_text="Replies to text B at this look. Null before the first.")
    difference = DifferenceSerializer(allow_null=True, help_text="B minus A at this look. Null before the first.")


class CampaignReportSerializer(serializers.Serializer):
    timezone = serializers.CharField()
    currency = serializers.CharField()
    by_status = ProgressSerializer(help_text="Memberships by status, those of all steps.")
    total = OutcomeSerializer(help_text="Results by contact: one who got several steps counts once.")
    by_variant = VariantOutcomeSerializer(many=True, help_text="Results by contact, for each text of an A/B test.")
    by_step = StepOutcomeSerializer(many=True, help_text="Results by message, for each step.")
    by_hour = HourOutcomeSerializer(many=True, help_text="Results by message, for each hour with sent messages.")
    ab_test = VariantTestSerializer(allow_null=True, help_text="Null: the campaign has one text.")


class CampaignReportViewSet(TenantViewSet):
    """Results of a campaign."""

    resource = "campaigns"
    model = Campaign
    on_replica = True

    def get_rows(self) -> Any:
        return super().get_rows().select_related("company")

    @extend_schema(responses=CampaignReportSerializer)
    def report(self, request: Request, **kwargs: Any) -> Response:
        """Read the results of a campaign.

        An A/B test is read at five planned numbers of recipients, each with 72 hours to reply. So looking often finds
        no winner by chance.
        """
        campaign = self.get_object()
        return Response(show_report(read_report(campaign=campaign), campaign.company))


def show_report(report: CampaignReport, company: Company) -> dict[str, Any]:
    def show(outcome: Outcome) -> dict[str, Any]:
        return _show_outcome(outcome, company.segment_price_micros)

    return {
        "timezone": company.timezone,
        "currency": company.currency,
        "by_status": report.by_status,
        "total": show(report.total),
        "by_variant": [{"variant": variant, **show(each)} for variant, each in report.by_variant.items()],
        "by_step": [{"step": step, **show(each)} for step, each in report.by_step.items()],
        "by_hour": [{"hour": hour.isoformat(), **show(each)} for hour, each in report.by_hour.items()],
        "ab_test": report.test and _show_test(report.test),
    }


def _show_outcome(outcome: Outcome, price_micros: int) -> dict[str, Any]:
    return {
        "members": outcome.members,
        "recipients": outcome.recipients,
        "replies": _show_share(outcome.replies),
        "bookings": _show_share(outcome.bookings),
        "opt_outs": _show_share(outcome.opt_outs),
        "failures": _show_share(outcome.failures),
        "sms_segments": outcome.sms_segments,
        "cost": str(cost_of(outcome.sms_segments, price_micros)),
    }


def _show_share(share: Proportion) -> dict[str, Any]:
    low, high = share.interval if share.of else (None, None)
    rates = {"rate": share.rate, "low": low, "high": high}
    shown = {name: None if rate is None else _percent(rate) for name, rate in rates.items()}
    return {"count": share.count, "of": share.of, **shown}


def _show_test(test: VariantTest) -> dict[str, Any]:
    return {
        "verdict": test.verdict.value,
        "winner": test.winner or None,
        "message": test.sentence,
        "recipients": test.recipients,
        "planned": test.planned,
        "needed": NEEDED_PER_VARIANT,
        "look": test.look,
        "looks": LOOKS,
        **{variant: _show_share(test.replies[variant]) if test.replies else None for variant in Variant.values},
        "difference": test.comparison
        and {
            "points": _percent(test.comparison.difference),
            "low": _percent(test.comparison.low),
            "high": _percent(test.comparison.high),
            "p_value": round(test.comparison.p_value, 4),
        },
    }


def _percent(rate: float) -> float:
    return round(100 * rate, 2)
