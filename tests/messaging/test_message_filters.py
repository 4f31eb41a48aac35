"""Filters of the admin's list of messages by state and by day."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from tests import factories

pytestmark = pytest.mark.django_db
LIST = "/admin/messaging/message/"
DAY = timedelta(days=1)
STATES = {"sent": ["sent", "delivered"], "waiting": ["queued", "held", "sending", "unknown"],
          "lost": ["failed", "undelivered"]}  # fmt: skip


@pytest.fixture
def messages(acme):
    """An outgoing message of each status, with a cancelled one, and an incoming one; by status."""
    contact = factories.ContactFactory(company=acme)

    def make(status, **values):
        values = {"direction": "outgoing", "activity__created_at": now(), "created_at": now()} | values
        return factories.MessageFactory(contact=contact, status=status, **values)

    found = {status: make(status, run_at=now()) for statuses in STATES.values() for status in statuses}
    found["cancelled"] = make("failed", error_code="cancelled")
    found["received"] = make("received", direction="incoming")
    return found


@pytest.fixture
def found(staff_client):
    def open_list(**query):
        response = staff_client.get(LIST, query)
        assert response.status_code == 200
        return {message.pk for message in response.context["cl"].result_list}

    return open_list


@pytest.mark.parametrize("state", STATES)
def test_state_is_a_filter_among_the_messages_of_a_companys_days_or_of_a_contact(state, messages, acme, found):
    expected = {messages[status].pk for status in STATES[state]}
    contact = messages["sent"].contact_id
    assert found(company__id__exact=acme.pk, activity__created_at="last-7-days", state=state) == expected
    assert found(contact__id__exact=contact, state=state) == expected


def test_state_alone_shows_nothing_and_is_not_offered(messages, acme, found, staff_client):
    """No index has the messages of one state of all times."""
    assert found(state="sent") == found(company__id__exact=acme.pk, state="sent") == set()
    assert found(contact__id__exact=messages["sent"].contact_id, state="x") == set()
    assert "state=sent" not in staff_client.get(LIST).content.decode()
    days = {"company__id__exact": acme.pk, "activity__created_at": "today"}
    assert "state=sent" in staff_client.get(LIST, days).content.decode()


def test_days_are_those_of_the_company(messages, acme, globex, found):
    contact = factories.ContactFactory(company=acme)
    old = factories.MessageFactory(contact=contact, activity__created_at=now() - 30 * DAY)
    foreign = factories.MessageFactory(contact__company=globex, activity__created_at=now())
    week = found(company__id__exact=acme.pk, activity__created_at="last-7-days")
    assert week == {message.pk for message in messages.values()}
    assert found(company__id__exact=acme.pk) == week | {old.pk}
    assert found(activity__created_at="last-7-days") == set()
    assert foreign.pk not in week


def test_messages_of_a_company_are_listed_newest_first(acme, staff_client):
    contact = factories.ContactFactory(company=acme)
    times = [now() - n * DAY for n in (2, 0, 1)]
    made = [factories.MessageFactory(contact=contact, activity__created_at=at, created_at=at) for at in times]
    listed = staff_client.get(LIST, {"company__id__exact": acme.pk}).context["cl"].result_list
    assert list(listed) == [made[1], made[2], made[0]]
