"""`python -m benchmarks policies`: the cost of row-level security for the dashboard."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from rest_framework.test import APIClient
from tqdm import tqdm

from benchmarks.database import execute
from benchmarks.report import table
from benchmarks.timing import Rounds, time_once
from calls.models import Call
from crm.db.tenancy import TenantModel, tenant
from crm.models import Company, User
from messaging.models import Message

ROUNDS, REQUESTS = 30, 6


class Command(BaseCommand):
    help = (
        "Time the dashboard's endpoints with and without row-level security, in turns, for the first company."
        " Row-level security is off in between: use a demo database without other users."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("Only PostgreSQL has row-level security; set DATABASE_URL.")
        if settings.THROTTLE_USER_PER_MIN:
            raise CommandError("The benchmark exceeds a user's request limit; set THROTTLE_USER_PER_MIN=0.")
        company = Company.objects.order_by("pk").first()
        if company is None:
            raise CommandError("There is no company; make demo data with seed_demo first.")
        self.stdout.write(
            table(["endpoint", "with policies, ms", "without, ms", "ratio", "quartiles"], [*_measure(company)])
        )


def _measure(company: Company) -> Iterator[list[str]]:
    """Time the endpoints in short turns, so that a machine that slows down slows both alike."""
    client = APIClient(HTTP_HOST="localhost")
    client.force_authenticate(User.accounts.filter(company=company, role="manager")[0])
    paths = _paths(company)
    times = {(name, secured): Rounds() for name in paths for secured in (True, False)}
    try:
        for turn in tqdm(range(ROUNDS), unit="round"):
            for secured in (True, False) if turn % 2 else (False, True):
                _secure(secured)
                for name, path in paths.items():
                    times[name, secured].values.append(time_once(partial(_get, client, path), repeats=REQUESTS))
    finally:
        _secure(True)
    for name in paths:
        ratio = times[name, True].against(times[name, False])
        values = (times[name, True].median, times[name, False].median, ratio.median)
        yield [name, *(f"{value:.2f}" for value in values), f"{ratio.lower:.2f}–{ratio.upper:.2f}"]


def _paths(company: Company) -> dict[str, str]:
    with tenant(company.pk):
        last = Call.objects.order_by("-created_at")[0].created_at.date()
        thread = Message.objects.exclude(contact=None)[0].contact_id
    month = f"start_date={last - timedelta(days=29)}&end_date={last}"
    return {
        "metrics, 30 days": f"dashboard/metrics?{month}",
        "metrics, all time": "dashboard/metrics",
        "booking rate, 30 days": f"dashboard/booking-rate?{month}",
        "calls, first page": "dashboard/calls",
        "top objections, 30 days": f"dashboard/top-objections?{month}",
        "message thread": f"message-threads/{thread}",
    }


def _secure(secured: bool) -> None:
    verb = "ENABLE" if secured else "DISABLE"
    tables = [model._meta.db_table for model in apps.get_models() if issubclass(model, TenantModel)]
    execute(*(f'ALTER TABLE "{name}" {verb} ROW LEVEL SECURITY' for name in tables))


def _get(client: APIClient, path: str) -> None:
    response = client.get(f"/api/v1/{path}")
    if response.status_code != 200:
        raise RuntimeError(f"{path} answered {response.status_code}.")
