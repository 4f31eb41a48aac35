"""Heartbeats: each worker says that it lives, and alerts notice one that doesn't."""

import os
import socket
import time
from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.utils.timezone import now

from crm.models import WorkerHeartbeat

BEAT_S = 10
LIVE_FOR = timedelta(minutes=1)  # after the last sign of life
KEPT_FOR = timedelta(hours=1)


class Heartbeat:
    """The row of this process."""

    def __init__(self, *, jobs: Collection[str]) -> None:
        self._row = WorkerHeartbeat(
            host=socket.gethostname()[:255], pid=os.getpid(), version=settings.VERSION[:50], jobs=list(jobs)
        )
        self._last_s = float("-inf")

    def beat(self) -> bool:
        """Write a sign of life each BEAT_S seconds. Always return False: no task is due next."""
        if time.monotonic() - self._last_s >= BEAT_S:
            self._last_s = time.monotonic()
            self._row.seen_at = now()
            self._row.save()  # inserts the row again if it has expired in an outage
        return False

    def end(self) -> None:
        if self._row.pk is not None:
            self._row.delete()


def remove_expired_heartbeats() -> None:
    """Delete the rows of workers that were killed."""
    WorkerHeartbeat.objects.filter(seen_at__lt=now() - KEPT_FOR).delete()
