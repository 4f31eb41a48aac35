"""The automatic text to a missed caller: once, soon, or not at all."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from calls.models import MissedCaller
from calls.services.missed_calls import mark_recovered
from crm.db.tenancy import all_tenants, tenant
from crm.services.opt_outs import record_opt_out
from messaging.models import Message
from messaging.services.outbound.text_backs import has_pending_text_backs, queue_next_text_back
from tests import factories
from tests.conftest import postgres_only
from tests.messaging.clocks import zone_where_it_is

SORRY = "Sorry that we missed you."
WORKERS, CALLERS = 4, 10
numbers = itertools.count()


def missed(company, *, minutes_ago=1, hour=14):
    """A caller where it is that hour."""
    line = factories.PhoneLineFactory(company=company)
    moment = timezone.now() - timedelta(minutes=minutes_ago)
    return factories.MissedCallerFactory(
        contact__company=company,
        contact__phone=f"+121255501{next(numbers) % 100:02d}",  # valid, whatever ran before
        contact__timezone=zone_where_it_is(hour),
        phone_line=line,
        first_missed_at=moment,
        text_back="due",
    )


@pytest.fixture
def company(db):
    return factories.CompanyFactory(missed_call_text=SORRY)


def state(caller):
    with all_tenants():
        row = MissedCaller.objects.get(pk=caller.pk)
        return row.text_back, row.text_back_reason, Message.objects.filter(contact=caller.contact).count()


def test_the_text_is_queued_once_over_the_line_that_they_rang(company):
    caller = missed(company)
    assert has_pending_text_backs()
    assert queue_next_text_back()
    assert not queue_next_text_back()
    assert not has_pending_text_backs()
    assert state(caller) == ("queued", "", 1)
    with all_tenants():
        message, row = Message.objects.get(), MissedCaller.objects.get()
    assert (message.body, message.kind, message.status) == (SORRY, "missed_call", "queued")
    assert (message.phone_line_id, message.activity.user_id) == (caller.phone_line_id, None)
    assert row.recovered_at is None  # a text of ours reaches nobody


def test_a_worker_that_comes_late_sends_nothing(company):
    caller = missed(company, minutes_ago=31)
    assert queue_next_text_back()
    assert state(caller) == ("off", "The call was missed too long ago.", 0)


def test_a_company_that_has_changed_its_mind_sends_nothing(company):
    caller = missed(company)
    company.missed_call_text = ""
    company.save()
    assert queue_next_text_back()
    assert state(caller) == ("off", "", 0)


def test_who_was_reached_meanwhile_gets_nothing(company):
    caller = missed(company)
    with all_tenants():
        mark_recovered(contact=caller.contact, at=timezone.now(), by="reply")
    assert not queue_next_text_back()
    assert state(caller) == ("off", "", 0)


def test_who_said_stop_gets_nothing_and_it_is_said_why(company):
    caller = missed(company)
    with tenant(company.pk):
        record_opt_out(phone=caller.contact.phone, words="STOP", source="sms", occurred_at=timezone.now())
    assert queue_next_text_back()
    assert state(caller) == ("refused", "The contact has opted out.", 0)


def test_who_rang_at_night_gets_no_text_the_next_morning(company):
    caller = missed(company, hour=3)
    assert queue_next_text_back()
    assert state(caller) == ("refused", "It is too early or too late in the contact's time zone.", 0)


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_workers_side_by_side_text_each_caller_once():
    company = factories.CompanyFactory(missed_call_text=SORRY)
    callers = [missed(company) for _ in range(CALLERS)]
    start = threading.Barrier(WORKERS)

    def work():
        start.wait()
        while queue_next_text_back():
            pass
        connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        for worker in [pool.submit(work) for _ in range(WORKERS)]:
            worker.result()
    assert [state(caller) for caller in callers] == [("queued", "", 1)] * CALLERS
