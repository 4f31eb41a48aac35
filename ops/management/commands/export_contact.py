"""`manage.py export_contact`: a person's data as JSON."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from ops.archive.erasure import ArchiveMissing, export_archived
from ops.archive.parquet import ArchiveDamaged
from ops.privacy.export_erase import export_person
from ops.privacy.people import NOTHING_KNOWN, PersonNotFound, person_with_number


class Command(BaseCommand):
    help = "Export all personal data of the person with this phone number, archives included, as JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="slug of the company")
        parser.add_argument(
            "phone",
            help="phone number of the person, in any spelling, or a sender without one as it was sent: client:ann",
        )
        parser.add_argument(
            "--out", type=Path, metavar="FILE", help="write to a file that only you can read (default: standard output)"
        )

    def handle(self, *, slug: str, phone: str, out: Path | None, **options: Any) -> None:
        try:
            with person_with_number(slug=slug, phone=phone) as person:
                exported = export_person(person=person)
                archived = export_archived(person=person)
                if not any([*exported.values(), archived]):
                    raise PersonNotFound(NOTHING_KNOWN.format(slug=slug))
                text = json.dumps(
                    exported | {"archived": archived}, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False
                )
        except (PersonNotFound, ArchiveMissing, ArchiveDamaged) as error:
            raise CommandError(str(error)) from error
        if out is None:
            self.stdout.write(text)
            return
        out.touch(mode=0o600)
        out.write_text(text + "\n", encoding="utf-8")
        self.stdout.write(f"Written to {out}.")
