"""Messages that users let leave later: their time, changes, cancellations, and replies that hold them back."""

from datetime import datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.utils import timezone

from crm.models import Conversation, PhoneLine
from crm.services.opt_outs import record_opt_out
from messaging.models import Message
from messaging.notices import list_notices
from messaging.services.outbound.ready_lines import find_ready_lines
from messaging.services.outbound.sending import has_pending_messages, send_next_messages
from tests.errors import code_of, errors_of
from tests.factories import CampaignMembershipFactory, ContactFactory, MessageFactory, ProviderAccountFactory
from tests.messaging.claims import claim, depart_and_call
from tests.messaging.clocks import zone_with_hour
from tests.messaging.payloads import message_v4, post_event
from tests.messaging.worker_rounds import process_next_event

HOUR = timedelta(hours=1)
ZONES = ["America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"]


@pytest.fixture
def casey(in_acme):
    return ContactFactory(company=in_acme, phone="+12125550101", timezone=zone_with_hour(14))


@pytest.fixture
def line(in_acme, desk, provider_server):
    ProviderAccountFactory(company=in_acme)
    return desk


@pytest.fixture
def schedule(csr_api, casey, line):
    """Schedule a message, in an hour unless told otherwise. Returns the response."""

    def schedule(moment=None, **body):
        body = {"body": "See you.", "send_at": moment or (timezone.now() + HOUR).isoformat()} | body
        return csr_api.post(f"/api/v1/message-threads/{casey.pk}", body)

    return schedule


@pytest.fixture
def message(schedule):
    return Message.objects.get(pk=schedule(hold_if_reply=True).json()["id"])


def set_clock(monkeypatch, moment):
    monkeypatch.setattr(timezone, "now", lambda: moment)


def pass_time(message, ago=timedelta(0)):
    """Let the message's time be over."""
    moment = timezone.now() - ago
    Message.objects.filter(pk=message.pk).update(send_at=moment, run_at=moment)


def state_of(message):
    message.refresh_from_db()
    return message.status, message.error_code


def url(message, action=""):
    return f"/api/v1/messages/{message.pk}{action and '/'}{action}"


# --- The time ---------------------------------------------------------------------------------------------------------


def test_scheduled_message_leaves_at_its_time(schedule, monkeypatch, provider_server, csr):
    send_at = timezone.now() + HOUR
    response = schedule(send_at.isoformat())
    assert response.status_code == 202
    row = response.json()
    shown = {name: row[name] for name in ("kind", "status", "send_at", "hold_if_reply", "user")}
    assert shown == {
        "kind": "scheduled", "status": "queued", "send_at": send_at.isoformat().replace("+00:00", "Z"),
        "hold_if_reply": False, "user": csr.pk,
    }  # fmt: skip
    assert not send_next_messages()
    assert not has_pending_messages()  # a worker that runs until it is done doesn't wait for it
    set_clock(monkeypatch, send_at)
    assert send_next_messages()
    assert [text.body for text in provider_server.sent] == ["See you."]
    assert Message.objects.get().status == "sent"


@pytest.mark.parametrize("away", [timedelta(minutes=-1), timedelta(days=367)])
def test_time_that_is_past_or_too_far_ahead_is_refused(schedule, away):
    response = schedule((timezone.now() + away).isoformat())
    assert (response.status_code, code_of(response), list(errors_of(response))) == (400, "out_of_range", ["send_at"])
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"send_at": "2027-03-02T16:00:00"}, "send_at"),  # no offset
        ({"send_at": "tomorrow"}, "send_at"),
        ({"send_at": None}, "send_at"),
        ({"hold_if_reply": None}, "hold_if_reply"),
        ({"hold_if_reply": "yes"}, "hold_if_reply"),
        ({"status": "sent"}, "status"),
    ],
)
def test_invalid_field_is_named(schedule, body, field):
    response = schedule(**body)
    assert (response.status_code, list(errors_of(response))) == (400, [field])
    assert not Message.objects.exists()


def test_reply_that_leaves_at_once_can_not_be_held(csr_api, casey, line):
    response = csr_api.post(f"/api/v1/message-threads/{casey.pk}", {"body": "Hi.", "hold_if_reply": True})
    assert (response.status_code, list(errors_of(response))) == (400, ["hold_if_reply"])


