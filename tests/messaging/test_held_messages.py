"""Messages that are held until a person decides."""

from datetime import timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from crm.db.tenancy import all_tenants
from crm.models import PhoneLine
from messaging.models import Message
from messaging.notices import list_notices
from messaging.services.outbound.outbox import queue_message
from messaging.services.outbound.sending import send_next_messages
from messaging.services.outbound.settlement import settle
from messaging.services.outbound.text_backs import queue_next_text_back
from messaging.services.outbound.unknown_sends import look_up_next_message
from tests.factories import (
    CampaignMembershipFactory,
    ContactFactory,
    ContactFlagFactory,
    HeldMessageFactory,
    MessageFactory,
    MissedCallerFactory,
    ProviderAccountFactory,
)
from tests.messaging.claims import claim, depart_and_call
from tests.messaging.clocks import zone_with_hour
from tests.provider_server import answer

URL = "/api/v1/held-messages"
NOTHING_ELSE = "Paused campaigns: 0. Dropped text backs: 0. Dropped reminders: 0."


@pytest.fixture
def casey(in_acme):
    return ContactFactory(company=in_acme, phone="+12125550101", timezone=zone_with_hour(14))


@pytest.fixture
def message(in_acme, desk, casey, provider_server):
    ProviderAccountFactory(company=in_acme)
    return queue_message(contact=casey, line=desk, body="On our way.", kind="missed_call")


def age(message, **values):
    Message.objects.filter(pk=message.pk).update(**values)


@pytest.mark.parametrize(("hours", "status"), [(11.9, "sent"), (12.1, "held")])
def test_overdue_message_is_held(message, provider_server, hours, status):
    age(message, run_at=timezone.now() - timedelta(hours=hours))
    assert send_next_messages()
    message.refresh_from_db()
    assert message.status == status
    assert len(provider_server.sent) == (status == "sent")
    assert message.error == (
        "It is overdue by more than 12 hours, so a person must decide." if status == "held" else ""
    )
    assert not send_next_messages()


def test_overdue_message_of_a_paused_line_is_held_instead_of_postponed(message, desk):
    age(message, run_at=timezone.now() - timedelta(hours=13))
    PhoneLine.objects.update(paused_until=timezone.now() + timedelta(hours=1))
    assert send_next_messages()
    message.refresh_from_db()
    assert message.status == "held"


def test_message_that_waited_long_for_its_hour_is_sent(message, provider_server):
    age(message, created_at=timezone.now() - timedelta(days=3), run_at=timezone.now())
    assert send_next_messages()
    assert len(provider_server.sent) == 1


@pytest.mark.parametrize(("hours", "status"), [(1, "queued"), (13, "held")])
def test_old_message_that_the_provider_does_not_list_is_held(message, provider_server, hours, status):
    left = timezone.now() - timedelta(hours=hours)
    age(message, status="unknown", run_at=timezone.now(), sent_at=left, tries=1)
    assert look_up_next_message()
    message.refresh_from_db()
    assert message.status == status


def test_command_holds_what_is_queued_now(message, globex):
    theirs = MessageFactory(
        contact__company=globex, direction="outgoing", kind="reply", status="queued", run_at=timezone.now()
    )
    sent = MessageFactory(contact=message.contact, direction="outgoing", kind="reply", status="sent")
    out = StringIO()
    call_command("hold_texts", "--company", "acme", stdout=out)
    assert out.getvalue() == f"Held messages: 1, of which 0 may have been sent. {NOTHING_ELSE}\n"
    message.refresh_from_db()
    sent.refresh_from_db()
    assert (message.status, message.error, sent.status) == ("held", "It was held by hold_texts.", "sent")
    assert not send_next_messages() or not Message.objects.filter(pk=message.pk, status="sent").exists()
    with all_tenants():
        Message.objects.filter(pk=theirs.pk).update(status="queued", run_at=timezone.now())
    out = StringIO()
    call_command("hold_texts", stdout=out)
    assert out.getvalue() == f"Held messages: 1, of which 0 may have been sent. {NOTHING_ELSE}\n"
    with all_tenants():
        assert Message.objects.get(pk=theirs.pk).status == "held"


@pytest.mark.parametrize("status", ["sending", "unknown"])
def test_command_holds_what_may_have_been_sent_and_nobody_looks_it_up(message, provider_server, status):
    left = timezone.now() - timedelta(minutes=2)  # long enough for a lookup to send it again
    age(message, status=status, run_at=left, sent_at=left, tries=1)
    out = StringIO()
    call_command("hold_texts", stdout=out)
    assert out.getvalue() == f"Held messages: 1, of which 1 may have been sent. {NOTHING_ELSE}\n"
    assert not look_up_next_message()
    assert not send_next_messages()
    message.refresh_from_db()
    assert (message.status, message.run_at, provider_server.sent) == ("held", None, [])
    assert message.error.startswith("It was held by hold_texts, and may have been sent before.")


