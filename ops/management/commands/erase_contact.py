"""`manage.py erase_contact`: the answer to a person who asks to be forgotten."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ops.archive.erasure import ArchiveMissing, count_archived, erase_contact_everywhere
from ops.archive.parquet import ArchiveDamaged
from ops.privacy.contact_lookup import UnknownSubject, contact_with_number
from ops.privacy.export_erase import count_records


class Command(BaseCommand):
    help = "Forget the person with this phone number: shows what would go, and with --yes does it, for good."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="of the company")
        parser.add_argument("phone", help="in any spelling")
        parser.add_argument("--yes", action="store_true", help="do it; it can't be undone")

    def handle(self, *, slug: str, phone: str, yes: bool, **options: Any) -> None:
        try:
            with contact_with_number(slug=slug, phone=phone) as contact:
                counts = (
                    erase_contact_everywhere(contact=contact, by="manage.py erase_contact")
                    if yes
                    else count_records(contact=contact) | count_archived(contact=contact)
                )
        except (UnknownSubject, ArchiveMissing, ArchiveDamaged) as error:
            raise CommandError(str(error)) from error
        for table, count in sorted(counts.items()):
            if count:
                self.stdout.write(f"{table:28}{count:8,}")
        self.stdout.write("Erased." if yes else "Nothing was changed. To erase it: --yes")
