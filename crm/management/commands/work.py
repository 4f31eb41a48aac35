"""Command that runs the background worker."""

import logging
import os
import signal
from argparse import ArgumentParser
from threading import Event
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from crm.services.heartbeats import Heartbeat
from crm.services.self_check import WrongDatabase, wait_until_ready
from crm.worker import Attempts, job_names, work

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Run background jobs, such as processing webhook events and sending messages. Runs until stopped."
    requires_system_checks: list[str] = []  # they load all pages, and with them a third of the memory

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--only", metavar="NAME,…", help=f"do these jobs only (default: all): {', '.join(job_names())}"
        )
        parser.add_argument(
            "--until-empty", action="store_true", help="end when no work remains, leased and delayed work included"
        )

    def handle(self, *, only: str | None, until_empty: bool, **options: Any) -> None:
        jobs = job_names() if only is None else _read_names(only)
        stop, signals = Event(), []

        def end(signum: int, _frame: object) -> None:
            signals.append(signal.Signals(signum).name)
            stop.set()

        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, end)
        try:
            wait_until_ready(stop=stop)
        except WrongDatabase as error:
            raise CommandError(str(error)) from error
        if stop.is_set():
            logger.info("Worker stopped: %s, before its start.", signals[0])
            return
        logger.info("Worker started: version %s, pid %d, jobs %s.", settings.VERSION, os.getpid(), ", ".join(jobs))
        reason, heartbeat = "an error", Heartbeat(jobs=jobs)
        attempts: list[Attempts] = []
        try:
            attempts = work(stop=stop, only=jobs, until_empty=until_empty, beat=heartbeat.beat)
            heartbeat.end()
            reason = signals[0] if signals else "no work remains" if until_empty else reason
        finally:
            logger.info("Worker stopped: %s. Tasks done: %s.", reason, _describe(attempts))
        if reason == "an error":
            raise CommandError("The worker stopped because of an error; see its log.")


def _read_names(only: str) -> list[str]:
    names = [name.strip() for name in only.split(",") if name.strip()]
    unknown = [name for name in names if name not in job_names()]
    if unknown or not names:
        problem = f"there is no job {', '.join(unknown)}" if unknown else "name a job"
        raise CommandError(f"--only: {problem}; choose from {', '.join(job_names())}.")
    return names


def _describe(attempts: list[Attempts]) -> str:
    """Return the counts of the jobs that did something."""
    counts = [
        f"{one.job.name} {one.done}" + (f" ({one.failed} failed)" if one.failed else "")
        for one in attempts
        if one.done or one.failed
    ]
    return ", ".join(counts) or "none"