def test_answer_to_a_call_that_was_running_is_recorded_on_a_held_message(message, desk, provider_server):
    [claimed] = claim(desk)
    outcomes = depart_and_call(claimed)
    call_command("hold_texts", stdout=StringIO())
    settle(outcomes=outcomes)
    message.refresh_from_db()
    assert (message.status, message.error, message.activity.openphone_id) == ("sent", "", outcomes[0][1].openphone_id)


def test_claimed_message_that_is_held_does_not_leave(message, desk, provider_server):
    [claimed] = claim(desk)
    call_command("hold_texts", stdout=StringIO())
    assert depart_and_call(claimed) == []
    message.refresh_from_db()
    assert (message.status, provider_server.sent) == ("held", [])


def test_refusal_of_a_call_that_was_running_leaves_the_message_held(message, desk, provider_server):
    provider_server.fail_sends(answer(500))
    [claimed] = claim(desk)
    outcomes = depart_and_call(claimed)
    call_command("hold_texts", stdout=StringIO())
    settle(outcomes=outcomes)
    message.refresh_from_db()
    assert message.status == "held"


def test_command_drops_due_text_backs(casey, desk, provider_server):
    due = MissedCallerFactory(contact=casey, text_back="due")
    done = MissedCallerFactory(contact=ContactFactory(company=casey.company), text_back="queued")
    out = StringIO()
    call_command("hold_texts", stdout=out)
    assert out.getvalue().endswith("Dropped text backs: 1. Dropped reminders: 0.\n")
    due.refresh_from_db()
    done.refresh_from_db()
    assert (due.text_back, due.text_back_reason, done.text_back) == ("off", "It was held by hold_texts.", "queued")
    assert not queue_next_text_back()


def test_reconciling_a_restored_copy_finds_the_held_message_that_the_original_sent(message, casey, provider_server):
    call_command("hold_texts", stdout=StringIO())
    sent = provider_server.openphone.add_message(
        "PNdesk", casey.phone, message.body, direction="outgoing", at=timezone.now(), status="delivered"
    )
    since = (timezone.now() - timedelta(days=2)).date()
    call_command("reconcile", "--since", since.isoformat(), stdout=StringIO())
    message.refresh_from_db()
    assert (message.status, message.error, message.activity.openphone_id) == ("delivered", "", sent["id"])
    assert Message.objects.count() == 1


def test_unknown_company_is_refused(db):
    with pytest.raises(CommandError, match="nowhere"):
        call_command("hold_texts", "--company", "nowhere")


def test_held_messages_are_a_notice(casey):
    HeldMessageFactory(contact=casey)
    [notice] = [one for one in list_notices(zone=ZoneInfo("UTC")) if one.kind == "texts_held"]
    assert (notice.count, notice.url) == (1, URL)


def test_manager_releases_a_held_message(message, manager_api, provider_server):
    call_command("hold_texts", stdout=StringIO())
    [row] = manager_api.get(URL).json()["results"]
    assert (row["id"], row["status"]) == (message.pk, "held")
    response = manager_api.post(f"{URL}/{message.pk}/release")
    assert (response.status_code, response.json()["status"]) == (200, "queued")
    assert manager_api.get(URL).json()["results"] == []
    assert send_next_messages()
    assert len(provider_server.sent) == 1


def test_manager_cancels_a_held_message_and_its_campaign_skips_the_contact(casey, manager_api, provider_server):
    membership = CampaignMembershipFactory(contact=casey)
    held = HeldMessageFactory(contact=casey, kind="campaign", membership=membership)
    response = manager_api.post(f"{URL}/{held.pk}/cancel")
    assert (response.status_code, response.json()["status"]) == (200, "failed")
    membership.refresh_from_db()
    held.refresh_from_db()
    assert (membership.status, held.error) == ("skipped", "It was cancelled while it was held.")
    assert not send_next_messages()


def test_message_that_is_not_held_is_not_found(message, manager_api):
    assert manager_api.post(f"{URL}/{message.pk}/release").status_code == 404
    message.refresh_from_db()
    assert message.status == "queued"


@pytest.mark.parametrize(("action", "status"), [("release", "queued"), ("cancel", "failed")])
def test_staff_decide_in_the_admin(casey, client, staff, action, status):
    client.force_login(staff)
    held = HeldMessageFactory(contact=casey)
    sent = MessageFactory(contact=casey, direction="outgoing", kind="reply", status="sent")
    page = reverse("admin:messaging_message_changelist")
    assert client.get(page, {"held": "1"}).context["cl"].result_count == 1
    client.post(page, {"action": action, "_selected_action": [held.pk, sent.pk], "confirmed": f"{held.pk},{sent.pk}"})
    held.refresh_from_db()
    sent.refresh_from_db()
    assert (held.status, sent.status) == (status, "sent")


def test_released_message_passes_the_send_policy_again(message, manager_api, casey, provider_server):
    call_command("hold_texts", stdout=StringIO())
    ContactFlagFactory(contact=casey, flag_type="do_not_contact")
    manager_api.post(f"{URL}/{message.pk}/release")
    assert send_next_messages()
    message.refresh_from_db()
    assert (message.status, provider_server.sent) == ("failed", [])
