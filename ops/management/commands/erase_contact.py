"""`manage.py erase_contact`: erasure of a person's data."""

from argparse import ArgumentParser
from contextlib import nullcontext
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ops.archive.erasure import ArchiveMissing, count_archived, erase_person_everywhere
from ops.archive.parquet import ArchiveDamaged
from ops.privacy.export_erase import count_personal_data
from ops.privacy.people import NOTHING_KNOWN, PersonNotFound, person_with_number
from ops.safe_migrations.sessions import owner_connection

FILES_DELETED = (
    "The stored files that name the person were deleted whole: uploads of imports, and exported lists. An import that"
    " had not read its file fails; send it again without the person."
)
FILES_WOULD_BE = "The stored files that name the person would be deleted whole: uploads of imports, and exported lists."
OBJECTS_DELETED = "A worker deletes these objects from the file storage next: watch Stored objects in the admin."
OBJECTS_WOULD_BE = "A worker would delete these objects from the file storage."


class Command(BaseCommand):
    help = "Erase the personal data of the person with this phone number. Without --yes it only counts rows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="slug of the company")
        parser.add_argument(
            "phone",
            help="phone number of the person, in any spelling, or a sender without one as it was sent: client:ann",
        )
        parser.add_argument("--yes", action="store_true", help="erase the data; it can't be undone")

    def handle(self, *, slug: str, phone: str, yes: bool, **options: Any) -> None:
        try:
            with owner_connection() if yes else nullcontext(), person_with_number(slug=slug, phone=phone) as person:
                counts = (
                    erase_person_everywhere(person=person, by="manage.py erase_contact")
                    if yes
                    else count_personal_data(person=person) | count_archived(person=person)
                )
                if not any(counts.values()):
                    raise PersonNotFound(NOTHING_KNOWN.format(slug=slug))
        except (PersonNotFound, ArchiveMissing, ArchiveDamaged) as error:
            raise CommandError(str(error)) from error
        for table, count in sorted(counts.items()):
            if count:
                self.stdout.write(f"{table:28}{count:8,}")
        if counts.get("stored_files"):
            self.stdout.write(FILES_DELETED if yes else FILES_WOULD_BE)
        if counts.get("stored_objects"):
            self.stdout.write(OBJECTS_DELETED if yes else OBJECTS_WOULD_BE)
        self.stdout.write("Erased." if yes else "Nothing was changed. Add --yes to erase this data.")
