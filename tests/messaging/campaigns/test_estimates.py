"""Estimates of campaigns: SMS segments and cost before the start."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from crm.choices import Variant
from crm.error_codes import ErrorCode
from crm.models import Campaign, CampaignMembership
from messaging.services.campaigns.audience import add_audience
from messaging.services.campaigns.estimates import check_texts, estimate_campaign
from messaging.services.campaigns.runs import start_campaign
from messaging.services.campaigns.start_preview import preview_start
from messaging.services.campaigns.texts import UnresolvedPlaceholder, UnusableText, full_text
from messaging.sms_segments import count_segments
from tests.count_queries import CountQueries
from tests.factories import (
    CampaignFactory,
    CampaignMembershipFactory,
    CampaignStepFactory,
    ContactFactory,
    ContactFlagFactory,
    MessageFactory,
    PhoneLineFactory,
    SegmentFactory,
)

# Names of every kind that changes the number of segments, and some that are only odd.
NAMES = [
    "", "Al", "Ann", "Ann", "Bo", "Maximiliana", "x" * 100, "Zoë", "José", "علی", "😀 Party", "[Ann]", "A  B", " Ann ",
    "Ann\nLee", "O’Neil", "O'Neil", "{", "~", "\u200b",
]  # fmt: skip


@pytest.fixture
def campaign(in_acme):
    return CampaignFactory(company=in_acme, body="Hi {first_name|there}, is your roof ready?", status="scheduled",
                           scheduled_at="2026-05-04T16:00Z")  # fmt: skip


def add_members(campaign, names, **values):
    for name in names:
        contact = ContactFactory(company=campaign.company, first_name=name, last_name="Lee", city="Denver")
        CampaignMembershipFactory(campaign=campaign, contact=contact, **values)


def text_contact(membership):
    """Let the company have texted the contact before."""
    MessageFactory(contact=membership.contact, direction="outgoing", status="delivered", kind="reply")


def test_estimate_is_the_sum_of_every_contacts_own_text(campaign):
    campaign.body = "Hi {first_name|there}" + ", is your roof ready?" * 6  # two segments for a long name
    campaign.body_b = "{last_name} {first_name|you}, " + "is your roof ready? " * 6
    campaign.save()
    for variant in Variant.values:
        add_members(campaign, NAMES, variant=variant)
    for membership in CampaignMembership.objects.filter(pk__in=CampaignMembership.objects.values("pk"))[::3]:
        text_contact(membership)
    known = set(CampaignMembership.objects.filter(contact__messages__isnull=False).values_list("pk", flat=True))
    segments = {
        variant: sum(
            count_segments(
                full_text(
                    campaign=campaign,
                    step_body=campaign.body if variant == "a" else campaign.body_b,
                    contact=membership.contact,
                    is_first=membership.pk not in known,
                )
            )
            for membership in CampaignMembership.objects.filter(variant=variant)
        )
        for variant in Variant.values
    }
    estimate = estimate_campaign(campaign=campaign)
    assert {part.variant: part.sms_segments for part in estimate.parts.values()} == segments
    assert estimate.members == 2 * len(NAMES)
    assert estimate.first_contacts == estimate.members - len(known)
    assert len(known) == 14


def test_estimate_takes_two_statements_for_any_number_of_members(campaign):
    costs = []
    for names in (NAMES[:2], NAMES):
        add_members(campaign, names)
        with CountQueries() as queries:
            estimate_campaign(campaign=campaign)
        costs.append(len(queries))
    assert costs == [2, 2]  # further steps, groups of members


def test_cost_is_that_of_the_companys_price(campaign):
    campaign.company.segment_price_micros = 11_000
    add_members(campaign, ["Ann"] * 3)
    estimate = estimate_campaign(campaign=campaign)
    assert (estimate.sms_segments, estimate.cost) == (3, Decimal("0.03"))  # 0.033


def test_contacts_who_have_got_their_text_are_not_counted(campaign):
    add_members(campaign, ["Ann", "Bo"])
    add_members(campaign, ["Cy"], status="skipped")
    assert estimate_campaign(campaign=campaign).members == 2


def test_message_that_never_left_is_no_contact(campaign):
    add_members(campaign, ["Ann", "Bo"])
    first, second = CampaignMembership.objects.order_by("pk")
    MessageFactory(contact=first.contact, direction="outgoing", status="failed", kind="reply")
    MessageFactory(contact=second.contact)  # an incoming one
    assert estimate_campaign(campaign=campaign).first_contacts == 2


def test_further_steps_are_counted_for_all_members_at_most(campaign):
    CampaignStepFactory(company=campaign.company, campaign=campaign, body="{first_name|You}" + "!" * 160)
    add_members(campaign, ["Ann", "Bo"])
    parts = estimate_campaign(campaign=campaign).parts
    assert [(part.step, part.members, part.sms_segments) for part in parts.values()] == [(1, 2, 2), (2, 2, 4)]


@pytest.mark.parametrize(
    ("body", "code", "members", "words"),
    [
        ("Hi {first_name}!", ErrorCode.UNRESOLVED_PLACEHOLDER, 2, "no first name"),
        ("Hi {nickname}!", ErrorCode.UNRESOLVED_PLACEHOLDER, 3, "Character 4: {nickname} isn't a placeholder."),
        ("Hi {first_name|you}" + "!" * 1600, ErrorCode.MESSAGE_TOO_LONG, 3, "shorten it to 1600"),
        ("{first_name|}", ErrorCode.MESSAGE_EMPTY, 2, "must not be empty"),
    ],
)
def test_text_that_contacts_cannot_get_is_a_problem_and_refuses_the_start(campaign, body, code, members, words):
    campaign.body = body
    add_members(campaign, ["", " ", "Ann"])
    [problem] = estimate_campaign(campaign=campaign).problems.values()
    assert (problem.attr, problem.code, problem.members) == ("body", code, members)
    with pytest.raises(UnusableText, match=rf"{words}.*\({members} contacts") as refused:
        check_texts(campaign=campaign)
    assert refused.value.code == code
    assert isinstance(refused.value, UnresolvedPlaceholder) == (code == ErrorCode.UNRESOLVED_PLACEHOLDER)


def test_problems_name_their_text(campaign):
    campaign.body_b = "{"
    CampaignStepFactory(company=campaign.company, campaign=campaign, step=3, body="{city}}")
    problems = estimate_campaign(campaign=campaign).problems
    assert [attr for attr, _ in problems] == ["body_b", "steps.3"]  # of a draft without members
    with pytest.raises(UnresolvedPlaceholder) as refused:
        check_texts(campaign=campaign)
    assert refused.value.attr == "body_b"


def test_texts_without_problems_may_start(campaign):
    add_members(campaign, NAMES)
    check_texts(campaign=campaign)


def test_test_says_how_many_contacts_a_verdict_needs(campaign):
    assert estimate_campaign(campaign=campaign).test is None
    campaign.body_b = "Hello {first_name|there}, is your roof ready?"
    add_members(campaign, ["Ann"] * 3, variant="a")
    add_members(campaign, ["Ann"] * 2, variant="b")
    size = estimate_campaign(campaign=campaign).test
    assert (size.members_per_variant, size.needed_per_variant, size.is_enough) == (2, 842, False)


# --- Who joins from the segment ---------------------------------------------------------------------------------------


@pytest.fixture
def of_segment(in_acme):
    """A draft whose contacts join from a segment when it starts."""
    segment = SegmentFactory(company=in_acme, definition={"field": {"name": "city", "is": ["Denver"]}})
    for name in ("Ann", "", "Maximiliana", "Zoë"):
        ContactFactory(company=in_acme, first_name=name, city="Denver")
    ContactFactory(company=in_acme, city="Aurora")
    return CampaignFactory(company=in_acme, body="Hi {first_name|there}!", segment=segment)


def test_those_who_would_join_are_estimated_as_they_are_after_they_have_joined(of_segment, in_acme):
    of_segment.body_b = "Hello {last_name|you}" + "!" * 160
    of_segment.save()
    flagged = ContactFactory(company=in_acme, city="Denver")
    ContactFlagFactory(contact=flagged, flag_type="do_not_contact")
    before = estimate_campaign(campaign=of_segment)
    add_audience(campaign=of_segment, segment=of_segment.segment)
    after = estimate_campaign(campaign=of_segment)
    assert (before.members, before.parts, before.cost) == (after.members, after.parts, after.cost)
    assert (before.members, before.test) == (4, after.test)


def test_everybody_would_join(of_segment, in_acme):
    of_segment.segment.definition = {"all": []}
    assert estimate_campaign(campaign=of_segment).members == 5


def test_campaign_under_way_takes_nobody_from_its_segment(of_segment):
    of_segment.status = "running"
    assert estimate_campaign(campaign=of_segment).members == 0


@pytest.mark.parametrize(("body", "reason"), [("Hi {first_name}!", "1 contacts"), ("Hi {frist_name}!", "frist_name")])
def test_text_that_those_who_would_join_can_not_get_is_refused_when_it_is_scheduled(body, reason, of_segment, in_acme):
    of_segment.body, of_segment.phone_line = body, PhoneLineFactory(company=in_acme, number="+12125550180")
    of_segment.scheduled_at = timezone.now() + timedelta(days=1)
    of_segment.save()
    with pytest.raises(UnusableText, match=reason):
        start_campaign(campaign=of_segment, user=None)
    preview = preview_start(campaign=Campaign.objects.get())
    assert (preview.joining, preview.refusal.code) == (4, "unresolved_placeholder")
