"""`manage.py reprocess_events`: queues stored webhook events for processing again."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import date, datetime
from typing import Any

from django.core.management.base import BaseCommand

from crm.date_ranges import parse_day, start_of
from crm.db.tenancy import tenant
from crm.instants import AN_INSTANT, parse_instant
from crm.management.companies import read_company
from messaging.choices import EventStatus
from messaging.models import WebhookEvent
from messaging.services.inbound.webhook_processing import reprocess_webhook_events


def day_or_instant(text: str) -> date | datetime:
    """Parse a day or a time with an offset. Raises ArgumentTypeError."""
    try:
        return parse_day(text) if len(text) == len("2026-03-02") else parse_instant(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} must be a day such as 2026-03-02, or {AN_INSTANT}.") from error


class Command(BaseCommand):
    help = "Queue a company's dead, ignored or processed webhook events for processing again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        statuses = [status.value for status in EventStatus if status != EventStatus.PENDING]
        parser.add_argument("--company", required=True, metavar="SLUG", help="slug of the company")
        parser.add_argument(
            "--status",
            choices=statuses,
            default=EventStatus.DEAD.value,
            help="status of the events (default: %(default)s)",
        )
        parser.add_argument("--type", metavar="TYPE", help="event type, such as call.ringing (default: any)")
        parser.add_argument(
            "--since",
            type=day_or_instant,
            metavar="TIME",
            help="received at or after this time, or on or after this day of the company (default: any)",
        )

    def handle(
        self, *, company: str, status: str, type: str | None, since: date | None, **options: Any
    ) -> None:  # named like the options
        row = read_company(company)
        with tenant(row.pk):
            events = WebhookEvent.objects.with_status(status)
            if type is not None:
                events = events.filter(event_type=type)
            if since is not None:
                first = since if isinstance(since, datetime) else start_of(since, row.zone)
                events = events.filter(created_at__gte=first)
            count = reprocess_webhook_events(events=events)
        self.stdout.write(f"{count} webhook events queued for processing.")
