"""The queue of missed callers: who is in it, and what takes them out."""

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
    """The contact rings, so many minutes past four, and is answered or not."""

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
def text(contact, in_acme):
    def text(minutes):
        at = AT + timedelta(minutes=minutes)
        factories.MessageFactory(contact=contact, created_at=at, activity__created_at=at)
        mark_recovered(contact=contact, at=at, by="reply")

    return text


def places():
    """Minutes past four of the first and last missed call, their number, when they were reached and how."""

    def minutes(moment):
        return moment and (moment - AT).total_seconds() / 60

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


def test_who_rings_in_vain_twice_has_one_place(ring):
    ring(0)
    ring(5)
    assert places() == [(0, 5, 2, None, "")]


def test_a_missed_call_told_twice_counts_once(ring):
    call = ring(0)
    update_missed_queue(call=call, answered=False)
    assert places() == [(0, 0, 1, None, "")]


def test_a_caller_without_a_number_has_no_place(in_acme, acme):
    update_missed_queue(call=factories.CallFactory(contact=None, company=acme, status="missed"), answered=False)
    assert not MissedCaller.objects.exists()


def test_who_texts_has_been_reached(ring, text):
    ring(0)
    text(10)
    assert places() == [(0, 0, 1, 10, "reply")]


@pytest.mark.parametrize("direction", ["incoming", "outgoing"])
def test_who_is_talked_to_has_been_reached_whoever_rang(ring, direction):
    ring(0)
    ring(10, answered=True, direction=direction)
    assert places() == [(0, 0, 1, 10, "call")]


def test_who_books_has_been_reached(ring, contact, csr_api):
    ring(0)
    visit = {"scheduled_start": "2026-05-04T16:00:00Z", "scheduled_end": "2026-05-04T17:00:00Z"}
    assert csr_api.post("/api/v1/appointments", {"contact": contact.pk, **visit}).status_code == 201
    assert [place[-1] for place in places()] == ["booking"]


def test_a_visit_booked_from_the_missed_call_itself_counts_as_well(ring, contact, csr_api):
    call = ring(0)
    visit = {"scheduled_start": "2026-05-04T16:00:00Z", "scheduled_end": "2026-05-04T17:00:00Z"}
    assert csr_api.post("/api/v1/appointments", {"contact": contact.pk, "call": call.pk, **visit}).status_code == 201
    update_missed_queue(call=call, answered=False)
    assert [(place[2], place[-1]) for place in places()] == [(1, "booking")]


def test_who_rings_in_vain_again_has_a_place_again(ring, text):
    ring(0)
    text(10)
    ring(20)
    assert places() == [(0, 0, 1, 10, "reply"), (20, 20, 1, None, "")]


def test_a_missed_call_told_late_finds_the_caller_reached(ring, text):
    text(10)
    ring(0)
    assert places() == [(0, 0, 1, 10, "reply")]


def test_a_reply_before_the_call_reaches_nobody(ring, text):
    text(0)
    ring(10)
    assert places() == [(10, 10, 1, None, "")]


def test_an_answered_call_told_late_parts_the_calls_before_it_from_those_behind(ring):
    ring(0)
    ring(20)
    ring(10, answered=True)
    assert places() == [(0, 0, 1, 10, "call"), (20, 20, 1, None, "")]


def test_a_call_that_was_answered_after_all_was_never_missed(ring):
    call = ring(0)
    call.status, call.answered_at = "unbooked", AT
    call.save()
    update_missed_queue(call=call, answered=True)
    assert places() == []


def test_a_text_of_ours_reaches_nobody(ring, contact):
    ring(0)
    factories.MessageFactory(contact=contact, direction="outgoing", status="delivered", kind="missed_call")
    ring(5)
    assert places() == [(0, 5, 2, None, "")]


@pytest.mark.parametrize("seed", range(12))
def test_whatever_order_it_is_told_in_the_places_are_the_same(ring, text, seed):
    story = [(0, "missed"), (4, "missed"), (9, "text"), (12, "text"), (15, "missed"), (18, "talk"), (21, "missed")]
    random.Random(seed).shuffle(story)  # noqa: S311  # an order, not a secret
    for minutes, what in story:
        if what == "text":
            text(minutes)
        else:
            ring(minutes, answered=what == "talk")
    assert places() == [(0, 4, 2, 9, "reply"), (15, 15, 1, 18, "call"), (21, 21, 1, None, "")]


def test_another_contact_s_reply_reaches_them_alone(ring, acme):
    ring(0)
    stranger = factories.MissedCallerFactory(contact__company=acme, first_missed_at=AT)
    mark_recovered(contact=stranger.contact, at=AT + timedelta(minutes=5), by="reply")
    assert sorted(place[-1] for place in places()) == ["", "reply"]


# --- The text back ----------------------------------------------------------------------------------------------------


@pytest.fixture
def line(acme):
    acme.missed_call_text = "Sorry that we missed you."
    acme.save()
    return factories.PhoneLineFactory(company=acme)


@pytest.mark.parametrize(("minutes_ago", "due"), [(29, TextBack.DUE), (31, TextBack.OFF)])
def test_a_text_is_due_while_the_call_is_fresh(ring, line, minutes_ago, due):
    ring(-minutes_ago, at=timezone.now(), phone_line=line)
    assert MissedCaller.objects.get().text_back == due


def test_no_text_is_due_where_the_company_wants_none(ring, line, acme):
    acme.missed_call_text = ""
    acme.save()
    ring(0, at=timezone.now(), phone_line=line)
    assert MissedCaller.objects.get().text_back == "off"


def test_one_place_gets_one_text_however_often_they_ring(ring, line):
    ring(-5, at=timezone.now(), phone_line=line)
    MissedCaller.objects.update(text_back="queued")
    ring(-1, at=timezone.now(), phone_line=line)
    assert MissedCaller.objects.get().text_back == "queued"


def test_who_was_reached_meanwhile_gets_no_text(ring, line, contact):
    ring(-5, at=timezone.now(), phone_line=line)
    mark_recovered(contact=contact, at=timezone.now(), by="call")
    assert MissedCaller.objects.get().text_back == "off"


# --- The API ----------------------------------------------------------------------------------------------------------


def test_the_list_has_the_latest_first_and_tells_the_waiting_from_the_reached(csr_api, acme, globex):
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


def test_the_counts_say_who_waits_and_how_the_others_were_reached(csr_api, acme, globex):
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


def test_somebody_may_say_that_a_caller_was_reached(csr_api, acme):
    caller = factories.MissedCallerFactory(contact__company=acme, text_back="due")
    for _ in range(2):
        response = csr_api.post(f"{URL}/{caller.pk}/recover")
        assert (response.status_code, response.json()["recovered_by"]) == (200, "manual")
    with tenant(acme.pk):
        assert MissedCaller.objects.get().text_back == "off"


def test_another_company_s_caller_is_not_there(csr_api, globex):
    caller = factories.MissedCallerFactory(contact__company=globex)
    assert csr_api.get(f"{URL}/{caller.pk}").status_code == 404
    assert csr_api.post(f"{URL}/{caller.pk}/recover").status_code == 404


def test_reps_have_no_queue(rep, acme):
    factories.MissedCallerFactory(contact__company=acme)
    assert signed_in(rep).get(URL).status_code == 403