@pytest.mark.parametrize("zone", ZONES)
def test_times_in_the_hours_of_a_clock_change_are_kept_to_the_second(schedule, monkeypatch, zone):
    set_clock(monkeypatch, datetime(2027, 3, 1, 12, tzinfo=ZoneInfo(zone)))
    standard, daylight = _offset(zone, 3), _offset(zone, 7)
    gap = datetime.fromisoformat(f"2027-03-14T02:30:00{standard}")  # by the clocks there is no such time
    first, second = (datetime.fromisoformat(f"2027-11-07T01:30:00{each}") for each in (daylight, standard))
    rows = [schedule(each.isoformat()).json() for each in (gap, first, second)]
    stored = [Message.objects.get(pk=row["id"]) for row in rows]
    assert [each.run_at for each in stored] == [each.send_at for each in stored] == [gap, first, second]
    assert second - first == HOUR


def _offset(zone, month):
    text = datetime(2027, month, 1, tzinfo=ZoneInfo(zone)).strftime("%z")
    return f"{text[:3]}:{text[3:]}"


@pytest.mark.parametrize("day", [datetime(2027, 3, 14), datetime(2027, 11, 7)])  # a local day
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("clock", [(0, 30), (7, 59)])
def test_quiet_hours_of_a_day_with_a_clock_change_end_at_eight(
    schedule, casey, monkeypatch, provider_server, day, zone, clock
):
    casey.timezone = zone
    casey.save()
    local = day.replace(tzinfo=ZoneInfo(zone))
    set_clock(monkeypatch, local - timedelta(days=1))
    send_at, opens = local.replace(hour=clock[0], minute=clock[1]), local.replace(hour=8)
    assert schedule(send_at.isoformat()).status_code == 202  # the hour is no reason to refuse it
    set_clock(monkeypatch, send_at.astimezone(ZoneInfo("UTC")))
    assert send_next_messages()
    message = Message.objects.get()
    assert (message.status, message.run_at) == ("queued", opens)
    assert message.error == "It is too early or too late in the contact's time zone."
    assert not send_next_messages()
    set_clock(monkeypatch, opens.astimezone(ZoneInfo("UTC")))
    assert send_next_messages()
    assert len(provider_server.sent) == 1


def test_message_that_was_scheduled_first_does_not_delay_an_earlier_one(schedule, monkeypatch, provider_server):
    now = timezone.now()
    schedule((now + 2 * HOUR).isoformat(), body="Second.")
    schedule((now + HOUR).isoformat(), body="First.")
    for hours in (1, 2):
        set_clock(monkeypatch, now + hours * HOUR)
        assert send_next_messages()
    assert [text.body for text in provider_server.sent] == ["First.", "Second."]


def test_scheduled_messages_of_one_moment_leave_in_the_order_of_writing(schedule, monkeypatch, provider_server, line):
    send_at = timezone.now() + HOUR
    for body in ("First.", "Second."):
        schedule(send_at.isoformat(), body=body)
    set_clock(monkeypatch, send_at)
    assert send_next_messages()
    PhoneLine.objects.update(next_send_at=send_at)
    assert send_next_messages()
    assert [text.body for text in provider_server.sent] == ["First.", "Second."]


def test_reply_leaves_before_a_message_that_is_scheduled_for_later(schedule, csr_api, casey, provider_server):
    schedule(body="Later.")
    csr_api.post(f"/api/v1/message-threads/{casey.pk}", {"body": "Now."})
    assert send_next_messages()
    assert [text.body for text in provider_server.sent] == ["Now."]
    assert not find_ready_lines(timezone.now())


def test_opt_out_is_decided_when_it_leaves(message, casey, provider_server):
    record_opt_out(phone=casey.phone, occurred_at=timezone.now(), source="sms", words="STOP")
    pass_time(message)
    assert send_next_messages()
    assert (state_of(message)[0], message.error, provider_server.sent) == ("failed", "The contact has opted out.", [])


def test_paused_line_postpones_it(message, line, provider_server):
    until = timezone.now() + 3 * HOUR
    PhoneLine.objects.filter(pk=line.pk).update(paused_until=until, pause_reason="No credit.")
    pass_time(message)
    assert send_next_messages()
    message.refresh_from_db()
    assert (message.status, message.run_at, provider_server.sent) == ("queued", until, [])


def test_paused_line_takes_what_is_scheduled_for_later(schedule, line):
    PhoneLine.objects.filter(pk=line.pk).update(paused_until=timezone.now() + HOUR / 2, pause_reason="No credit.")
    assert schedule().status_code == 202


def test_opted_out_contact_is_refused_at_once(schedule, casey):
    record_opt_out(phone=casey.phone, occurred_at=timezone.now(), source="sms", words="STOP")
    response = schedule()
    assert (response.status_code, code_of(response)) == (409, "opted_out")


