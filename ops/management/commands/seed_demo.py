"""`manage.py seed_demo`: demo data for development and benchmarks."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.management.arguments import day
from crm.management.progress import ProgressBar
from crm.models import Company
from ops.demo import PASSWORD, DemoRefused, seed_demo
from ops.demo.companies import CATALOGUE
from ops.demo.existing_data import ADMIN
from ops.safe_migrations.sessions import owner_connection

WESTERNMOST = ZoneInfo("America/Los_Angeles")  # no demo company's day begins later, so no call lies in the future


class Command(BaseCommand):
    help = "Make demo companies with contacts, calls, messages, appointments, campaigns and invoices of two years."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--companies", type=int, default=2, metavar="N", help="number of companies (default: %(default)s)"
        )
        parser.add_argument(
            "--contacts",
            type=int,
            default=500,
            metavar="N",
            help="number in all companies together (default: %(default)s)",
        )
        parser.add_argument(
            "--calls",
            type=int,
            default=5000,
            metavar="N",
            help="number in all companies together (default: %(default)s)",
        )
        parser.add_argument(
            "--days", type=int, default=730, metavar="N", help="length of the history in days (default: %(default)s)"
        )
        parser.add_argument(
            "--seed",
            type=int,
            default=1,
            metavar="N",
            help="the same seed and sizes make the same data (default: %(default)s)",
        )
        parser.add_argument("--until", type=day, metavar="DATE", help="the day after the history (default: today)")
        parser.add_argument("--if-empty", action="store_true", help="do nothing if there is any company")
        parser.add_argument("--reset", action="store_true", help="remove existing demo companies first")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["if_empty"] and Company.objects.exists():
            return
        with owner_connection():
            self._seed(**options)

    def _seed(self, **options: Any) -> None:
        known = {"contacts": options["contacts"], "calls": options["calls"]}
        with ProgressBar(total=sum(known.values()), unit=" rows", unit_scale=True, mininterval=0, leave=False) as bar:

            def show(table: str, rows: int) -> None:
                bar.set_postfix_str(table, refresh=False)
                bar.update(rows if table in known else 0)

            try:
                counts = seed_demo(
                    companies=options["companies"],
                    contacts=options["contacts"],
                    calls=options["calls"],
                    days=options["days"],
                    seed=options["seed"],
                    until=options["until"] or datetime.now(WESTERNMOST).date(),
                    reset=options["reset"],
                    progress=show,
                )
            except DemoRefused as refusal:
                raise CommandError(str(refusal)) from refusal
        for table, rows in counts.items():
            self.stdout.write(f"{table:22}{rows:>12,}")
        self.stdout.write(f"\nSign in with the password {PASSWORD!r} as")
        self.stdout.write(f"  {ADMIN} (staff, in the admin)")
        for demo in CATALOGUE[: options["companies"]]:
            self.stdout.write(f"  {', '.join(demo.usernames)} ({demo.name}, {demo.slug})")
