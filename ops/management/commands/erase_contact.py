"""`manage.py erase_contact`: erasure of a contact's personal data."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ops.archive.erasure import ArchiveMissing, count_archived, erase_contact_everywhere
from ops.archive.parquet import ArchiveDamaged
from ops.privacy.export_erase import ContactNotFound, contact_with_number, count_personal_data


class Command(BaseCommand):
    help = "Erase the personal data of the contact with this phone number. Without --yes it only counts rows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="slug of the company")
        parser.add_argument("phone", help="phone number of the contact, in any spelling")
        parser.add_argument("--yes", action="store_true", help="erase the data; it can't be undone")

    def handle(self, *, slug: str, phone: str, yes: bool, **options: Any) -> None:
        try:
            with contact_with_number(slug=slug, phone=phone) as contact:
                counts = (
                    erase_contact_everywhere(contact=contact, by="manage.py erase_contact")
                    if yes
                    else count_personal_data(contact=contact) | count_archived(contact=contact)
                )
        except (ContactNotFound, ArchiveMissing, ArchiveDamaged) as error:
            raise CommandError(str(error)) from error
        for table, count in sorted(counts.items()):
            if count:
                self.stdout.write(f"{table:28}{count:8,}")
        self.stdout.write("Erased." if yes else "Nothing was changed. Add --yes to erase this data.")
