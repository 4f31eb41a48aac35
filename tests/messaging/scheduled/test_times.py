"""Times of scheduled messages, and what is decided when they leave."""

from datetime import datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.utils import timezone

from crm.models import PhoneLine
from crm.services.opt_outs import record_opt_out
from messaging.models import Message
from messaging.services.outbound.ready_lines import find_ready_lines
from messaging.services.outbound.sending import has_pending_messages, send_next_messages
from tests.errors import code_of, errors_of
from tests.messaging.scheduled.steps import HOUR, pass_time, set_clock, state_of

ZONES = ["America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"]


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
