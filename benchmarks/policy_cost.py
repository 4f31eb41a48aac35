"""`python -m benchmarks policies`: what row-level security costs the dashboard."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from tqdm import tqdm

from benchmarks.policies import ROUNDS, measure_policies
from crm.models import Company


class Command(BaseCommand):
    help = (
        "Time the dashboard's endpoints with row-level security and without, in turns, for the first company."
        " Switches it off in between: for a database of demo data that nobody works on."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("Only PostgreSQL has row-level security.")
        if settings.THROTTLE_USER_PER_MIN:
            raise CommandError("It asks more often than a user may: set THROTTLE_USER_PER_MIN=0.")
        company = Company.objects.order_by("pk").first()
        if company is None:
            raise CommandError("There is no company: make some with seed_demo first.")
        with tqdm(total=2 * ROUNDS, unit="turn") as bar:
            costs = measure_policies(company=company, progress=bar.update)
        self.stdout.write("| endpoint | with policies, ms | without, ms | ratio | middle half of the ratios |")
        self.stdout.write("|---|---|---|---|---|")
        for cost in costs:
            self.stdout.write(
                f"| {cost.endpoint} | {cost.with_policies:.2f} | {cost.without:.2f} | {cost.ratio:.2f} |"
                f" {cost.lower:.2f}–{cost.upper:.2f} |"
            )
