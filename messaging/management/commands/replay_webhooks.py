"""`manage.py replay_webhooks`: recorded webhook events from a folder."""

from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.management.companies import read_company
from crm.management.progress import ProgressBar
from messaging.services.inbound.replay import prepare_replay

STATUSES = ("accepted", "duplicate", "stored", "no secret", "refused")


class Command(BaseCommand):
    help = "Send each *.json file below a folder to the company's webhook, signed as its provider signs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "folder", type=Path, metavar="DIR", help="folder with the recorded request bodies, in subfolders too"
        )
        parser.add_argument("--company", required=True, metavar="SLUG", help="slug of the company")

    def handle(self, *, folder: Path, company: str, **options: Any) -> None:
        row = read_company(company)
        files = sorted(folder.rglob("*.json"))
        if not files:
            raise CommandError(f"{folder} contains no *.json file.")
        replay = prepare_replay(company=row)

        counts: Counter[str] = Counter()
        reasons = []
        missing_secrets = set()
        for file in ProgressBar(files, unit="file"):
            result = replay(file.read_bytes())
            counts[result.status] += 1
            if result.status == "no secret":
                missing_secrets.add(result.reason)
            elif result.status != "accepted" or result.reason:
                reasons.append(f"  {result.status:9}  {file.relative_to(folder)}  {result.reason}".rstrip())

        summary = ", ".join(f"{counts[status]} {status}" for status in STATUSES)
        reasons += [f"  no secret  {reason}" for reason in sorted(missing_secrets)]
        self.stdout.write("\n".join([*reasons, f"{len(files)} files: {summary}"]))
        if counts["no secret"] == len(files):
            raise CommandError("No file could be signed; set the secrets named above.")
        if counts["refused"]:
            raise CommandError(f"The webhook refused {counts['refused']} of {len(files)} files; see above.")