@pytest.mark.parametrize(("hours", "status"), [(11.9, "sent"), (12.1, "held")])
def test_age_of_a_scheduled_message_counts_from_its_time(message, hours, status):
    Message.objects.filter(pk=message.pk).update(created_at=timezone.now() - timedelta(days=30))
    pass_time(message, ago=timedelta(hours=hours))
    assert send_next_messages()
    assert state_of(message)[0] == status


def test_restored_copy_holds_it_and_a_release_keeps_its_time(message, manager_api):
    call_command("hold_texts", stdout=StringIO())
    assert state_of(message) == ("held", "")
    assert manager_api.post(f"/api/v1/held-messages/{message.pk}/release").status_code == 200
    message.refresh_from_db()
    assert (message.status, message.run_at) == ("queued", message.send_at)


# --- Reading, changing, cancelling ------------------------------------------------------------------------------------


def test_message_is_read_with_its_tag(message, csr_api):
    response = csr_api.get(url(message))
    assert (response.status_code, response.json()["id"]) == (200, message.pk)
    again = csr_api.get(url(message), headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 304


def test_message_of_another_company_is_not_found(message, outsider_api):
    for response in (
        outsider_api.get(url(message)),
        outsider_api.patch(url(message), {"body": "Hi."}),
        outsider_api.post(url(message, "cancel")),
    ):
        assert response.status_code == 404
    assert state_of(message) == ("queued", "")


def test_text_and_time_change_while_it_is_queued(message, csr_api, monkeypatch, provider_server):
    tag = csr_api.get(url(message))["ETag"]
    later = timezone.now() + 2 * HOUR
    response = csr_api.patch(
        url(message), {"body": "See you at ten.", "send_at": later.isoformat()}, headers={"If-Match": tag}
    )
    assert (response.status_code, response.json()["body"]) == (200, "See you at ten.")
    message.refresh_from_db()
    assert (message.run_at, message.send_at, message.activity.body) == (later, later, "See you at ten.")
    stale = csr_api.patch(url(message), {"body": "No."}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["current"]["body"]) == (412, "See you at ten.")
    set_clock(monkeypatch, later)
    assert send_next_messages()
    assert [text.body for text in provider_server.sent] == ["See you at ten."]


def test_earlier_time_of_a_postponed_message_is_tried(message, csr_api):
    Message.objects.filter(pk=message.pk).update(run_at=timezone.now() + 9 * HOUR, error="Too late.")
    sooner = timezone.now() + HOUR
    csr_api.patch(url(message), {"send_at": sooner.isoformat()})
    message.refresh_from_db()
    assert (message.run_at, message.error) == (sooner, "")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"body": " "}, "body"),
        ({"body": "x" * 1601}, "body"),
        ({"send_at": None}, "send_at"),
        ({"send_at": "2020-01-01T00:00:00Z"}, "send_at"),
        ({"hold_if_reply": False}, "hold_if_reply"),
        ({"status": "failed"}, "status"),
    ],
)
def test_invalid_change_names_its_field(message, csr_api, body, field):
    response = csr_api.patch(url(message), body)
    assert (response.status_code, list(errors_of(response))) == (400, [field])


def test_claimed_message_is_neither_changed_nor_cancelled(message, csr_api, line):
    pass_time(message)
    claim(line)
    changed, cancelled = csr_api.patch(url(message), {"body": "No."}), csr_api.post(url(message, "cancel"))
    assert (changed.status_code, code_of(changed)) == (409, "not_scheduled")
    assert (cancelled.status_code, code_of(cancelled)) == (409, "not_queued")
    message.refresh_from_db()
    assert (message.status, message.body, message.activity.body) == ("sending", "See you.", "See you.")


def test_incoming_message_is_not_changed(csr_api, casey):
    incoming = MessageFactory(contact=casey)
    changed, cancelled = csr_api.patch(url(incoming), {"body": "No."}), csr_api.post(url(incoming, "cancel"))
    assert [code_of(changed), code_of(cancelled)] == ["not_scheduled", "not_queued"]


def test_cancelled_message_never_leaves(message, csr_api, csr, monkeypatch, provider_server):
    response = csr_api.post(url(message, "cancel"))
    row = response.json()
    assert (response.status_code, row["status"], row["error_code"]) == (200, "failed", "cancelled")
    assert row["error"] == f"{csr.get_full_name() or csr.username} cancelled it."
    again = csr_api.post(url(message, "cancel"))
    assert (again.status_code, code_of(again)) == (409, "not_queued")
    set_clock(monkeypatch, message.send_at)
    assert not send_next_messages()
    assert provider_server.sent == []


