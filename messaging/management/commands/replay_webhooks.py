"""`manage.py replay_webhooks`: a folder of deliveries, fed through the real door."""

from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from crm.models import Company
from messaging.services.inbound.replay import open_replay

STATUSES = ("taken", "duplicate", "kept", "no secret", "refused")


class Command(BaseCommand):
    help = "Deliver every *.json file below a folder to a company, as its provider would; the worker does the rest."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR")
        parser.add_argument("--company", required=True, metavar="SLUG")

    def handle(self, *, folder: Path, company: str, **options: Any) -> None:
        row = Company.objects.filter(slug=company).first()
        if row is None:
            raise CommandError(f"--company: there is no company {company!r}.")
        files = sorted(folder.rglob("*.json"))
        if not files:
            raise CommandError(f"There is no *.json file in {folder}.")
        deliver = open_replay(company=row)

        counts: Counter[str] = Counter()
        reasons = []
        unset = set()
        for file in tqdm(files, unit="file"):
            receipt = deliver(file.read_bytes())
            counts[receipt.status] += 1
            if receipt.status == "no secret":
                unset.add(receipt.reason)
            elif receipt.status != "taken" or receipt.reason:
                reasons.append(f"  {receipt.status:9}  {file.relative_to(folder)}  {receipt.reason}".rstrip())

        summary = ", ".join(f"{counts[status]} {status}" for status in STATUSES)
        reasons += [f"  no secret  {reason}" for reason in sorted(unset)]
        self.stdout.write("\n".join([*reasons, f"{len(files)} files: {summary}"]))
        if counts["no secret"] == len(files):
            raise CommandError("None of the files could be signed.")
        if counts["refused"]:
            raise CommandError(f"The door refused {counts['refused']} of {len(files)} files.")
