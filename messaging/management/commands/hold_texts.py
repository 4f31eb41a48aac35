"""Command that holds all queued messages."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from crm.db.tenancy import all_tenants
from crm.management.companies import read_companies
from messaging.models import Message
from messaging.services.outbound.holding import HELD_BY_COMMAND, hold_messages


class Command(BaseCommand):
    help = "Hold all queued messages until a person releases or cancels them. Run it after restoring a backup."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--company", metavar="SLUG", help="hold this company's messages only (default: all)")

    def handle(self, *, company: str | None, **options: Any) -> None:
        with all_tenants():
            messages = Message.objects.filter(company__in=read_companies(company))
            held = hold_messages(messages=messages, reason=HELD_BY_COMMAND)
        self.stdout.write(f"Held messages: {held}.")
