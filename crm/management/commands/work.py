"""Command that runs the background worker."""

import signal
from argparse import ArgumentParser
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.services.self_check import WrongDatabase, wait_until_ready
from crm.worker import work


class Command(BaseCommand):
    help = "Run background jobs, such as processing webhook events and sending messages. Runs until stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--until-empty", action="store_true", help="end when no work remains, leased and delayed work included"
        )

    def handle(self, *, until_empty: bool, **options: Any) -> None:
        stop = Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: stop.set())
        try:
            wait_until_ready(stop=stop)
        except WrongDatabase as error:
            raise CommandError(str(error)) from error
        work(stop=stop, until_empty=until_empty)
