"""Health and readiness checks for load balancers."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from threading import Lock

from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from crm.services.self_check import Problem, find_problems, find_warnings

READY_TIMEOUT_S = 1.5  # load balancers wait 2 s or longer


class HealthChecks:
    """Answers /healthz and /readyz, for any host: load balancers ask by IP address, over plain HTTP."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/healthz":
            # Nothing else is checked: a database outage must not restart every server.
            return JsonResponse({"status": "ok"})
        if request.path_info == "/readyz":
            return PROBE.report()
        return self.get_response(request)


class Probe:
    """The self-check in a thread of its own, because a database that hangs would hold the request's thread.

    While one check hangs, no further one begins, and those who ask later don't wait for their own time.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="readyz")
        self._lock = Lock()
        self._begun = 0.0
        self._running: Future[tuple[list[Problem], list[str]]] | None = None

    def report(self) -> JsonResponse:
        with self._lock:
            if self._running is None or self._running.done():
                self._running, self._begun = self._thread.submit(_check), time.monotonic()
            running, left = self._running, self._begun + READY_TIMEOUT_S - time.monotonic()
        try:
            problems, warnings = running.result(timeout=max(left, 0.0))
        except (OperationalError, InterfaceError, TooSlow) as error:
            return JsonResponse({"status": "no database", "reason": type(error).__name__}, status=503)
        if not problems:
            return JsonResponse({"status": "ready"} | ({"warnings": warnings} if warnings else {}))
        body = {"status": problems[0].status, "problems": [problem.text for problem in problems]}
        migrations = [name for problem in problems for name in problem.migrations]
        return JsonResponse(body | ({"migrations": migrations} if migrations else {}), status=503)


PROBE = Probe()


def _check() -> tuple[list[Problem], list[str]]:
    try:
        problems = find_problems()
        return problems, [] if problems else find_warnings()
    finally:
        connection.close()
