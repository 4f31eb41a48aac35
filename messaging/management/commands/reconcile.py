"""`manage.py reconcile`: asks the providers for what their deliveries missed."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from crm.date_ranges import bounds_of, start_of
from crm.models import Company
from messaging.services.inbound.reconciliation import Findings, lines_with_account, reconcile_line


class Command(BaseCommand):
    help = "Ask the providers for texts and calls since a day, and add what their deliveries missed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", required=True, type=date.fromisoformat, metavar="DATE", help="the first day")
        parser.add_argument("--until", type=date.fromisoformat, metavar="DATE", help="the last day (default: today)")
        parser.add_argument("--company", metavar="SLUG", help="only this one's lines (default: everybody's)")

    def handle(self, *, since: date, until: date | None, company: str | None, **options: Any) -> None:
        companies = Company.objects.filter(slug=company) if company else Company.objects.order_by("id")
        if company and not companies:
            raise CommandError(f"--company: there is no company {company!r}.")
        failed = asked = 0
        for row in companies:
            first, (_, end) = start_of(since, row.zone), bounds_of(None, until, row.zone)
            for line in lines_with_account(company_id=row.pk):
                with tqdm(unit="entry", desc=f"{row}, {line}", leave=False) as bar:
                    findings = reconcile_line(line=line, since=first, until=end, progress=bar.update)
                self.stdout.write(f"{row}, {line}: {_spell(findings)}")
                asked += 1
                failed += not findings.complete
        self.stdout.write(f"{asked} lines asked for, {failed} of them not to the end.")
        if failed:
            raise CommandError("Not everything could be asked for; see above.")


def _spell(findings: Findings) -> str:
    words = f"{findings.seen} seen, {findings.added} added, {findings.changed} changed"
    if findings.unreadable:
        words += f", {findings.unreadable} that can't be read"
    return f"{words}; broke off: {findings.failure}" if findings.failure else words
