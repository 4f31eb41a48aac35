"""Command that re-encrypts secrets, the second step of changing SECRETS_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.encryption import SecretUnreadable
from crm.management.progress import ProgressBar
from crm.services.key_fingerprints import record_newest_secrets_key
from crm.services.secret_rotation import count_secrets, rotate_secrets


class Command(BaseCommand):
    help = "Encrypt every stored secret with the first of SECRETS_KEYS. Afterwards the other keys can be removed."

    def handle(self, **options: Any) -> None:
        with ProgressBar(total=count_secrets(), unit="secret") as bar:
            try:
                rotated = rotate_secrets(progress=bar.update)
            except SecretUnreadable as error:
                raise CommandError(str(error)) from error
        record_newest_secrets_key()
        self.stdout.write(f"{rotated} secrets re-encrypted; all use the newest key.")
