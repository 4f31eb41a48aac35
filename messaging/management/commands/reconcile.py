"""`manage.py reconcile`: records messages and calls that webhook events missed."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.date_ranges import bounds_of, start_of
from crm.management.arguments import day
from crm.management.companies import read_companies
from crm.management.progress import ProgressBar
from messaging.services.inbound.reconciliation import ReconcileResult, lines_with_account, reconcile_line


class Command(BaseCommand):
    help = "List messages and calls at the providers since a date, and record those that webhook events missed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--since",
            required=True,
            type=day,
            metavar="DATE",
            help="first day, such as 2026-03-31, in each company's time zone",
        )
        parser.add_argument("--until", type=day, metavar="DATE", help="last day, included (default: today)")
        parser.add_argument(
            "--company", metavar="SLUG", help="only phone lines of the company with this slug (default: all companies)"
        )

    def handle(self, *, since: date, until: date | None, company: str | None, **options: Any) -> None:
        incomplete = checked = 0
        for row in read_companies(company):
            first, (_, end) = start_of(since, row.zone), bounds_of(None, until, row.zone)
            for line in lines_with_account(company_id=row.pk):
                with ProgressBar(unit="event", desc=f"{row}, {line}", leave=False) as bar:
                    result = reconcile_line(line=line, since=first, until=end, progress=bar.update)
                self.stdout.write(f"{row}, {line}: {_summary(result)}")
                checked += 1
                incomplete += not result.complete
        self.stdout.write(f"{checked} lines checked, {incomplete} incomplete.")
        if incomplete:
            raise CommandError("Some phone lines are incomplete; see above.")


def _summary(result: ReconcileResult) -> str:
    text = f"{result.seen} seen, {result.added} added, {result.changed} changed"
    if result.unreadable:
        text += f", {result.unreadable} unreadable"
    return f"{text}; stopped early: {result.failure}" if result.failure else text
