"""Chapter 9: a campaign with many members, through the console provider."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any
from unittest.mock import patch

from django.conf import settings
from django.test.utils import override_settings
from django.utils import timezone

from benchmarks.campaign_data import queue_campaign_messages, running_campaign
from benchmarks.database import execute
from benchmarks.processes import backends, cpu_seconds
from benchmarks.report import Chapter, Goal, number, show_step
from benchmarks.web_server import database_url
from crm.db.tenancy import all_tenants, tenant
from crm.models import Campaign, Contact, PhoneLine
from messaging.choices import MessageKind, MessageStatus
from messaging.models import Message, WebhookEvent
from messaging.providers.console.client import ConsoleClient
from messaging.providers.interfaces import Line, SentMessage
from messaging.services.campaigns.runs import pause_campaign
from messaging.services.outbound.outbox import queue_message
from messaging.services.outbound.ready_lines import find_ready_lines
from messaging.services.outbound.sending import send_next_messages
from tests.plans.conftest import buffers_read

MEMBERS = 100_000
WORKERS = 2
PER_SECOND = 1000  # the line's pace: more than the workers reach
REPLY_EVERY_S = 0.25
SETTINGS: dict[str, Any] = {"SMS_BACKEND": "console", "SMS_PER_SECOND": PER_SECOND}
BACKLOG = 20_000  # queued messages of a resting line
GOAL_RATE, GOAL_REPLY_S, GOAL_PAUSE_S = 300, 2, 2

ABOUT = f"""{MEMBERS:,} members of one campaign wait. {WORKERS} worker processes (`manage.py work`) feed the outbox and
send through the console provider, at a pace of {PER_SECOND:,} messages a second, on the same machine as PostgreSQL. The
console provider stores a delivery receipt for each message, which the same workers process, unless they have only the
jobs `texts` and `campaigns`. Meanwhile a user writes a reply every {REPLY_EVERY_S} s over the same line: its time is
from writing to departure. Then the campaign is paused: the time is until the last departure. Processor time is for each
message, of all processes together."""
ABOUT_IDLE = f"""Finding the lines that may send, while one line rests with {BACKLOG:,} queued messages."""
HEAD = ["worker processes", "messages/s", "receipts/s", "reply, 95 %, s", "pause, s", "workers, ms", "PostgreSQL, ms"]
SENT = (MessageStatus.SENT, MessageStatus.DELIVERED)


@dataclass(frozen=True)
class Run:
    """Results of a run of some seconds. Processor time in milliseconds for each message."""

    messages_per_s: float
    receipts_per_s: float
    reply_s: float
    pause_s: float
    workers_ms: float
    database_ms: float

    @property
    def row(self) -> list[str]:
        times = [self.messages_per_s, self.receipts_per_s, self.reply_s, self.pause_s]
        return [number(figure) for figure in [*times, self.workers_ms, self.database_ms]]


def measure_campaigns(*, seconds: float) -> Chapter:
    """Measure runs of some seconds each. Deletes the company that it makes."""
    members = MEMBERS if seconds >= 1 else 2000  # tests are in a hurry
    chapter = Chapter("9. Campaigns", [ABOUT])
    runs: dict[str, Run] = {}
    show_step("campaign: members")
    with running_campaign(members=members) as campaign:
        for name, options in {
            f"{WORKERS}": [],
            f"{WORKERS}, `--only texts,campaigns`": ["--only", "texts,campaigns"],
        }.items():
            show_step(f"campaign: {name} workers")
            runs[name] = _run(campaign, options, seconds)
        show_step("campaign: the console provider's share")
        share = _console_share(campaign, seconds)
        show_step("campaign: a resting line")
        idle, backlog = _buffers_of_resting_line(campaign, min(BACKLOG, members))
    chapter.add_table(HEAD, [[name, *run.row] for name, run in runs.items()])
    chapter.parts.append(f"The console provider itself takes {share:.0f} % of a worker's time for sending.")
    chapter.parts.append(ABOUT_IDLE)
    chapter.add_table(
        ["queued messages of the resting line", "buffers"], [["0", str(idle)], [f"{BACKLOG:,}", str(backlog)]]
    )
    everything, alone = runs.values()
    chapter.goals += [
        Goal("campaign messages a second, two workers for `texts`", GOAL_RATE, alone.messages_per_s, "", at_least=True),
        Goal(
            "campaign messages a second, two workers for all jobs",
            GOAL_RATE,
            everything.messages_per_s,
            "",
            at_least=True,
        ),
        Goal("a reply during a campaign, 95 %", GOAL_REPLY_S, max(run.reply_s for run in runs.values()), "s"),
        Goal("a pause takes hold within", GOAL_PAUSE_S, max(run.pause_s for run in runs.values()), "s"),
        Goal("buffers for a resting line's backlog", 20, backlog - idle, ""),
    ]
    return chapter


def _run(campaign: Campaign, options: Sequence[str], seconds: float) -> Run:
    with all_tenants():
        Campaign.objects.filter(pk=campaign.pk).update(status="running", feed_at=timezone.now())
        own = Message.objects.filter(membership__campaign=campaign)
        before = own.filter(status__in=SENT).count()
    other_sessions = backends()
    with ExitStack() as stack:
        workers = [stack.enter_context(_worker(options)) for _ in range(WORKERS)]
        _wait_until(lambda: _count(own.filter(status__in=SENT)) > before)
        time.sleep(min(2.0, seconds))  # the workers load the rest of the product, and receipts are due
        sessions, pids = backends() - other_sessions, [worker.pid for worker in workers]
        cpu, begin = [cpu_seconds(pids), cpu_seconds(sessions)], timezone.now()
        _write_replies(campaign, seconds)
        end = timezone.now()
        cpu = [cpu_seconds(pids) - cpu[0], cpu_seconds(sessions) - cpu[1]]
        pause_s = _pause(campaign)
    with all_tenants():
        sent = own.filter(sent_at__range=(begin, end)).count()
        receipts = WebhookEvent.objects.filter(company=campaign.company_id, processed_at__range=(begin, end)).count()
    elapsed = (end - begin).total_seconds()
    return Run(
        messages_per_s=sent / elapsed,
        receipts_per_s=receipts / elapsed,
        reply_s=_reply_s(campaign, begin),
        pause_s=pause_s,
        workers_ms=1000 * cpu[0] / max(sent, 1),
        database_ms=1000 * cpu[1] / max(sent, 1),
    )


@contextmanager
def _worker(options: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "work", *options],
        cwd=settings.BASE_DIR,
        env=os.environ
        | {
            "DATABASE_URL": database_url(),
            "SMS_BACKEND": "console",
            "SMS_PER_SECOND": str(PER_SECOND),
            "DEBUG": "false",
        },
        stdout=subprocess.DEVNULL,
    )
    with process:
        try:
            yield process
        finally:
            process.terminate()


def _write_replies(campaign: Campaign, seconds: float) -> None:
    """Write replies to contacts from the end of the campaign, for so many seconds."""
    with all_tenants():
        contacts = list(Contact.objects.filter(company=campaign.company_id).order_by("-pk")[:1000])
        line = PhoneLine.objects.select_related("company").get(company=campaign.company_id)
    begin = time.monotonic()
    for turn in range(max(1, int(seconds / REPLY_EVERY_S))):
        time.sleep(max(0.0, begin + turn * REPLY_EVERY_S - time.monotonic()))
        with tenant(campaign.company_id):
            contact = contacts[turn % len(contacts)]
            queue_message(contact=contact, line=line, body="Tuesday at 9?", kind=MessageKind.REPLY)


def _reply_s(campaign: Campaign, since: datetime) -> float:
    """Return the time within which 95 % of the replies since then left."""
    with all_tenants():
        replies = Message.objects.filter(company=campaign.company_id, kind=MessageKind.REPLY, created_at__gte=since)
        times = [
            ((sent_at or timezone.now()) - created_at).total_seconds()
            for created_at, sent_at in replies.values_list("created_at", "sent_at")
        ]
    return quantiles(times * 2, n=20, method="inclusive")[-1]


def _pause(campaign: Campaign) -> float:
    """Pause the campaign. Return how long messages still departed after it was committed."""
    with tenant(campaign.company_id):
        pause_campaign(campaign=campaign)
    paused_at = timezone.now()
    time.sleep(3)
    with all_tenants():
        last = Message.objects.filter(membership__campaign=campaign, sent_at__gt=paused_at).exclude(status="queued")
        times = [(sent_at - paused_at).total_seconds() for sent_at in last.values_list("sent_at", flat=True) if sent_at]
    return max(times, default=0.0)


def _console_share(campaign: Campaign, seconds: float) -> float:
    """Send in this process. Return the percentage of the time that the console provider takes."""
    with all_tenants():
        Campaign.objects.filter(pk=campaign.pk).update(status="running")
    queue_campaign_messages(campaign=campaign, count=2000)
    in_provider, in_all, send, end = 0.0, 0.0, ConsoleClient.send, time.monotonic() + seconds

    def timed(client: ConsoleClient, *, line: Line, to: str, body: str) -> SentMessage:
        nonlocal in_provider
        began = time.perf_counter()
        try:
            return send(client, line=line, to=to, body=body)
        finally:
            in_provider += time.perf_counter() - began

    with (
        patch.object(ConsoleClient, "send", timed),
        override_settings(**SETTINGS),
        Path(os.devnull).open("w") as nowhere,
        redirect_stdout(nowhere),
    ):
        while time.monotonic() < end:
            began = time.perf_counter()
            if send_next_messages():
                in_all += time.perf_counter() - began
    return 100 * in_provider / in_all if in_all else 0.0


def _buffers_of_resting_line(campaign: Campaign, backlog: int) -> tuple[int, int]:
    """Return the buffers of finding the ready lines, before and after the backlog of a line that rests."""
    with all_tenants():
        PhoneLine.objects.filter(company=campaign.company_id).update(next_send_at=timezone.now() + timedelta(hours=1))
        Message.objects.filter(phone_line=campaign.phone_line_id, status="queued").update(status="failed", run_at=None)
    execute("VACUUM ANALYZE message_threads")  # as autovacuum does
    with all_tenants():
        before = buffers_read(lambda: find_ready_lines(timezone.now()))
    queue_campaign_messages(campaign=campaign, count=backlog)
    execute("VACUUM ANALYZE message_threads")
    with all_tenants():
        return before, buffers_read(lambda: find_ready_lines(timezone.now()))


def _count(rows: Any) -> int:
    with all_tenants():
        return int(rows.count())


def _wait_until(is_done: Callable[[], bool], within_s: float = 60) -> None:
    end = time.monotonic() + within_s
    while not is_done():
        if time.monotonic() > end:
            raise RuntimeError("The workers send nothing.")
        time.sleep(0.1)
