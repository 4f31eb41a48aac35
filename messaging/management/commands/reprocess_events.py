"""`manage.py reprocess_events`: queues stored webhook events for processing again."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from crm.db.tenancy import tenant
from crm.management.companies import read_company
from messaging.choices import EventStatus
from messaging.models import WebhookEvent
from messaging.services.inbound.webhook_processing import reprocess_webhook_events


def moment(text: str) -> datetime:
    """Parse a time, or the beginning of a day. The default zone is UTC."""
    try:
        day = parse_date(text)
        at = datetime(day.year, day.month, day.day) if day else parse_datetime(text)  # the zone is added below
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
    if at is None:
        raise ArgumentTypeError(f"{text!r} must be a date such as 2026-03-02 or a time such as 2026-03-02T16:00.")
    return at if timezone.is_aware(at) else timezone.make_aware(at)


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
            type=moment,
            metavar="TIME",
            help="received at or after this date or time, in UTC unless it has an offset (default: any)",
        )

    def handle(
        self, *, company: str, status: str, type: str | None, since: datetime | None, **options: Any
    ) -> None:  # named like the options
        row = read_company(company)
        with tenant(row.pk):
            events = WebhookEvent.objects.with_status(status)
            if type is not None:
                events = events.filter(event_type=type)
            if since is not None:
                events = events.filter(created_at__gte=since)
            count = reprocess_webhook_events(events=events)
        self.stdout.write(f"{count} webhook events queued for processing.")
