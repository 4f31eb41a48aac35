"""Text backs to missed callers."""

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
from crm.working_hours import DAYS
from messaging.models import Message
from messaging.services.outbound.text_backs import has_pending_text_backs, queue_next_text_back
from tests import factories
from tests.conftest import postgres_only
from tests.messaging.clocks import zone_with_hour

SORRY = "Sorry that we missed you."
WORKERS, CALLERS = 4, 10
numbers = itertools.count()


def missed(company, *, minutes_ago=1, hour=14):
    """Create a missed caller whose local time is `hour`."""
    line = factories.PhoneLineFactory(company=company)
    moment = timezone.now() - timedelta(minutes=minutes_ago)
    return factories.MissedCallerFactory(
        contact__company=company,
        contact__phone=f"+121255501{next(numbers) % 100:02d}",  # always a valid number
        contact__timezone=zone_with_hour(hour),
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


def test_text_back_is_queued_once_over_the_called_line(company):
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
    assert row.recovered_at is None  # a text back is not a recovery


def test_late_worker_sends_nothing(company):
    caller = missed(company, minutes_ago=31)
    assert queue_next_text_back()
    assert state(caller) == ("off", "The call was missed too long ago.", 0)


def test_company_without_a_text_sends_nothing(company):
    caller = missed(company)
    company.missed_call_text = ""
    company.save()
    assert queue_next_text_back()
    assert state(caller) == ("off", "", 0)


@pytest.mark.parametrize(
    ("is_open", "texts", "body"),
    [
        (True, {"after_hours_text": "We are closed."}, SORRY),
        (False, {"after_hours_text": "We are closed."}, "We are closed."),
        (False, {}, SORRY),
        (False, {"missed_call_text": "", "after_hours_text": "We are closed."}, "We are closed."),
        (True, {"missed_call_text": "", "after_hours_text": "We are closed."}, None),
    ],
)
def test_text_back_outside_of_working_hours_has_its_own_words(company, is_open, texts, body):
    week = {day: {"opens": "00:00", "closes": "23:59"} if is_open else None for day in DAYS}
    for name, value in {"working_hours": week, "timezone": zone_with_hour(14), **texts}.items():
        setattr(company, name, value)
    company.save()
    missed(company)
    assert queue_next_text_back()
    with all_tenants():
        assert [message.body for message in Message.objects.all()] == ([body] if body else [])


def test_reached_caller_gets_nothing(company):
    caller = missed(company)
    with all_tenants():
        mark_recovered(contact=caller.contact, at=timezone.now(), by="reply")
    assert not queue_next_text_back()
    assert state(caller) == ("off", "", 0)


def test_opted_out_caller_gets_nothing_with_a_reason(company):
    caller = missed(company)
    with tenant(company.pk):
        record_opt_out(phone=caller.contact.phone, words="STOP", source="sms", occurred_at=timezone.now())
    assert queue_next_text_back()
    assert state(caller) == ("refused", "The contact has opted out.", 0)


def test_call_at_night_gets_no_text_back_in_the_morning(company):
    caller = missed(company, hour=3)
    assert queue_next_text_back()
    assert state(caller) == ("refused", "It is too early or too late in the contact's time zone.", 0)


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_concurrent_workers_queue_one_text_back_per_caller():
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
