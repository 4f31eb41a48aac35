"""`manage.py rebuild_rollups`: what the dashboard reads in place of calls and analyses, made anew or compared."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.rollups.objections import count_wrong_objections, rebuild_objections
from analytics.rollups.update import find_differences, rebuild_call_rollup
from crm.models import Company


class Command(BaseCommand):
    help = (
        "Count calls by day, and list objections, anew. Needed only after something that no trigger sees, such as a"
        " restore without triggers."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--company", metavar="SLUG", help="of this one alone")
        parser.add_argument("--check", action="store_true", help="only compare with the calls; fails if they differ")

    def handle(self, *, company: str | None, check: bool, **options: Any) -> None:
        companies = Company.objects.filter(slug=company) if company else Company.objects.all()
        if company and not companies:
            raise CommandError(f"There is no company {company!r}.")
        wrong = 0
        for one in companies.order_by("pk"):
            if check:
                differing = find_differences(company=one)
                calls = count_wrong_objections(company=one)
                wrong += len(differing) + calls
                for day in differing:
                    self.stdout.write(f"{one.slug}: {day} differs from its calls.")
                if calls:
                    self.stdout.write(f"{one.slug}: {calls} calls have other objections than their latest analysis.")
            else:
                days, objections = rebuild_call_rollup(company=one), rebuild_objections(company=one)
                self.stdout.write(f"{one.slug}: {days} days have calls; there are {objections} objections.")
        if wrong:
            raise CommandError(f"{wrong} days or calls differ. Without --check they are counted anew.")
