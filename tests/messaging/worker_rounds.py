"""A worker that runs in the test's own process until no task is due."""

from threading import Event
from unittest.mock import patch

from crm import worker
from messaging.services.inbound.webhook_processing import process_due_events


class StopWhenIdle(Event):
    """Stops the worker at its first wait."""

    def wait(self, timeout=None):  # as of Event
        self.set()
        return True


def work_until_idle():
    """Do all tasks that are due. Tasks that wait after a failure, or for their lease, remain."""
    with patch.object(worker, "close_old_connections"):  # the test's transaction is open on this connection
        worker.work(stop=StopWhenIdle(), until_empty=True)  # in this thread


def process_next_event():
    """Process one due webhook event. Return False if none is due."""
    return process_due_events(limit=1)
