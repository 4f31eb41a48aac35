"""`manage.py rebuild_rollups`: rebuild or check the rollups that the dashboard reads."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.rollups.objections import count_wrong_objections, rebuild_objections
from analytics.rollups.update import find_differences, rebuild_call_rollup
from crm.management.companies import read_companies


class Command(BaseCommand):
    help = (
        "Rebuild the daily call totals and the objections. Needed only after changes that no trigger sees, such as a"
        " database restored without triggers, or after a new measure."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--company", metavar="SLUG", help="only the company with this slug (default: all companies)"
        )
        parser.add_argument("--check", action="store_true", help="only compare; exit with 1 if days or calls differ")

    def handle(self, *, company: str | None, check: bool, **options: Any) -> None:
        wrong = 0
        for one in read_companies(company):
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
                self.stdout.write(f"{one.slug}: {days} days with calls, {objections} objections.")
        if wrong:
            raise CommandError(f"{wrong} days or calls differ. Run this command without --check to rebuild them.")
