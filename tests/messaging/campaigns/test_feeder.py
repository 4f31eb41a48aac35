"""The feeder: who gets into the outbox, when, and who doesn't."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from crm.models import Campaign, CampaignMembership, Company, Conversation, MarketingConsent, PhoneLine
from crm.services.consents import record_consent, withdraw_consent
from crm.services.opt_outs import record_opt_out
from messaging.models import Message
from messaging.services.campaigns import conveyor
from messaging.services.campaigns.feeder import feed_campaign, feed_next_campaign
from messaging.services.campaigns.runs import start_campaign
from messaging.services.outbound.sending import send_next_messages
from tests.count_queries import CountQueries
from tests.factories import (
    ActivityFactory,
    CampaignFactory,
    CampaignMembershipFactory,
    ContactFactory,
    ContactFlagFactory,
    ContactPhoneFactory,
    MessageFactory,
)
from tests.messaging.clocks import zone_with_hour

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def start(draft, add_members, in_acme):
    """Start the campaign with this many members. Returns these."""

    def start(count=1, **contact):
        members = add_members(draft, count, **contact)
        start_campaign(campaign=draft, user=None)
        return members

    return start


def statuses(campaign):
    rows = CampaignMembership.objects.filter(campaign=campaign).order_by("pk")
    return list(rows.values_list("status", "reason"))


def text_once(contact, line, at, **message):
    activity = ActivityFactory(contact=contact, activity_type="message", direction="outgoing")
    fields = {"direction": "outgoing", "status": "sent", "kind": "campaign"} | message
    return MessageFactory(contact=contact, phone_line=line, created_at=at, sent_at=at, activity=activity, **fields)


def wake(campaign):
    Campaign.objects.filter(pk=campaign.pk).update(feed_at=timezone.now())


def test_members_get_a_message_in_the_outbox(draft, start, desk):
    members = start(3)
    assert feed_next_campaign()
    messages = list(Message.objects.order_by("pk"))
    assert [message.membership_id for message in messages] == [member.pk for member in members]
    first = messages[0]
    assert (first.status, first.kind, first.priority, first.from_number) == ("queued", "campaign", 2, desk.number)
    assert first.to_numbers == [members[0].contact.phone]
    assert "is your roof ready?" in first.body
    assert (first.activity.body, first.activity.direction) == (first.body, "outgoing")
    assert first.activity.conversation == Conversation.objects.get(contact=members[0].contact, phone_line=desk)
    due = CampaignMembership.objects.values_list("status", "due_at", "sms_segments").distinct()
    assert list(due) == [("pending", None, 1)]
    assert not feed_next_campaign()


def test_turn_takes_as_many_statements_for_many_members_as_for_few(draft, start, settings):
    settings.SMS_PER_SECOND = 1000
    start(40)
    campaign = Campaign.objects.select_related("company", "phone_line").get(pk=draft.pk)
    with CountQueries() as asked:
        assert feed_campaign(campaign=campaign, now=timezone.now()) == 40
    assert len(asked) <= 26


def test_outbox_holds_a_minute_of_the_lines_pace(draft, start, settings):
    settings.SMS_PER_SECOND = 1
    start(60)
    feed_next_campaign()
    assert Message.objects.count() == 48  # replies have a fifth
    wake(draft)
    assert feed_next_campaign()
    assert Message.objects.count() == 48
    Message.objects.filter(pk__in=Message.objects.order_by("pk").values("pk")[:8]).update(status="sent")
    wake(draft)
    feed_next_campaign()
    assert Message.objects.count() == 56


def test_campaign_of_a_line_that_has_enough_rests(draft, start, settings):
    settings.SMS_PER_SECOND = 1
    start(60)
    feed_next_campaign()
    draft.refresh_from_db()
    assert timedelta(seconds=20) < draft.feed_at - timezone.now() <= timedelta(seconds=30)


def test_members_wait_for_their_hours(draft, start, awake):
    [member] = start(timezone=zone_with_hour(2))
    assert feed_next_campaign()
    assert not Message.objects.exists()
    member.refresh_from_db()
    assert member.due_at > timezone.now()


def test_member_whose_hours_are_over_when_it_is_reached_waits_for_the_next_day(draft, start):
    [member] = start(timezone=zone_with_hour(22))
    CampaignMembership.objects.update(due_at=timezone.now() - 3 * HOUR)  # it was early enough then
    feed_next_campaign()
    member.refresh_from_db()
    assert (member.status, member.due_at > timezone.now() + 8 * HOUR) == ("pending", True)


def test_opted_out_members_are_left_out_with_the_others_of_their_turn_served(draft, start):
    members = start(3)
    CampaignMembership.objects.filter(pk=members[1].pk).update(status="sending")  # a STOP can't change it
    record_opt_out(phone=members[1].contact.phone, words="STOP", source="sms", occurred_at=timezone.now())
    CampaignMembership.objects.filter(pk=members[1].pk).update(status="pending")
    feed_next_campaign()
    assert [status for status, _ in statuses(draft)] == ["pending", "opted_out", "pending"]
    assert Message.objects.count() == 2


@pytest.mark.parametrize(
    ("flag", "reason"),
    [
        ("do_not_contact", "The contact is flagged as do not contact."),
        ("invalid_number", "The contact's number is flagged as invalid."),
    ],
)
def test_flagged_members_are_skipped(flag, reason, draft, start):
    [member] = start()
    ContactFlagFactory(contact=member.contact, flag_type=flag)
    feed_next_campaign()
    assert statuses(draft) == [("skipped", reason)]


def test_number_that_belongs_to_another_contact_now_is_skipped(draft, start, in_acme):
    [member] = start()
    member.contact.phones.all().delete()
    ContactPhoneFactory(contact__company=in_acme, phone=member.contact.phone)
    feed_next_campaign()
    assert statuses(draft)[0][0] == "skipped"


def test_member_whose_text_can_not_be_made_is_skipped_alone(draft, start):
    Campaign.objects.update(body="Is {city} dry?")
    members = start(2, city="Denver")
    members[0].contact.city = ""
    members[0].contact.save()
    feed_next_campaign()
    assert [status for status, _ in statuses(draft)] == ["skipped", "pending"]
    assert Message.objects.get().body.endswith("Is Denver dry?\nReply STOP to opt out.")


def test_consent_is_asked_for_where_the_company_requires_it(draft, start):
    Company.objects.update(require_marketing_consent=True)
    members = start(2)
    phone = members[0].contact.phone
    MarketingConsent.objects.create(company=draft.company, phone=phone, source="form", wording="Yes.", proof="Form 1")
    feed_next_campaign()
    assert [status for status, _ in statuses(draft)] == ["pending", "skipped"]
    assert statuses(draft)[1][1] == "There is no consent to marketing messages for this number."


@pytest.mark.parametrize(
    ("requires", "purpose", "ends"),
    [(True, "marketing", ["sent", "skipped"]), (True, "service", ["sent", "sent"]),
     (False, "marketing", ["sent", "sent"])],
)  # fmt: skip
def test_consent_that_is_withdrawn_while_the_message_waits_in_the_outbox(requires, purpose, ends, draft, start):
    """It may wait there for a night."""
    Company.objects.update(require_marketing_consent=requires)
    Campaign.objects.update(purpose=purpose)
    members = start(2, timezone=zone_with_hour(12))
    consents = [
        record_consent(phone=member.contact.phone, source="form", wording="Yes.", proof="Form 1") for member in members
    ]
    feed_next_campaign()
    assert Message.objects.filter(status="queued").count() == 2
    withdraw_consent(consent=consents[1])
    while send_next_messages():
        PhoneLine.objects.update(next_send_at=timezone.now(), next_campaign_send_at=timezone.now())
    assert [status for status, _ in statuses(draft)] == ends
    if "skipped" in ends:
        assert statuses(draft)[1][1] == "There is no consent to marketing messages for this number."


def test_service_campaign_asks_for_no_consent_but_respects_opt_outs(draft, start, in_acme):
    Company.objects.update(require_marketing_consent=True)
    Campaign.objects.update(purpose="service")
    members = start(2)
    record_opt_out(phone=members[0].contact.phone, words="STOP", source="sms", occurred_at=timezone.now())
    feed_next_campaign()
    assert [status for status, _ in statuses(draft)] == ["opted_out", "pending"]
    assert Message.objects.count() == 1


def test_contact_with_three_campaign_messages_today_waits(draft, start, desk):
    [member] = start(timezone=zone_with_hour(12))
    now = timezone.now()
    for hours in (1, 2, 3):
        text_once(member.contact, desk, now - hours * HOUR)
    feed_next_campaign()
    member.refresh_from_db()
    assert (member.status, member.due_at >= now + 21 * HOUR) == ("pending", True)


@pytest.mark.parametrize(
    ("days_ago", "status", "waits"), [(1, "skipped", False), (5, "pending", True), (8, "pending", False)]
)
def test_contact_of_a_campaign_lately_waits_a_little_or_is_left_out(days_ago, status, waits, draft, start, desk):
    """Seven days between two campaigns: a wait of six would keep the campaign open for long."""
    Company.objects.update(campaign_interval_days=7)
    [member] = start(timezone=zone_with_hour(12))
    sent_at = timezone.now() - days_ago * DAY
    earlier = CampaignFactory(company=draft.company, status="completed")
    of_earlier = CampaignMembershipFactory(campaign=earlier, contact=member.contact, status="sent", sent_at=sent_at)
    text_once(member.contact, desk, sent_at, membership=of_earlier)
    feed_next_campaign()
    member.refresh_from_db()
    assert (member.status, member.due_at is not None) == (status, waits)


def test_person_who_has_tested_the_text_gets_it_with_the_others(draft, start, desk):
    Company.objects.update(campaign_interval_days=7)
    [member] = start(timezone=zone_with_hour(12))
    text_once(member.contact, desk, timezone.now() - HOUR)
    feed_next_campaign()
    assert Message.objects.filter(membership=member, status="queued").exists()


def test_daily_limit_of_the_campaign_holds_over_turns(draft, start):
    Campaign.objects.update(daily_limit=2)
    start(5)
    for _ in range(3):
        wake(draft)
        feed_next_campaign()
    assert Message.objects.count() == 2
    Message.objects.update(status="sent")
    CampaignMembership.objects.filter(due_at=None).update(status="sent", sent_at=timezone.now())
    wake(draft)
    feed_next_campaign()
    assert Message.objects.count() == 2


@pytest.mark.parametrize("limit", ["line", "company"])
def test_segments_of_the_day_limit_what_is_queued(limit, draft, start, desk):
    today = datetime.now(UTC).date()
    PhoneLine.objects.update(sent_on=today, sent_segments=90, daily_cap=93 if limit == "line" else 10_000)
    if limit == "company":
        Company.objects.update(daily_segment_limit=93)
    start(5)
    feed_next_campaign()
    assert Message.objects.count() == 3
    wake(draft)
    feed_next_campaign()
    assert Message.objects.count() == 3


def test_campaign_with_a_used_up_day_costs_one_turn_a_minute(draft, start, desk):
    PhoneLine.objects.update(sent_on=datetime.now(UTC).date(), sent_segments=93, daily_cap=93)
    start(5)
    assert feed_next_campaign()
    draft.refresh_from_db()
    assert draft.feed_at >= timezone.now() + timedelta(seconds=55)


def test_campaigns_of_a_line_take_turns(acme, desk, draft, add_members, in_acme, settings):
    settings.SMS_PER_SECOND = 1
    other = CampaignFactory(company=acme, phone_line=desk)
    add_members(draft, 30)
    for member in draft.memberships.all():
        CampaignMembership.objects.create(company=acme, campaign=other, contact=member.contact)
    for campaign in (draft, other):
        start_campaign(campaign=campaign, user=None)
    assert feed_next_campaign()
    assert feed_next_campaign()
    counts = [Message.objects.filter(membership__campaign=each).count() for each in (draft, other)]
    assert counts == [30, 18]


def test_variant_b_gets_its_own_text(draft, start):
    Campaign.objects.update(body="Text of A.", body_b="Text of B.")
    members = start(2)
    for member, variant in zip(members, "ab", strict=True):  # the start has chosen them by lot
        CampaignMembership.objects.filter(pk=member.pk).update(variant=variant)
    feed_next_campaign()
    assert [message.body.split("\n")[0][-10:] for message in Message.objects.order_by("pk")] == [
        "Text of A.",
        "Text of B.",
    ]


def test_campaign_is_completed_when_every_member_has_an_end(draft, start):
    start(2)
    feed_next_campaign()
    CampaignMembership.objects.update(status="sent", sent_at=timezone.now())
    Message.objects.update(status="sent")
    wake(draft)
    assert feed_next_campaign()
    draft.refresh_from_db()
    assert (draft.status, draft.ended_at is not None) == ("completed", True)


def test_campaign_is_not_completed_while_a_message_is_on_its_way(draft, start):
    start(2)
    feed_next_campaign()
    Message.objects.update(status="sending")
    CampaignMembership.objects.update(status="sending")
    wake(draft)
    feed_next_campaign()
    draft.refresh_from_db()
    assert draft.status == "running"


def test_member_added_to_a_running_campaign_gets_its_message(draft, start, awake):
    start()
    feed_next_campaign()
    contact = ContactFactory(company=draft.company, phone="+13035550177", timezone=awake)
    member = CampaignMembershipFactory(campaign=draft, contact=contact)
    for _ in range(2):
        wake(draft)
        feed_next_campaign()
    assert Message.objects.filter(membership=member).exists()


def test_member_follows_every_write_of_its_message(draft, start):
    """As after a killed worker: the message is sent, and the member doesn't know."""
    start()
    feed_next_campaign()
    Message.objects.update(status="delivered")
    wake(draft)
    feed_next_campaign()
    assert statuses(draft) == [("delivered", "")]


