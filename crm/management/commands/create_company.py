"""Command that creates a company."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from crm.services.companies import create_company


class Command(BaseCommand):
    help = "Create a company with phone lines and a manager."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", required=True, help="name that people read, such as 'Acme Roofing'")
        parser.add_argument(
            "--slug", required=True, help="unique short name in letters, digits and hyphens; part of the webhook URLs"
        )
        parser.add_argument("--timezone", required=True, help="an IANA name, such as America/Denver")
        parser.add_argument(
            "--line",
            action="append",
            default=[],
            metavar="NUMBER=PROVIDER_ID",
            dest="lines",
            help="phone number and the provider's ID of a phone line; may be repeated (default: none)",
        )
        parser.add_argument(
            "--manager",
            default="",
            metavar="USERNAME",
            help="create this user; the password is generated and printed once (default: none)",
        )

    def handle(self, *, name: str, slug: str, timezone: str, lines: list[str], manager: str, **options: Any) -> None:
        pairs = []
        for line in lines:
            number, _, provider_id = line.partition("=")
            pairs.append((number.strip(), provider_id.strip()))
        try:
            created = create_company(name=name, slug=slug, timezone=timezone, lines=pairs, manager=manager)
        except ValidationError as error:
            raise CommandError(
                "\n".join(f"--{field}: {' '.join(messages)}" for field, messages in error.message_dict.items())
            ) from error
        self.stdout.write(f"Created {created.company} ({created.company.slug}).")
        if created.password:
            self.stdout.write(f"{manager} can sign in with the password {created.password}, which is not shown again.")
