"""Rows that wait for staff, counted for all companies with one statement, up to a limit, through partial indexes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.timesince import timesince
from django.utils.timezone import now

from calls.models import Attachment, MissedCaller
from calls.models.attachments import SHOWN_AS_FAILED
from crm.choices import ConversationStatus, DuplicateState, MailState, OptOutState
from crm.models import Company, Conversation, DuplicateCandidate, Import, Mail, OptOut, PhoneLine, WorkerHeartbeat
from crm.services.heartbeats import LIVE_FOR
from messaging.choices import EventStatus, MessageStatus
from messaging.models import Message, WebhookEvent
from ops.home.links import list_of, may_view

MAX_COUNTED = 1000
IMPORTS_OF = timedelta(days=7)
TEXTS_OF = timedelta(days=1)


@dataclass(frozen=True)
class Waiting:
    """One kind of rows that wait.

    Attributes:
        time: since when a row waits; empty if it doesn't say.
        by_company: whether the index begins with the company, so that the oldest row is looked up in each.
        absent: whether staff are needed if there is no such row.
    """

    title: str
    note: str
    rows: Any
    url: str
    time: str = ""
    by_company: bool = False
    absent: bool = False


@dataclass(frozen=True)
class Need:
    """Rows that wait, counted."""

    title: str
    note: str
    url: str
    figure: str
    age: str


def list_needs(request: HttpRequest) -> list[Need]:
    """Return what waits, of the tables that the user may see. What is done disappears by itself."""
    kinds = [each for each in kinds_of_needs() if may_view(request, each.rows.model)]
    return [
        Need(
            kind.title,
            kind.note,
            kind.url,
            f"{MAX_COUNTED:,}+" if count > MAX_COUNTED else f"{count:,}",
            say_age(oldest),
        )
        for kind, count, oldest in count_each(kinds)
        if bool(count) != kind.absent
    ]


def say_age(instant: datetime | None) -> str:
    """Return the time since then in its largest unit, such as `3 days`; "" without one."""
    if instant is None:
        return ""
    return timesince(instant, depth=1) if now() - instant >= timedelta(minutes=1) else "less than a minute"


def kinds_of_needs() -> list[Waiting]:
    moment = now()
    imports_since, dead_workers = moment - IMPORTS_OF, moment - LIVE_FOR
    return [
        Waiting(
            "Conversations wait for a reply",
            "answer or close them",
            Conversation.objects.filter(status=ConversationStatus.WAITING),
            list_of(Conversation, inbox="waiting"),
            "last_activity_at",
        ),
        Waiting(
            "Missed callers",
            "not reached yet",
            MissedCaller.objects.waiting(),
            list_of(MissedCaller, work="waiting"),
            "last_missed_at",
        ),
        Waiting(
            "Opt-outs to review",
            "texting is blocked until you decide",
            OptOut.objects.filter(state=OptOutState.UNDER_REVIEW),
            list_of(OptOut, state__exact=OptOutState.UNDER_REVIEW),
            "created_at",
            by_company=True,
        ),
        Waiting(
            "Held messages",
            "release or cancel them",
            Message.objects.filter(status=MessageStatus.HELD),
            list_of(Message, held=1),
            "created_at",
            by_company=True,
        ),
        Waiting(
            "Texts not delivered",
            "in the last 24 hours",
            Message.objects.lost_since(moment - TEXTS_OF),
            list_of(Message, lost="day"),
            "created_at",
        ),
        Waiting(
            "Attachments not fetched",
            "in the last 7 days: fetch them again",
            Attachment.objects.failed_since(moment - SHOWN_AS_FAILED),
            list_of(Attachment, failed="week"),
            "created_at",
        ),
        Waiting(
            "Failed webhook events",
            "find the reason, then process them again",
            WebhookEvent.objects.with_status(EventStatus.DEAD),
            list_of(WebhookEvent, status__exact=EventStatus.DEAD),
            "created_at",
        ),
        Waiting(
            "Mails not sent",
            "find the reason, then send them again",
            Mail.objects.filter(state=MailState.FAILED),
            list_of(Mail, state__exact=MailState.FAILED),
            "created_at",
        ),
        Waiting(
            "Paused phone lines",
            "nothing leaves over them",
            PhoneLine.objects.filter(paused_until__gt=moment),
            list_of(PhoneLine, paused_until__gte=moment),
            "paused_at",
        ),
        Waiting(
            "New phone lines",
            "need a name",
            PhoneLine.objects.unnamed(),
            list_of(PhoneLine, named="no"),
            "created_at",
        ),
        Waiting(
            "Workers are running",
            "no text leaves and webhook events wait: start one",
            WorkerHeartbeat.objects.filter(seen_at__gte=dead_workers),
            list_of(WorkerHeartbeat, seen_at__gte=dead_workers),
            absent=True,
        ),
        Waiting(
            "Workers without a sign of life",
            "they were killed: look at the server",
            WorkerHeartbeat.objects.filter(seen_at__lt=dead_workers),
            list_of(WorkerHeartbeat, seen_at__lt=dead_workers),
            "seen_at",
        ),
        Waiting(
            "Imports with rejected rows",
            "in the last 7 days",
            Import.objects.filter(rejected__gt=0, dry_run=False, created_at__gte=imports_since),
            list_of(Import, rejected__gte=1, dry_run__exact=0, created_at__gte=imports_since),
            "created_at",
        ),
        Waiting(
            "Duplicate contacts",
            "may be the same person",
            DuplicateCandidate.objects.filter(state=DuplicateState.OPEN),
            list_of(DuplicateCandidate, state__exact=DuplicateState.OPEN),
            "created_at",
        ),
    ]


def count_each(kinds: list[Waiting]) -> Iterator[tuple[Waiting, int, datetime | None]]:
    """Yield the number of each kind's rows, up to one more than MAX_COUNTED, and the time of the oldest."""
    parts, parameters = [], []
    for n, kind in enumerate(kinds):
        counted, values = kind.rows.order_by().values("pk")[: MAX_COUNTED + 1].query.sql_with_params()
        oldest, more = _oldest(kind)
        parts.append(f"SELECT {n} AS kind, (SELECT count(*) FROM ({counted}) AS counted), {oldest}")  # noqa: S608  # compiled by Django
        parameters += [*values, *more]
    if not parts:
        return
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), parameters)
        for n, count, moment in cursor.fetchall():
            yield kinds[n], count, _instant(moment)


def _oldest(kind: Waiting) -> tuple[str, tuple[Any, ...]]:
    if not kind.time:
        return "NULL", ()
    oldest: QuerySet = kind.rows.order_by(kind.time).annotate(time=F(kind.time)).values("time")[:1]
    if kind.by_company:
        of_company = kind.rows.filter(company=OuterRef("pk")).order_by(kind.time).values(kind.time)[:1]
        oldest = Company.objects.order_by().annotate(time=Subquery(of_company)).values("time")
    statement, values = oldest.query.sql_with_params()
    return f"(SELECT min(time) FROM ({statement}) AS oldest)", values  # noqa: S608  # compiled by Django


def _instant(moment: datetime | str | None) -> datetime | None:
    """Return an aware time: SQLite returns the minimum as a text in UTC."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
