"""`manage.py work`: the background worker."""

import signal
from argparse import ArgumentParser
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand

from crm.worker import work


class Command(BaseCommand):
    help = "Do the background work: deliveries from providers and whatever else apps registered. Runs until stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--until-empty", action="store_true", help="End when nothing is left to do, leases and waits included."
        )

    def handle(self, *, until_empty: bool, **options: Any) -> None:
        stop = Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: stop.set())
        work(stop=stop, until_empty=until_empty)
