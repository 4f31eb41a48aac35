"""Deployments by calls and users: what they need, derived from the measured costs."""

from dataclasses import dataclass
from math import ceil

SIZES = ((500, 10), (5_000, 100), (50_000, 500), (250_000, 2_500))
"""Calls a day, and users who work at the same time."""
BUSIEST_S = 18_000  # a day's calls in ten hours, the busiest hour with twice the average
REQUESTS_PER_USER_S = 20 / 60
EVENTS_PER_CALL, EVENTS_PER_MESSAGE = 3, 2  # webhook events: begun, ended, transcript; received or sent, delivered
MESSAGES_PER_CALL = 1
UTILISATION = 0.5  # of a processor in the busiest hour
MIN_WEB, MIN_WORKERS = 2, 2  # so that one may be lost
THREADS = 4  # config/gunicorn.py
MIB, GIB = 1024**2, 1024**3

ASSUMPTIONS = f"""A day's calls come within ten hours, in the busiest hour twice the average. Each call has
{EVENTS_PER_CALL} webhook events and a message with {EVENTS_PER_MESSAGE}. Each user makes {60 * REQUESTS_PER_USER_S:.0f}
requests a minute. Receiving an event costs the web server as much as a request, which is more than it does.
Processors are half idle. The web server has at least {MIN_WEB} processes, and there are at least {MIN_WORKERS} workers.
Nothing is archived in a year."""


@dataclass(frozen=True)
class Costs:
    """Milliseconds of processor time, MiB, connections, and bytes."""

    request_web_ms: float
    request_database_ms: float
    event_worker_ms: float
    event_database_ms: float
    web_mib: float  # the first process, with the master
    more_web_mib: float  # each further one
    worker_mib: float
    worker_connections: int
    call_bytes: float
    message_bytes: float
    event_bytes: float
    event_wal: float

    def deployment_row(self, calls: int, users: int) -> list[str]:
        events_a_day = calls * (EVENTS_PER_CALL + MESSAGES_PER_CALL * EVENTS_PER_MESSAGE)
        events = events_a_day / BUSIEST_S
        requests = users * REQUESTS_PER_USER_S + events
        web_load = requests * self.request_web_ms / 1000
        # A worker waits for the database meanwhile.
        worker_load = events * (self.event_worker_ms + self.event_database_ms) / 1000
        database_load = (requests * self.request_database_ms + events * self.event_database_ms) / 1000
        web = max(MIN_WEB, ceil(web_load / UTILISATION))
        workers = max(MIN_WORKERS, ceil(worker_load / UTILISATION))
        worker_cores = events * self.event_worker_ms / 1000 / UTILISATION
        memory = self.web_mib + (web - 1) * self.more_web_mib + workers * self.worker_mib
        year = 365 * (
            calls * (self.call_bytes + MESSAGES_PER_CALL * self.message_bytes) + events_a_day * self.event_bytes
        )
        return [
            f"{calls:,}",
            f"{users:,}",
            f"{requests:.0f} + {events:.1f}",
            f"{web} + {workers}",
            f"{web_load / UTILISATION + worker_cores:.1f} + {database_load / UTILISATION:.1f}",
            f"{memory / 1024:.1f}",
            f"{web * THREADS + workers * self.worker_connections}",
            f"{year / GIB:,.0f}",
            f"{events_a_day * self.event_wal / GIB:.1f}",
        ]


HEAD = [
    "calls a day", "users at once", "requests + events a second", "web + worker processes",
    "cores: product + database", "memory of the product, GiB", "connections", "disk a year, GiB", "WAL a day, GiB",
]  # fmt: skip
