"""Start, pause, resumption and end of a campaign, over the API."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from crm.choices import CampaignStatus
from crm.db.tenancy import tenant
from crm.models import Campaign, CampaignMembership, Conversation
from messaging.models import Message
from messaging.services.campaigns.feeder import feed_campaign
from messaging.services.campaigns.jobs import has_pending_campaigns, is_campaign_due, run_next_campaign
from messaging.services.campaigns.runs import start_campaign, unschedule
from messaging.services.campaigns.states import TRANSITIONS
from messaging.services.outbound.claims import claim_messages
from messaging.services.outbound.holding import hold_messages
from messaging.services.outbound.ready_lines import find_ready_lines
from messaging.services.outbound.sending import send_claimed, send_next_messages
from tests.count_queries import CountQueries
from tests.errors import code_of
from tests.factories import (
    ActivityFactory,
    CampaignFactory,
    CampaignMembershipFactory,
    ConversationFactory,
    MessageFactory,
)

ACTIONS = ["start", "pause", "resume", "cancel"]
HOUR = timedelta(hours=1)


def ask(client, campaign, action):
    return client.post(f"/api/v1/campaigns/{campaign.pk}/{action}")


def queue(membership):
    """Put a message of the membership into the outbox, as the feeder does."""
    contact, line = membership.contact, membership.campaign.phone_line
    activity = ActivityFactory(contact=contact, activity_type="message", direction="outgoing")
    message = MessageFactory(
        contact=contact, phone_line=line, membership=membership, direction="outgoing", kind="campaign",
        status="queued", run_at=timezone.now(), activity=activity, to_numbers=[contact.phone],
    )  # fmt: skip
    CampaignMembership.objects.filter(pk=membership.pk).update(due_at=None, sms_segments=1)
    return message


def members_of(campaign):
    return list(CampaignMembership.objects.filter(campaign=campaign).order_by("pk"))


def test_started_campaign_runs_and_says_who_started_it(draft, add_members, manager_api, manager, in_acme):
    add_members(draft, 2)
    before = timezone.now()
    answer = ask(manager_api, draft, "start").json()
    assert (answer["status"], answer["started_by"], answer["started_by_name"]) == ("running", manager.pk, "maria")
    assert [member.due_at >= before for member in members_of(draft)] == [True, True]
    assert answer["progress"]["pending"] == 2
    assert is_campaign_due()


def test_start_ahead_of_its_time_schedules_the_campaign(draft, add_members, manager_api, in_acme):
    [member] = add_members(draft)
    manager_api.patch(f"/api/v1/campaigns/{draft.pk}", {"scheduled_at": f"{timezone.now() + HOUR:%Y-%m-%dT%H:%M:%SZ}"})
    assert ask(manager_api, draft, "start").json()["status"] == "scheduled"
    member.refresh_from_db()
    assert member.due_at is None
    assert not is_campaign_due()
    assert not has_pending_campaigns()


def test_worker_has_work_while_a_campaign_sends_and_none_while_it_waits_for_long(draft, add_members, manager_api):
    """Asked without a company, as the worker asks."""
    assert not has_pending_campaigns()
    [member] = add_members(draft)
    ask(manager_api, draft, "start")
    assert has_pending_campaigns()
    with tenant(draft.company_id):
        CampaignMembership.objects.filter(pk=member.pk).update(due_at=timezone.now() + HOUR)
    assert not has_pending_campaigns()


def test_scheduled_campaign_starts_at_its_time(draft, add_members, in_acme):
    [member] = add_members(draft)
    Campaign.objects.update(status="scheduled", scheduled_at=timezone.now() - timedelta(seconds=1))
    assert is_campaign_due()
    assert run_next_campaign()
    member.refresh_from_db()
    draft.refresh_from_db()
    assert (draft.status, member.due_at is not None) == ("running", True)


@pytest.mark.parametrize("late", [timedelta(hours=13), timedelta(days=20)])
def test_scheduled_campaign_that_the_worker_finds_too_late_waits_for_a_person(draft, add_members, late, in_acme):
    """As in a restored copy: the original has started it."""
    add_members(draft)
    Campaign.objects.update(status="scheduled", scheduled_at=timezone.now() - late)
    assert run_next_campaign()
    draft.refresh_from_db()
    assert draft.status == "draft"
    assert draft.status_reason.startswith("It could not start at its time. It was due at ")


def test_scheduled_campaign_that_can_not_start_is_a_draft_that_says_why(draft, desk, add_members, in_acme):
    add_members(draft)
    desk.paused_until, desk.pause_reason = timezone.now() + HOUR, "No credit."
    desk.save()
    Campaign.objects.update(status="scheduled", scheduled_at=timezone.now())
    assert run_next_campaign()
    draft.refresh_from_db()
    reason = "The phone line is paused (No credit). Resume it, or choose another line."
    assert (draft.status, draft.status_reason) == ("draft", f"It could not start at its time. {reason}")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"body": ""}, "no_body"),
        ({"body": " \n"}, "no_body"),
        ({"body": "x" * 1601}, "message_too_long"),
        ({"body": "\u202e"}, "message_empty"),  # nothing to see
        ({"body": "Hi {nickname}!"}, "unresolved_placeholder"),
        ({"body": "Hi from {city}!"}, "unresolved_placeholder"),  # the contact has none
        ({"phone_line": None}, "no_phone_line"),
        ({"scheduled_at": "2026-03-02T16:00:00Z"}, "past_schedule"),
    ],
)
def test_start_of_an_unready_campaign_is_refused(change, code, draft, add_members, manager_api, in_acme):
    add_members(draft)
    Campaign.objects.filter(pk=draft.pk).update(**change)
    answer = ask(manager_api, draft, "start")
    assert (answer.status_code, code_of(answer)) == (409, code)
    assert Campaign.objects.get(pk=draft.pk).status == "draft"


def test_start_without_members_is_refused(draft, manager_api):
    assert code_of(ask(manager_api, draft, "start")) == "no_members"


@pytest.mark.parametrize("action", ["start", "resume"])
def test_paused_line_refuses_a_start_and_a_resumption(action, draft, desk, add_members, manager_api, in_acme):
    add_members(draft)
    desk.paused_until = timezone.now() + HOUR
    desk.save()
    if action == "resume":
        Campaign.objects.update(status="paused", started_at=timezone.now())
    assert code_of(ask(manager_api, draft, action)) == "line_paused"


@pytest.mark.parametrize("status", CampaignStatus.values)
@pytest.mark.parametrize("action", ACTIONS)
def test_actions_follow_the_table_of_states(action, status, draft, add_members, manager_api, in_acme):
    add_members(draft)
    times = {"scheduled_at": timezone.now() + HOUR} if status == "scheduled" else {"started_at": timezone.now()}
    Campaign.objects.filter(pk=draft.pk).update(status=status, **times)
    allowed = {
        "start": {"draft": "running"},
        "pause": {"running": "paused", "scheduled": "draft"},
        "resume": {"paused": "running"},
        "cancel": dict.fromkeys(["draft", "scheduled", "running", "paused"], "cancelled"),
    }[action]
    answer = ask(manager_api, draft, action)
    after = Campaign.objects.get(pk=draft.pk).status
    if status in allowed:
        assert (answer.status_code, after) == (200, allowed[status])
        assert after in TRANSITIONS[CampaignStatus(status)]
    else:
        assert (answer.status_code, code_of(answer), after) == (409, "wrong_status", status)


def test_pause_takes_the_messages_out_of_the_outbox(draft, add_members, manager_api, in_acme):
    waiting, queued, leaving = add_members(draft, 3)
    ask(manager_api, draft, "start")
    queue(queued)
    message = queue(leaving)
    Message.objects.filter(pk=message.pk).update(status="sending")
    CampaignMembership.objects.filter(pk=leaving.pk).update(status="sending")
    assert ask(manager_api, draft, "pause").json()["status"] == "paused"
    found = [(member.status, member.due_at is not None) for member in members_of(draft)]
    assert found == [("pending", True), ("pending", True), ("sending", False)]
    assert list(Message.objects.values_list("pk", flat=True)) == [message.pk]
    assert waiting.contact.activities.count() == queued.contact.activities.count() == 0


@pytest.mark.parametrize("before", ["nothing", "a conversation", "an answer since"])
def test_conversation_that_a_recalled_message_began_goes_unless_something_else_is_in_it(
    before, draft, desk, add_members, manager_api, in_acme
):
    [member] = add_members(draft)
    if before == "a conversation":
        ConversationFactory(contact=member.contact, phone_line=desk)
    ask(manager_api, draft, "start")
    feed_campaign(campaign=Campaign.objects.select_related("company", "phone_line").get(), now=timezone.now())
    [conversation] = Conversation.objects.all()
    if before == "an answer since":
        ActivityFactory(contact=member.contact, conversation=conversation)
    ask(manager_api, draft, "pause")
    assert not Message.objects.exists()
    assert Conversation.objects.count() == (0 if before == "nothing" else 1)


def test_cancelled_campaign_skips_those_who_wait(draft, add_members, manager_api, in_acme):
    add_members(draft, 3)
    ask(manager_api, draft, "start")
    queue(members_of(draft)[0])
    assert ask(manager_api, draft, "cancel").json()["status"] == "cancelled"
    assert {(member.status, member.reason) for member in members_of(draft)} == {
        ("skipped", "The campaign was cancelled.")
    }
    assert not Message.objects.exists()


@pytest.mark.parametrize("claimed", [False, True])
def test_message_that_a_worker_holds_when_the_campaign_is_cancelled_does_not_leave(
    claimed, draft, add_members, manager_api, in_acme, monkeypatch
):
    """Cancelled just before the worker claims it, or between the claim and the departure."""
    [member] = add_members(draft)
    ask(manager_api, draft, "start")
    run_next_campaign()
    [ready] = find_ready_lines(timezone.now())
    claim = claim_messages(ready=ready) if claimed else None
    with monkeypatch.context() as patch:  # it doesn't see the message, whose row the worker holds
        patch.setattr("messaging.services.campaigns.runs.recall_queued", lambda campaign: None)
        ask(manager_api, draft, "cancel")
    if claim:
        send_claimed(messages=claim.messages)
    else:
        send_next_messages()
    member.refresh_from_db()
    assert (member.status, member.reason, member.due_at) == ("skipped", "The campaign was cancelled.", None)
    assert not Message.objects.exists()


@pytest.fixture
def held(draft, add_members, manager_api, in_acme):
    """A message of the running campaign that was held before it left."""
    [member] = add_members(draft)
    ask(manager_api, draft, "start")
    message = queue(member)
    hold_messages(messages=Message.objects.all(), reason="Overdue.")
    return message


def test_resumed_campaign_texts_a_contact_once_whose_message_was_held(held, draft, manager_api, in_acme):
    ask(manager_api, draft, "pause")
    assert Message.objects.get() == held  # reconciling a restored copy may find that it was sent
    ask(manager_api, draft, "resume")
    assert not Message.objects.exists()
    run_next_campaign()
    assert Message.objects.get().status == "queued"
    assert manager_api.post(f"/api/v1/held-messages/{held.pk}/release").status_code == 404


def test_held_message_of_a_cancelled_campaign_goes(held, draft, manager_api, in_acme):
    ask(manager_api, draft, "cancel")
    assert not Message.objects.exists()
    assert [member.status for member in members_of(draft)] == ["skipped"]


def test_message_that_may_have_left_stays_held_and_its_member_does_not_wait(held, draft, manager_api, in_acme):
    CampaignMembership.objects.update(status="sending")
    for action in ("pause", "resume"):
        ask(manager_api, draft, action)
    run_next_campaign()
    assert Message.objects.get() == held
    assert [(member.status, member.due_at) for member in members_of(draft)] == [("sending", None)]


def test_restored_copy_pauses_what_runs_and_what_should_have_started(draft, add_members, acme, desk, in_acme):
    add_members(draft)
    draft = start_campaign(campaign=draft, user=None)
    ready = {"company": acme, "status": "scheduled", "phone_line": desk}
    late, ahead = (CampaignFactory(**ready, scheduled_at=timezone.now() + hours * HOUR) for hours in (-1, 1))
    call_command("hold_texts", stdout=StringIO())
    for campaign, status in ((draft, "paused"), (late, "draft"), (ahead, "scheduled")):
        campaign.refresh_from_db()
        assert (campaign.status, "hold_texts" in campaign.status_reason) == (status, status != "scheduled")
    assert not run_next_campaign()


@pytest.mark.parametrize("status", ["draft", "running", "cancelled"])
def test_scheduled_campaign_that_somebody_has_decided_about_meanwhile_stays_so(draft, status, in_acme):
    Campaign.objects.update(status=status, started_at=timezone.now())
    assert unschedule(campaign=draft, reason="It could not start at its time.").status == status


def test_cancelling_asks_as_little_for_many_members_as_for_few(draft, add_members, manager_api, in_acme):
    add_members(draft, 20)
    ask(manager_api, draft, "start")
    with CountQueries() as asked:
        ask(manager_api, draft, "cancel")
    assert len(asked) <= 16


def test_campaign_is_marketing_unless_it_says_otherwise(manager_api, draft):
    assert manager_api.get(f"/api/v1/campaigns/{draft.pk}").json()["purpose"] == "marketing"
    answer = manager_api.patch(f"/api/v1/campaigns/{draft.pk}", {"purpose": "service"})
    assert (answer.status_code, answer.json()["purpose"]) == (200, "service")
    answer = manager_api.patch(f"/api/v1/campaigns/{draft.pk}", {"purpose": "fun"})
    assert (answer.status_code, code_of(answer)) == (400, "invalid_choice")
    with pytest.raises(IntegrityError, match="campaigns_purpose_valid"), transaction.atomic(), tenant(draft.company_id):
        Campaign.objects.update(purpose="fun")


@pytest.mark.parametrize("field", ["body", "body_b"])
def test_text_that_can_never_be_sent_is_refused_when_it_is_written(field, manager_api, draft):
    url = f"/api/v1/campaigns/{draft.pk}"
    assert manager_api.patch(url, {field: "x" * 1600}).status_code == 200
    assert code_of(manager_api.patch(url, {field: "x" * 1601})) == "max_length"


def test_daily_limit_lets_a_message_leave(manager_api, draft):
    answer = manager_api.patch(f"/api/v1/campaigns/{draft.pk}", {"daily_limit": 0})
    assert (answer.status_code, code_of(answer)) == (400, "min_value")


def test_status_is_read_only(draft, manager_api):
    answer = manager_api.patch(f"/api/v1/campaigns/{draft.pk}", {"status": "running"})
    assert (answer.status_code, code_of(answer)) == (400, "read_only")
    answer = manager_api.post("/api/v1/campaigns", {"name": "Winter check", "status": "running"})
    assert code_of(answer) == "read_only"


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ({"body": "Is your roof tight?"}, False),
        ({"body_b": "Is your roof tight?"}, False),
        ({"purpose": "service"}, False),
        ({"phone_line": None}, False),
        ({"scheduled_at": None}, True),
        ({"name": "Autumn check"}, True),
        ({"daily_limit": 100}, True),
    ],
)
def test_text_and_line_of_a_started_campaign_are_fixed(change, allowed, draft, add_members, manager_api):
    add_members(draft)
    ask(manager_api, draft, "start")
    answer = manager_api.patch(f"/api/v1/campaigns/{draft.pk}", change)
    if allowed:
        assert answer.status_code == 200
    elif "phone_line" in change:
        assert answer.status_code == 400  # a running campaign must have one
    else:
        assert (answer.status_code, code_of(answer)) == (409, "not_a_draft")


def test_steps_of_a_draft_are_replaced_together(draft, add_members, manager_api):
    steps = [{"delay_minutes": 1440, "body": "Still interested?"}, {"delay_minutes": 60, "body": "Last call."}]
    url = f"/api/v1/campaigns/{draft.pk}/steps"
    assert manager_api.post(url, {"steps": steps}).json()["steps"] == steps
    assert manager_api.post(url, {"steps": steps[:1]}).json()["steps"] == steps[:1]
    add_members(draft)
    ask(manager_api, draft, "start")
    assert code_of(manager_api.post(url, {"steps": []})) == "not_a_draft"


def test_steps_need_a_delay_and_a_text(draft, manager_api):
    url = f"/api/v1/campaigns/{draft.pk}/steps"
    assert code_of(manager_api.post(url, {"steps": [{"delay_minutes": 0, "body": "Still there?"}]})) == "min_value"
    assert code_of(manager_api.post(url, {"steps": [{"delay_minutes": 10, "body": ""}]})) == "blank"


@pytest.mark.parametrize("status", ["scheduled", "running", "paused", "completed"])
def test_campaign_under_way_can_not_be_deleted(status, acme, desk, manager_api):
    campaign = CampaignFactory(company=acme, status=status, scheduled_at=timezone.now() + HOUR, phone_line=desk)
    answer = manager_api.delete(f"/api/v1/campaigns/{campaign.pk}")
    assert (answer.status_code, code_of(answer)) == (409, "wrong_status")


def test_campaign_with_sends_can_not_be_deleted(acme, manager_api):
    campaign = CampaignFactory(company=acme, status="cancelled")
    CampaignMembershipFactory(campaign=campaign, contact__company=acme, status="sent", sent_at=timezone.now())
    answer = manager_api.delete(f"/api/v1/campaigns/{campaign.pk}")
    assert (answer.status_code, code_of(answer)) == (409, "in_use")


def test_deleting_a_member_takes_its_message_out_of_the_outbox(draft, add_members, manager_api, in_acme):
    [member] = add_members(draft)
    ask(manager_api, draft, "start")
    queue(member)
    assert manager_api.delete(f"/api/v1/campaign-memberships/{member.pk}").status_code == 204
    assert not Message.objects.exists()


def test_csr_may_not_start_a_campaign(draft, csr_api):
    assert ask(csr_api, draft, "start").status_code == 403
