"""The missed queue."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from calls.choices import TextBack
from calls.models import MissedCaller
from calls.services.missed_calls import mark_recovered, update_missed_queue
from crm.db.tenancy import tenant
from tests import factories
from tests.conftest import signed_in
from tests.count_queries import CountQueries

AT = datetime(2026, 3, 2, 16, tzinfo=UTC)
URL = "/api/v1/missed-calls"


@pytest.fixture
def contact(acme):
    return factories.ContactFactory(company=acme)


@pytest.fixture
def ring(contact, in_acme):
    """Return a function that records a call some minutes after AT, answered or missed."""

    def ring(minutes, *, answered=False, at=AT, **values):
        began = at + timedelta(minutes=minutes)
        call = factories.CallFactory(
            contact=contact,
            status="unbooked" if answered else "missed",
            answered_at=began if answered else None,
            created_at=began,
            **values,
        )
        update_missed_queue(call=call, answered=answered)
        return call

    return ring


@pytest.fixture
def reply(contact, in_acme):
    def reply(minutes):
        at = AT + timedelta(minutes=minutes)
        factories.MessageFactory(contact=contact, created_at=at, activity__created_at=at)
        mark_recovered(contact=contact, at=at, by="reply")

    return reply


def entries():
    """Return each entry: minutes after AT of the first and last call, their number, and the recovery."""

    def minutes(time):
        return time and (time - AT).total_seconds() / 60

    return [
        (
            minutes(row.first_missed_at),
            minutes(row.last_missed_at),
            row.missed_calls,
            minutes(row.recovered_at),
            row.recovered_by,
        )
        for row in MissedCaller.objects.order_by("first_missed_at")
    ]


def test_two_missed_calls_share_one_entry(ring):
    ring(0)
    ring(5)
    assert entries() == [(0, 5, 2, None, "")]


def test_repeated_event_counts_once(ring):
    call = ring(0)
    update_missed_queue(call=call, answered=False)
    assert entries() == [(0, 0, 1, None, "")]


def test_anonymous_caller_is_not_queued(in_acme, acme):
    update_missed_queue(call=factories.CallFactory(contact=None, company=acme, status="missed"), answered=False)
    assert not MissedCaller.objects.exists()


def test_reply_recovers_the_caller(ring, reply):
    ring(0)
    reply(10)
    assert entries() == [(0, 0, 1, 10, "reply")]


@pytest.mark.parametrize("direction", ["incoming", "outgoing"])
def test_answered_call_recovers_the_caller_in_either_direction(ring, direction):
    ring(0)
    ring(10, answered=True, direction=direction)
    assert entries() == [(0, 0, 1, 10, "call")]


def test_booking_recovers_the_caller(ring, contact, csr_api):
    ring(0)
    appointment = {"scheduled_start": "2026-05-04T16:00:00Z", "scheduled_end": "2026-05-04T17:00:00Z"}
    assert csr_api.post("/api/v1/appointments", {"contact": contact.pk, **appointment}).status_code == 201
    assert [entry[-1] for entry in entries()] == ["booking"]


def test_booking_from_the_missed_call_itself_recovers_the_caller(ring, contact, csr_api):
    call = ring(0)
    appointment = {"scheduled_start": "2026-05-04T16:00:00Z", "scheduled_end": "2026-05-04T17:00:00Z"}
    assert (
        csr_api.post("/api/v1/appointments", {"contact": contact.pk, "call": call.pk, **appointment}).status_code == 201
    )
    update_missed_queue(call=call, answered=False)
    assert [(entry[2], entry[-1]) for entry in entries()] == [(1, "booking")]


def test_missed_call_after_a_recovery_opens_a_new_entry(ring, reply):
    ring(0)
    reply(10)
    ring(20)
    assert entries() == [(0, 0, 1, 10, "reply"), (20, 20, 1, None, "")]


def test_late_missed_call_is_recovered_at_once(ring, reply):
    reply(10)
    ring(0)
    assert entries() == [(0, 0, 1, 10, "reply")]


def test_reply_before_the_call_is_not_a_recovery(ring, reply):
    reply(0)
    ring(10)
    assert entries() == [(10, 10, 1, None, "")]


def test_late_answered_call_splits_the_entry(ring):
    ring(0)
    ring(20)
    ring(10, answered=True)
    assert entries() == [(0, 0, 1, 10, "call"), (20, 20, 1, None, "")]


def test_call_found_to_be_answered_leaves_the_queue(ring):
    call = ring(0)
    call.status, call.answered_at = "unbooked", AT
    call.save()
    update_missed_queue(call=call, answered=True)
    assert entries() == []


def test_outgoing_message_is_not_a_recovery(ring, contact):
    ring(0)
    factories.MessageFactory(contact=contact, direction="outgoing", status="delivered", kind="missed_call")
    ring(5)
    assert entries() == [(0, 5, 2, None, "")]


@pytest.mark.parametrize("seed", range(12))
def test_entries_do_not_depend_on_the_order_of_events(ring, reply, seed):
    events = [(0, "missed"), (4, "missed"), (9, "text"), (12, "text"), (15, "missed"), (18, "talk"), (21, "missed")]
    random.Random(seed).shuffle(events)  # noqa: S311  # not a secret
    for minutes, event in events:
        if event == "text":
            reply(minutes)
        else:
            ring(minutes, answered=event == "talk")
    assert entries() == [(0, 4, 2, 9, "reply"), (15, 15, 1, 18, "call"), (21, 21, 1, None, "")]


def test_reply_recovers_only_its_own_contact(ring, acme):
    ring(0)
    stranger = factories.MissedCallerFactory(contact__company=acme, first_missed_at=AT)
    mark_recovered(contact=stranger.contact, at=AT + timedelta(minutes=5), by="reply")
    assert sorted(entry[-1] for entry in entries()) == ["", "reply"]


# --- Text back --------------------------------------------------------------------------------------------------------


@pytest.fixture
def line(acme):
    acme.missed_call_text = "Sorry that we missed you."
    acme.save()
    return factories.PhoneLineFactory(company=acme)


@pytest.mark.parametrize(("minutes_ago", "due"), [(29, TextBack.DUE), (31, TextBack.OFF)])
def test_text_back_is_due_only_after_a_recent_call(ring, line, minutes_ago, due):
    ring(-minutes_ago, at=timezone.now(), phone_line=line)
    assert MissedCaller.objects.get().text_back == due


def test_text_back_requires_a_configured_text(ring, line, acme):
    acme.missed_call_text = ""
    acme.save()
    ring(0, at=timezone.now(), phone_line=line)
    assert MissedCaller.objects.get().text_back == "off"


def test_entry_gets_one_text_back(ring, line):
    ring(-5, at=timezone.now(), phone_line=line)
    MissedCaller.objects.update(text_back="queued")
    ring(-1, at=timezone.now(), phone_line=line)
    assert MissedCaller.objects.get().text_back == "queued"


def test_recovered_caller_gets_no_text_back(ring, line, contact):
    ring(-5, at=timezone.now(), phone_line=line)
    mark_recovered(contact=contact, at=timezone.now(), by="call")
    assert MissedCaller.objects.get().text_back == "off"


# --- The API ----------------------------------------------------------------------------------------------------------


def test_missed_callers_are_listed_latest_first_and_filtered_by_recovery(csr_api, acme, globex):
    waiting, reached = (
        factories.MissedCallerFactory(contact__company=acme, first_missed_at=AT + timedelta(hours=hours), **values)
        for hours, values in ((0, {}), (1, {"recovered_at": AT + timedelta(hours=2), "recovered_by": "call"}))
    )
    factories.MissedCallerFactory(contact__company=globex)

    def ids(**query):
        return [row["id"] for row in csr_api.get(URL, query).json()["results"]]

    assert ids() == [reached.pk, waiting.pk]
    assert ids(recovered="false") == [waiting.pk]
    assert ids(recovered="true") == ids(recovered_by="call") == [reached.pk]
    assert ids(contact=waiting.contact_id) == [waiting.pk]


def test_counts_show_waiting_and_recovered_callers(csr_api, acme, globex):
    for by in ("reply", "reply", "call"):
        factories.MissedCallerFactory(
            contact__company=acme,
            first_missed_at=AT,
            recovered_at=AT + timedelta(hours=1),
            recovered_by=by,
            text_back="queued",
        )
    factories.MissedCallerFactory(contact__company=acme, first_missed_at=AT - timedelta(days=300))
    factories.MissedCallerFactory(contact__company=globex, text_back="queued")
    with CountQueries() as queries:
        counts = csr_api.get(f"{URL}/counts", {"start_date": "2026-03-02", "end_date": "2026-03-02"}).json()
    assert counts == {
        "start_date": "2026-03-02",
        "end_date": "2026-03-02",
        "timezone": "America/Denver",
        "waiting": 1,
        "recovered_by": {"reply": 2, "call": 1, "booking": 0, "manual": 0},
        "texted": 3,
    }
    assert len(queries) == 2
    lately = csr_api.get(f"{URL}/counts").json()
    assert (lately["waiting"], lately["texted"]) == (1, 0)


def test_caller_can_be_marked_as_recovered_once(csr_api, acme):
    caller = factories.MissedCallerFactory(contact__company=acme, text_back="due")
    for _ in range(2):
        response = csr_api.post(f"{URL}/{caller.pk}/recover")
        assert (response.status_code, response.json()["recovered_by"]) == (200, "manual")
    with tenant(acme.pk):
        assert MissedCaller.objects.get().text_back == "off"


def test_another_companys_caller_is_not_found(csr_api, globex):
    caller = factories.MissedCallerFactory(contact__company=globex)
    assert csr_api.get(f"{URL}/{caller.pk}").status_code == 404
    assert csr_api.post(f"{URL}/{caller.pk}/recover").status_code == 404


def test_rep_cannot_see_the_missed_queue(rep, acme):
    factories.MissedCallerFactory(contact__company=acme)
    assert signed_in(rep).get(URL).status_code == 403
