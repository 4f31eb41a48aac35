"""`campaigns/{id}/texts`, `estimate` and `test-send`: a campaign's messages before it starts."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.companions import add_companions, companions_of
from crm.api.base.filters import MAX_ID
from crm.api.base.roles import visible
from crm.api.base.serializers import BodySerializer, ErrorCodeField, OneOfField, PhoneField, WholeNumberField
from crm.api.base.views import TenantViewSet
from crm.api.companions import ContactSummaryField
from crm.choices import Variant
from crm.error_codes import ErrorCode
from crm.models import Campaign, Contact
from messaging.api.threads import REPLY_CODES, MessageSerializer
from messaging.services.campaigns.bodies import read_bodies
from messaging.services.campaigns.estimates import MICROS, estimate_campaign
from messaging.services.campaigns.placeholders import find_placeholder_faults
from messaging.services.campaigns.previews import TextPreview, preview_texts, preview_texts_of
from messaging.services.campaigns.test_send import MAX_PER_HOUR, TooManyTestSends, send_test
from messaging.sms_segments import GSM_7_NAME, UCS_2_NAME

STEP = "1: the campaign's own text. 2 and more: its further steps."
VARIANT = "`a`: `body`. `b`: `body_b`."
NAME_OF_TEXT = "Name of the text: `body`, `body_b`, or `steps.2` for the second step."
NOT_DELAYS = {ErrorCode.LINE_PAUSED, ErrorCode.DAILY_CAP, ErrorCode.REQUIRED}  # a campaign's message waits instead


class TextsParameters(serializers.Serializer):
    contact = WholeNumberField(
        required=False, min_value=1, max_value=MAX_ID, help_text="This contact alone, in the campaign or not."
    )
    limit = WholeNumberField(min_value=1, max_value=100, default=10, help_text="Number of contacts.")


class TextProblemSerializer(serializers.Serializer):
    code = ErrorCodeField(help_text="The reason, for programs.")
    detail = serializers.CharField(help_text="What is wrong and what to do.")


class CampaignTextSerializer(serializers.Serializer):
    """The text of one step for one contact."""

    contact = serializers.IntegerField()
    contact_summary = ContactSummaryField()
    step = serializers.IntegerField(help_text=STEP)
    variant = serializers.ChoiceField(choices=Variant.choices, help_text=VARIANT)
    body = serializers.CharField(help_text="The whole text. Empty if there is a problem.")
    sms_segments = serializers.IntegerField(help_text="Number of SMS segments, of which each is billed.")
    encoding = serializers.ChoiceField(choices=[GSM_7_NAME, UCS_2_NAME], help_text="UCS-2 has 70 characters a segment.")
    ucs_2_characters = serializers.ListField(
        child=serializers.CharField(), help_text="The characters that make the text UCS-2."
    )
    is_first_contact = serializers.BooleanField(
        help_text="Whether the company has never texted the contact: the text says who writes and how to opt out."
    )
    problem = TextProblemSerializer(
        allow_null=True, help_text="Why this contact can't get the text. Null: the contact can."
    )


class TextFaultSerializer(serializers.Serializer):
    attr = serializers.CharField(help_text=NAME_OF_TEXT)
    position = serializers.IntegerField(help_text="Number of the character, from 1.")
    detail = serializers.CharField(help_text="What is wrong and what to do.")


class CampaignTextsSerializer(serializers.Serializer):
    faults = TextFaultSerializer(many=True, help_text="Unknown placeholders and stray braces of the texts.")
    results = CampaignTextSerializer(many=True, help_text="The texts of each contact, step by step.")


class EstimatedPartSerializer(serializers.Serializer):
    step = serializers.IntegerField(help_text=STEP)
    variant = serializers.ChoiceField(choices=Variant.choices, help_text=VARIANT)
    members = serializers.IntegerField(help_text="Contacts. For a further step: at most.")
    sms_segments = serializers.IntegerField(help_text="SMS segments of their messages.")


class EstimateProblemSerializer(serializers.Serializer):
    attr = serializers.CharField(help_text=NAME_OF_TEXT)
    code = ErrorCodeField(help_text="The reason, for programs.")
    detail = serializers.CharField(help_text="What is wrong and what to do.")
    members = serializers.IntegerField(help_text="Contacts who can't get the text.")


class VariantSizeSerializer(serializers.Serializer):
    members_per_variant = serializers.IntegerField(help_text="Contacts who get the text that fewer get.")
    needed_per_variant = serializers.IntegerField(
        help_text="Contacts that each text needs for a verdict: to tell 10 % replies from 15 %."
    )
    is_enough = serializers.BooleanField(help_text="Whether the test can have a verdict.")


class CampaignEstimateSerializer(serializers.Serializer):
    members = serializers.IntegerField(help_text="Pending contacts, and those whom the segment would add now.")
    first_contacts = serializers.IntegerField(help_text="Those of them whom the company has never texted.")
    sms_segments = serializers.IntegerField(help_text="SMS segments of all messages, further steps included.")
    segment_price = serializers.DecimalField(
        max_digits=12, decimal_places=6, help_text="Price of an SMS segment, from the company's settings."
    )
    cost = serializers.DecimalField(max_digits=14, decimal_places=2, help_text="Cost of all messages.")
    currency = serializers.CharField()
    parts = EstimatedPartSerializer(many=True, help_text="By step and variant.")
    problems = EstimateProblemSerializer(many=True, help_text="Reasons that keep the campaign from starting.")
    ab_test = VariantSizeSerializer(allow_null=True, help_text="Null: the campaign has one text.")


class TestSendSerializer(BodySerializer):
    phone = PhoneField(max_length=64, help_text="Your own number, as the main number of a contact.")
    variant = OneOfField(choices=Variant.choices, default=Variant.A, help_text=VARIANT)
    step = serializers.IntegerField(min_value=1, max_value=100, default=1, help_text=STEP)


class CampaignTextsViewSet(TenantViewSet):
    """A campaign's messages before it starts."""

    resource = "campaigns"
    model = Campaign
    serializer_class = MessageSerializer
    refusals = {
        "texts": (ErrorCode.MIN_VALUE, ErrorCode.MAX_VALUE),
        "test_send": (
            ErrorCode.NO_BODY, ErrorCode.NO_PHONE_LINE, ErrorCode.DOES_NOT_EXIST, ErrorCode.UNRESOLVED_PLACEHOLDER,
            ErrorCode.MESSAGE_TOO_LONG, ErrorCode.NO_OPEN_HOUR,
            *(code for code in REPLY_CODES if code not in NOT_DELAYS),
        ),
    }  # fmt: skip

    def get_rows(self) -> Any:
        return super().get_rows().select_related("company", "phone_line")

    def known_parameters(self) -> set[str]:
        return set(TextsParameters().fields) if self.action == "texts" else set()

    @extend_schema(parameters=[TextsParameters], responses=CampaignTextsSerializer, filters=False)
    def texts(self, request: Request, **kwargs: Any) -> Response:
        """Preview the texts of a campaign.

        Each text is shown as the contact gets it: placeholders filled in, and on a first contact with the company's
        name and how to opt out. Without `contact`: the campaign's first contacts.
        """
        parameters = TextsParameters(data=request.query_params.dict())
        parameters.is_valid(raise_exception=True)
        campaign = self.get_object()
        if pk := parameters.validated_data.get("contact"):
            contact = get_object_or_404(visible(Contact.objects.all(), self.user, "contacts"), pk=pk)
            previews = preview_texts_of(campaign=campaign, contact=contact)
        else:
            previews = preview_texts(campaign=campaign, limit=parameters.validated_data["limit"])
        rows = [_show_preview(preview) for preview in previews]
        add_companions(rows, companions_of(CampaignTextSerializer), self.user)
        faults = [
            {"attr": attr, "position": fault.position, "detail": fault.detail}
            for attr, body in read_bodies(campaign).named.items()
            for fault in find_placeholder_faults(body)
        ]
        return Response({"faults": faults, "results": rows})

    @extend_schema(responses=CampaignEstimateSerializer)
    def estimate(self, request: Request, **kwargs: Any) -> Response:
        """Estimate the SMS segments and the cost of a campaign.

        The next message of each pending contact is counted exactly, as the contacts are now. Further steps are counted
        for all of them: that is the most, since contacts who reply, book or opt out get no further step.
        """
        campaign = self.get_object()
        estimate = estimate_campaign(campaign=campaign)
        shown = {
            "members": estimate.members,
            "first_contacts": estimate.first_contacts,
            "sms_segments": estimate.sms_segments,
            "segment_price": estimate.price_micros / MICROS,
            "cost": estimate.cost,
            "currency": campaign.company.currency,
            "parts": [estimate.parts[key] for key in sorted(estimate.parts)],
            "problems": estimate.problems.values(),
            "ab_test": estimate.test,
        }
        return Response(CampaignEstimateSerializer(shown).data)

    @extend_schema(request=TestSendSerializer, responses={202: MessageSerializer})
    def test_send(self, request: Request, **kwargs: Any) -> Response:
        """Send a campaign's text to your own number.

        The number must be the main number of a contact: add yourself as one. The text is that of a first contact, with
        this contact's name. Opt-outs, quiet hours and limits apply, so the message may wait. No member of the campaign
        changes. Five an hour for each user (429).
        """
        body = TestSendSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            message = send_test(campaign=self.get_object(), user=self.user, **body.validated_data)
        except TooManyTestSends as error:
            raise Throttled(error.wait, f"At most {MAX_PER_HOUR} test sends an hour.") from error
        return Response(self.get_serializer(message).data, status.HTTP_202_ACCEPTED)


def _show_preview(preview: TextPreview) -> dict[str, Any]:
    problem = preview.problem and {"code": preview.problem.code.value, "detail": str(preview.problem)}
    return {
        "contact": preview.contact,
        "step": preview.step,
        "variant": preview.variant,
        "body": preview.body,
        "sms_segments": preview.sms_segments,
        "encoding": preview.encoding,
        "ucs_2_characters": preview.ucs_2_characters,
        "is_first_contact": preview.is_first_contact,
        "problem": problem,
    }
