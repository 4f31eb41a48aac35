"""Command that holds the outbox."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from calls.models import MissedCaller
from crm.db.tenancy import all_tenants
from crm.management.companies import read_companies
from crm.models import Campaign
from messaging.models import Message
from messaging.services.campaigns.runs import hold_campaigns
from messaging.services.outbound.holding import HELD_BY_COMMAND, hold_messages, hold_unknown_messages
from messaging.services.outbound.reminders import drop_reminders
from messaging.services.outbound.text_backs import drop_text_backs

CAMPAIGN_HELD = (
    "It was held by hold_texts. Contacts who got its message after the backup would get it again: resume or cancel it."
)


class Command(BaseCommand):
    help = (
        "Hold all messages that are queued or may have been sent, until a person releases or cancels them. "
        "Pause the campaigns, and drop the text backs and reminders that are due. Run it after restoring a backup."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--company", metavar="SLUG", help="hold this company's messages only (default: all)")

    def handle(self, *, company: str | None, **options: Any) -> None:
        with all_tenants():
            companies = read_companies(company)
            messages = Message.objects.filter(company__in=companies)
            queued = hold_messages(messages=messages, reason=HELD_BY_COMMAND)
            unknown = hold_unknown_messages(messages=messages)
            # Afterwards: a pause would take what is queued out of the outbox, and reconcile couldn't find it.
            paused = hold_campaigns(campaigns=Campaign.objects.filter(company__in=companies), reason=CAMPAIGN_HELD)
            callers = MissedCaller.objects.filter(company__in=companies)
            dropped = drop_text_backs(callers=callers, reason=HELD_BY_COMMAND)
            skipped = drop_reminders(companies=companies, reason=HELD_BY_COMMAND)
        self.stdout.write(
            f"Held messages: {queued + unknown}, of which {unknown} may have been sent. Paused campaigns: {paused}."
            f" Dropped text backs: {dropped}. Dropped reminders: {skipped}."
        )
