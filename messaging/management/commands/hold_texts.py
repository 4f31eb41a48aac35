"""Command that holds the outbox."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from calls.models import MissedCaller
from crm.db.tenancy import all_tenants
from crm.management.companies import read_companies
from messaging.models import Message
from messaging.services.outbound.holding import HELD_BY_COMMAND, hold_messages, hold_unknown_messages
from messaging.services.outbound.text_backs import drop_text_backs


class Command(BaseCommand):
    help = (
        "Hold all messages that are queued or may have been sent, until a person releases or cancels them. "
        "Drop the text backs that are due. Run it after restoring a backup."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--company", metavar="SLUG", help="hold this company's messages only (default: all)")

    def handle(self, *, company: str | None, **options: Any) -> None:
        with all_tenants():
            companies = read_companies(company)
            messages = Message.objects.filter(company__in=companies)
            queued = hold_messages(messages=messages, reason=HELD_BY_COMMAND)
            unknown = hold_unknown_messages(messages=messages)
            callers = MissedCaller.objects.filter(company__in=companies)
            dropped = drop_text_backs(callers=callers, reason=HELD_BY_COMMAND)
        self.stdout.write(
            f"Held messages: {queued + unknown}, of which {unknown} may have been sent. Dropped text backs: {dropped}."
        )
