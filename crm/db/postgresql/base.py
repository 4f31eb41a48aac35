"""Connections that are checked at the start of each request without a round trip."""

import select
from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection. A server that ends it, or the network's end of it, makes its socket readable while it is idle.

    Django would send `SELECT 1` with each request (CONN_HEALTH_CHECKS). Here only a connection with something to read
    is asked that.
    """

    health_check_done: bool  # of Django

    def close_if_health_check_failed(self) -> None:
        if self.connection is not None and not self.health_check_done and not _has_input(self.connection):
            self.health_check_done = True
        super().close_if_health_check_failed()


def _has_input(connection: Any) -> bool:
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))
