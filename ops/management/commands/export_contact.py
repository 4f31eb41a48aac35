"""`manage.py export_contact`: a contact's personal data as JSON."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from ops.archive.erasure import ArchiveMissing, export_archived
from ops.archive.parquet import ArchiveDamaged
from ops.privacy.export_erase import ContactNotFound, contact_with_number, export_contact


class Command(BaseCommand):
    help = "Export all personal data of the contact with this phone number, archives included, as JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="slug of the company")
        parser.add_argument("phone", help="phone number of the contact, in any spelling")
        parser.add_argument(
            "--out", type=Path, metavar="FILE", help="write to a file that only you can read (default: standard output)"
        )

    def handle(self, *, slug: str, phone: str, out: Path | None, **options: Any) -> None:
        try:
            with contact_with_number(slug=slug, phone=phone) as contact:
                exported = export_contact(contact=contact) | {"archived": export_archived(contact=contact)}
                text = json.dumps(exported, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False)
        except (ContactNotFound, ArchiveMissing, ArchiveDamaged) as error:
            raise CommandError(str(error)) from error
        if out is None:
            self.stdout.write(text)
            return
        out.touch(mode=0o600)
        out.write_text(text + "\n", encoding="utf-8")
        self.stdout.write(f"Written to {out}.")