def test_campaign_that_no_worker_has_looked_after_for_long_waits_for_a_person(draft, start):
    start()
    Campaign.objects.update(feed_at=timezone.now() - 13 * HOUR)
    assert feed_next_campaign()
    draft.refresh_from_db()
    assert (draft.status, draft.status_reason) == (
        "paused",
        "The worker has not looked after it for more than 12 hours. Look at the results, then resume it.",
    )
    assert not Message.objects.exists()


def test_queue_of_days_is_not_stale(draft, start):
    start()
    CampaignMembership.objects.update(due_at=timezone.now() - 3 * DAY)
    feed_next_campaign()
    assert Message.objects.count() == 1


def test_failing_campaign_is_tried_again_later_and_does_not_stop_another(draft, start, add_members, monkeypatch):
    start()
    other = CampaignFactory(company=draft.company, phone_line=draft.phone_line)
    CampaignMembershipFactory(campaign=other, contact=draft.memberships.get().contact)
    start_campaign(campaign=other, user=None)

    def fail_for_one(*, campaign, now):
        if campaign.pk == draft.pk:
            raise RuntimeError("broken")
        return conveyor.read_room(campaign=campaign, now=now)

    monkeypatch.setattr("messaging.services.campaigns.feeder.read_room", fail_for_one)
    assert feed_next_campaign()
    assert feed_next_campaign()
    draft.refresh_from_db()
    assert draft.feed_at > timezone.now() + timedelta(seconds=50)
    assert Message.objects.get().membership.campaign == other
