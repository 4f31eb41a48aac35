"""Secrets for commands, from a file or standard input: arguments appear in the process list and the shell's history."""

import sys
from getpass import getpass
from pathlib import Path

from django.core.management.base import CommandError

STANDARD_INPUT = "-"


def read_secret(*, from_file: Path | None) -> str:
    """Return the secret in the file, or that of standard input, which a terminal doesn't show. Raises CommandError."""
    if from_file is not None:
        try:
            return from_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"--from-file: {from_file} can't be read ({error}).") from error
    return (getpass("Secret: ") if sys.stdin.isatty() else sys.stdin.read()).strip()
