"""Texts and calls to a missed caller, as the queue shows them."""

from datetime import UTC, datetime, timedelta

import pytest

from tests import factories
from tests.count_queries import CountQueries

MISSED_AT = datetime(2026, 3, 2, 16, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
URL = "/api/v1/missed-calls"
RESPONSES = ("texted_at", "texted_by", "texted_by_name", "called_at", "called_by", "called_by_name")


@pytest.fixture
def caller(in_acme):
    return factories.MissedCallerFactory(contact__company=in_acme, first_missed_at=MISSED_AT)


def respond(caller, minutes, **values):
    values = {"activity_type": "message", "direction": "outgoing", **values}
    return factories.ActivityFactory(contact=caller.contact, created_at=MISSED_AT + minutes * MINUTE, **values)


def responses(api, caller):
    row = api.get(f"{URL}/{caller.pk}").json()
    [listed] = [each for each in api.get(URL).json()["results"] if each["id"] == caller.pk]
    assert listed == row
    return [row[name] for name in RESPONSES]


def test_row_names_the_colleague_who_texted_and_who_called_last(caller, csr, manager, csr_api):
    respond(caller, 1)  # the text back
    respond(caller, 2, user=csr)
    respond(caller, 3, user=manager, activity_type="call")
    assert responses(csr_api, caller) == [
        "2026-03-02T16:02:00Z", csr.pk, str(csr), "2026-03-02T16:03:00Z", manager.pk, str(manager),
    ]  # fmt: skip


def test_automatic_text_has_a_time_and_no_user(caller, csr_api):
    respond(caller, 1)
    assert responses(csr_api, caller) == ["2026-03-02T16:01:00Z", None, None, None, None, None]


@pytest.mark.parametrize(
    ("minutes", "values"),
    [
        (-1, {}),
        (11, {}),
        (1, {"direction": "incoming"}),
        (1, {"activity_type": "note"}),
    ],
    ids=["before the missed call", "after the recovery", "incoming", "a note"],
)
def test_anything_else_is_no_response(minutes, values, in_acme, csr, csr_api):
    caller = factories.MissedCallerFactory(
        contact__company=in_acme, first_missed_at=MISSED_AT, recovered_at=MISSED_AT + 10 * MINUTE, recovered_by="reply"
    )
    respond(caller, minutes, user=csr, **values)
    assert responses(csr_api, caller) == [None] * len(RESPONSES)


def test_page_of_callers_costs_as_many_queries_as_one(caller, in_acme, csr, csr_api):
    def count():
        with CountQueries() as queries:
            csr_api.get(URL)
        return len(queries)

    respond(caller, 1, user=csr)
    one = count()
    for _ in range(3):
        other = factories.MissedCallerFactory(contact__company=in_acme, first_missed_at=MISSED_AT)
        respond(other, 2, user=csr)
    assert count() == one


def test_page_of_a_missed_caller_says_who_texted(caller, csr, staff_client):
    respond(caller, 2, user=csr)
    page = staff_client.get(f"/admin/calls/missedcaller/{caller.pk}/change/").content.decode()
    assert f"by {csr}." in page
