"""Worker processes that send through a provider's server on loopback, and are killed now and then."""

from datetime import timedelta

from django.db.models import F, Q
from django.utils import timezone

from crm.db.tenancy import all_tenants
from messaging.models import Message
from tests.messaging.test_workers import start_worker

LEASE_S = 10  # of a claim; a live worker needs less
LOST_FOR_S = 76  # after it, a message that the provider doesn't list was not sent


class KilledWorkers:
    """Worker processes, one of which is killed now and then."""

    def __init__(self, provider, jobs, *, count=2):
        self.jobs, self.count = jobs, count
        self.settings = {
            "SMS_BACKEND": "provider", "OPENPHONE_API_URL": provider.url, "SMS_PER_SECOND": "1000000",
            "LOG_LEVEL": "ERROR", "WORKER_LEASE_S": str(LEASE_S),
        }  # fmt: skip
        self.provider, self.running, self.kills = provider, [], 0

    def __enter__(self):
        self.start()
        return self

    def start(self):
        while len(self.running) < self.count:
            self.running.append(start_worker("--only", self.jobs, **self.settings))

    def kill(self):
        worker = self.running.pop(0)
        worker.kill()
        worker.communicate()
        self.kills += 1

    def have_sent(self, count):
        """Return whether the provider has so many messages. Fails if a worker has ended by itself."""
        for worker in self.running:
            assert worker.poll() is None, worker.communicate()[1]
        return len(self.provider.sent) >= count

    def __exit__(self, *_):
        for worker in self.running:
            worker.kill()
        for worker in self.running:
            worker.wait()
            worker.stderr.close()


def age_unknown_messages():
    """Let the time pass after which the provider would list a message that no live worker is sending.

    Each message gets older once: a second time could take a lookup's claim away, and one of half a day would be held.
    """
    now, lost = timezone.now(), timedelta(seconds=LOST_FOR_S)
    with all_tenants():
        ended = Message.objects.filter(Q(status="unknown", run_at__gt=now) | Q(status="sending", run_at__lt=now))
        ended.filter(sent_at__gt=now - lost).update(sent_at=F("sent_at") - lost, run_at=now)
