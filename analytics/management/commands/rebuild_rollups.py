"""`manage.py rebuild_rollups`: rebuild or check the rollups that the dashboard reads."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics.rollups.objections import count_wrong_objections, rebuild_objections
from analytics.rollups.update import find_differences, rebuild_call_rollup
from crm.db.tenancy import tenant
from crm.management.companies import read_companies
from messaging.services.campaigns.counts import find_wrong_counts, rebuild_counts


class Command(BaseCommand):
    help = (
        "Rebuild the objections, the daily totals of calls, leads and objections, and the counts of campaigns."
        " Needed only after changes that no trigger sees, such as a"
        " database restored without triggers, or after a new measure."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--company", metavar="SLUG", help="only the company with this slug (default: all companies)"
        )
        parser.add_argument("--check", action="store_true", help="only compare; exit with 1 if anything differs")

    def handle(self, *, company: str | None, check: bool, **options: Any) -> None:
        wrong = 0
        for one in read_companies(company):
            if check:
                differing = find_differences(company=one)
                calls = count_wrong_objections(company=one)
                with tenant(one.pk):
                    campaigns = find_wrong_counts()
                wrong += len(differing) + calls + len(campaigns)
                for day in differing:
                    self.stdout.write(f"{one.slug}: {day} differs from its calls, leads or objections.")
                for campaign in campaigns:
                    self.stdout.write(f"{one.slug}: campaign {campaign} has other counts than its members.")
                if calls:
                    self.stdout.write(f"{one.slug}: {calls} calls have other objections than their latest analysis.")
            else:
                objections = rebuild_objections(company=one)
                days = rebuild_call_rollup(company=one)
                with tenant(one.pk):
                    rebuild_counts()
                self.stdout.write(f"{one.slug}: {days} days with calls, {objections} objections.")
        if wrong:
            raise CommandError(
                f"{wrong} days, calls or campaigns differ. Run this command without --check to rebuild them."
            )
