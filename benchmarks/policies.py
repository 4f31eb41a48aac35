"""What row-level security costs the dashboard: the same requests with the policies and without, in turns."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from time import perf_counter

from django.apps import apps
from django.db import connection
from rest_framework.test import APIClient

from calls.models import Call
from crm.db.tenancy import TenantModel, tenant
from crm.models import Company, User
from messaging.models import Message

ROUNDS, REQUESTS = 30, 6


@dataclass(frozen=True)
class Cost:
    """Median milliseconds of one request, with the policies and without; and the middle half of the rounds' ratios."""

    endpoint: str
    with_policies: float
    without: float
    ratio: float
    lower: float
    upper: float


def measure_policies(*, company: Company, progress: Callable[[], object]) -> list[Cost]:
    """The five documented endpoints for one company. Switches row-level security off and on again: not for a database
    that anybody works on. The turns are short, so that a machine that slows down slows both."""
    with tenant(company.pk):
        manager = User.objects.filter(role="manager")[0]
        last = Call.objects.order_by("-created_at")[0].created_at.date()
        thread = Message.objects.exclude(contact=None)[0].contact_id
    month = f"start_date={last - timedelta(days=29)}&end_date={last}"
    endpoints = {
        "metrics, 30 days": f"dashboard/metrics?{month}",
        "metrics, all time": "dashboard/metrics",
        "booking rate, 30 days": f"dashboard/booking-rate?{month}",
        "calls, first page": "dashboard/calls",
        "top objections, 30 days": f"dashboard/top-objections?{month}",
        "message thread": f"message-threads/{thread}",
    }
    client = APIClient(HTTP_HOST="localhost")
    client.force_authenticate(manager)
    taken: dict[tuple[str, bool], list[float]] = {(name, on): [] for name in endpoints for on in (True, False)}
    try:
        for turn in range(ROUNDS):
            for on in (True, False) if turn % 2 else (False, True):
                _switch(on)
                for name, path in endpoints.items():
                    taken[name, on].append(_time(client, f"/api/v1/{path}"))
                progress()
    finally:
        _switch(True)
    return [_cost(name, taken[name, True], taken[name, False]) for name in endpoints]


def _switch(on: bool) -> None:
    with connection.cursor() as cursor:
        for model in apps.get_models():
            if issubclass(model, TenantModel):
                word = "ENABLE" if on else "DISABLE"
                cursor.execute(f'ALTER TABLE "{model._meta.db_table}" {word} ROW LEVEL SECURITY')


def _time(client: APIClient, url: str) -> float:
    """Median milliseconds of a request, after one that is not counted."""
    times = []
    for _ in range(REQUESTS + 1):
        start = perf_counter()
        response = client.get(url)
        times.append((perf_counter() - start) * 1000)
        if response.status_code != 200:
            raise RuntimeError(f"{url} answered {response.status_code}.")
    return median(times[1:])


def _cost(endpoint: str, with_policies: list[float], without: list[float]) -> Cost:
    ratios = sorted(a / b for a, b in zip(with_policies, without, strict=True))
    quarter = len(ratios) // 4
    return Cost(
        endpoint,
        median(with_policies),
        median(without),
        ratio=median(ratios),
        lower=ratios[quarter],
        upper=ratios[-quarter - 1],
    )