def test_cancelled_message_is_not_among_those_that_were_lost(message, csr_api):
    csr_api.post(url(message, "cancel"))
    assert not Message.objects.lost_since(timezone.now() - HOUR).exists()
    assert "texts_failed_today" not in {notice.kind for notice in list_notices(zone=ZoneInfo("UTC"))}


def test_campaign_skips_the_contact_of_a_cancelled_message(csr_api, casey):
    membership = CampaignMembershipFactory(contact=casey)
    queued = MessageFactory(
        contact=casey, direction="outgoing", kind="campaign", status="queued", run_at=timezone.now(),
        membership=membership,
    )  # fmt: skip
    assert csr_api.post(url(queued, "cancel")).status_code == 200
    membership.refresh_from_db()
    assert (membership.status, state_of(queued)) == ("skipped", ("failed", "cancelled"))


def test_rep_reads_messages_of_own_contacts_alone(message, rep_api):
    assert rep_api.get(url(message)).status_code == 404
    assert rep_api.post(url(message, "cancel")).status_code == 403


# --- Replies that hold it back ----------------------------------------------------------------------------------------


def reply(client, casey, line):
    at = timezone.now().isoformat()
    post_event(client, message_v4(sender=casey.phone, to=[line.number], text="Can't on Tuesday.", createdAt=at))
    assert process_next_event()


def test_reply_holds_it_back(message, client, secret, casey, line, provider_server):
    reply(client, casey, line)
    assert state_of(message) == ("held", "replied")
    assert message.error == "The contact has replied since it was written. Send it anyway, or cancel it."
    assert not send_next_messages()
    assert provider_server.sent == []
    assert Conversation.objects.get(contact=casey).status == "waiting"


def test_reply_holds_only_what_asks_for_it(schedule, client, secret, casey, line):
    message = Message.objects.get(pk=schedule().json()["id"])
    reply(client, casey, line)
    assert state_of(message) == ("queued", "")


def test_reply_from_before_it_was_written_does_not_hold_it(message, client, secret, casey, line):
    # As when a report of yesterday is repeated, or the list of a provider is read again.
    Message.objects.filter(pk=message.pk).update(created_at=timezone.now() + timedelta(days=1))
    reply(client, casey, line)
    assert state_of(message) == ("queued", "")


def test_reply_that_comes_after_the_claim_holds_it(message, client, secret, casey, line, provider_server):
    pass_time(message)
    [claimed] = claim(line)
    reply(client, casey, line)
    assert state_of(message)[0] == "sending"
    assert depart_and_call(claimed) == []
    assert state_of(message) == ("held", "replied")
    assert (message.tries, provider_server.sent) == (0, [])


def test_held_message_is_sent_anyway_at_its_time(message, client, secret, casey, line, csr_api, monkeypatch):
    reply(client, casey, line)
    response = csr_api.post(url(message, "release"))
    row = response.json()
    assert (response.status_code, row["status"], row["error_code"], row["hold_if_reply"]) == (200, "queued", "", False)
    assert not send_next_messages()
    again = csr_api.post(url(message, "release"))
    assert (again.status_code, code_of(again)) == (409, "not_held")
    reply(client, casey, line)
    set_clock(monkeypatch, message.send_at)
    assert send_next_messages()
    assert state_of(message) == ("sent", "")


def test_held_message_is_cancelled(message, client, secret, casey, line, csr_api):
    reply(client, casey, line)
    assert csr_api.post(url(message, "cancel")).status_code == 200
    assert state_of(message) == ("failed", "cancelled")


def test_message_that_a_manager_must_decide_about_is_not_released_by_a_csr(message, csr_api):
    call_command("hold_texts", stdout=StringIO())
    response = csr_api.post(url(message, "release"))
    assert (response.status_code, code_of(response)) == (409, "not_held")
    assert state_of(message)[0] == "held"


# --- Unread -----------------------------------------------------------------------------------------------------------


def test_latest_incoming_message_becomes_unread(csr_api, casey):
    moments = [timezone.now() - n * HOUR for n in (3, 2, 1)]
    for moment in moments:
        MessageFactory(contact=casey, created_at=moment, read_at=moment)
    MessageFactory(contact=casey, direction="outgoing", status="sent", read_at=None)
    thread = f"/api/v1/message-threads/{casey.pk}"
    assert [csr_api.post(f"{thread}/unread").json() for _ in range(2)] == [{"unread": 1}] * 2
    assert list(Message.objects.unread().values_list("created_at", flat=True)) == [moments[-1]]
    assert csr_api.post(f"{thread}/read").json() == {"read": 1}


def test_thread_without_incoming_messages_has_nothing_to_mark(csr_api, casey):
    assert csr_api.post(f"/api/v1/message-threads/{casey.pk}/unread").json() == {"unread": 0}
