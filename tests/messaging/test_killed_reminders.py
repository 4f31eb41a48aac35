"""Reminders with real workers that are killed: each appointment's contact gets one."""

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from crm.db.tenancy import all_tenants
from messaging.models import AppointmentReminder, Message
from tests.db.scratch import wait_until
from tests.factories import AppointmentFactory, CompanyFactory, PhoneLineFactory, ProviderAccountFactory
from tests.messaging.clocks import zone_with_hour
from tests.messaging.killed_workers import KilledWorkers, age_unknown_messages
from tests.provider_server import ProviderServer

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
APPOINTMENTS = 24
HOUR = timedelta(hours=1)


@pytest.fixture
def provider(settings, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    settings.SMS_BACKEND = "provider"
    with ProviderServer(requests_per_second=1_000_000) as server:
        settings.OPENPHONE_API_URL = server.url
        server.openphone.add_line("PNdesk", "+12125550180")
        yield server


@pytest.fixture
def phones(provider):
    """The numbers of contacts who have an appointment in 23 hours."""
    company = CompanyFactory(slug="acme", appointment_reminders=True, timezone=zone_with_hour(14))
    ProviderAccountFactory(company=company)
    PhoneLineFactory(company=company, number="+12125550180", provider_id="PNdesk")
    now = timezone.now()
    phones = [f"+130355501{number:02d}" for number in range(APPOINTMENTS)]
    for phone in phones:
        AppointmentFactory(
            contact__company=company, contact__phone=phone, contact__timezone=company.timezone,
            scheduled_start=now + 23 * HOUR, created_at=now - 240 * HOUR,
        )  # fmt: skip
    return phones


def count_queued():
    with all_tenants():
        return AppointmentReminder.objects.filter(status="queued").count()


def kill(workers):
    workers.kill()
    with all_tenants():  # its leases end
        AppointmentReminder.objects.filter(status="pending").update(run_at=timezone.now())
        Message.objects.filter(status="sending").update(run_at=timezone.now())


def test_killed_workers_remind_each_contact_once(provider, phones):
    with KilledWorkers(provider, "reminders,texts,lookups", count=1) as workers:
        wait_until(lambda: count_queued() >= 5)
        kill(workers)  # while it queues
        workers.start()
        wait_until(lambda: workers.have_sent(8))
        kill(workers)  # while it sends
        workers.start()

        def is_over():
            age_unknown_messages()
            return workers.have_sent(APPOINTMENTS) and count_queued() == APPOINTMENTS

        wait_until(is_over)
    sent = Counter(message.to for message in provider.sent)
    print(f"{sum(sent.values())} sent to {len(sent)} of {APPOINTMENTS} contacts, {workers.kills} workers killed")
    assert sent == Counter(phones)
    with all_tenants():
        reminders = AppointmentReminder.objects.values_list("appointment__contact__phone", "lead_minutes")
        assert sorted(reminders) == [(phone, 24 * 60) for phone in phones]
        assert Message.objects.count() == APPOINTMENTS
