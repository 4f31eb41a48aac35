"""What waits for a person of the company. Reckoned each time from the rows themselves, a bounded query each."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils import timezone

from crm.choices import OptOutState
from crm.date_ranges import start_of, today_in
from crm.db.tenancy import current_company_id
from crm.models import OptOut, PhoneLine
from messaging.choices import EventStatus, MessageStatus
from messaging.models import Message, WebhookEvent

MAX_COUNTED = 100
MAX_LINES = 20
LONG_UNKNOWN = timedelta(minutes=15)  # by then the provider was asked, more than once, what became of a text


class NoticeKind(StrEnum):
    UNNAMED_LINE = "unnamed_line"
    PAUSED_LINE = "paused_line"
    DEAD_DELIVERIES = "dead_deliveries"
    OPT_OUTS_UNDER_REVIEW = "opt_outs_under_review"
    TEXTS_UNKNOWN = "texts_unknown"
    TEXTS_FAILED_TODAY = "texts_failed_today"


@dataclass(frozen=True)
class Notice:
    kind: NoticeKind
    count: int
    message: str
    url: str


def list_notices(*, zone: ZoneInfo) -> list[Notice]:
    """All that waits for a person of the company entered, whose days are those of `zone`.

    Nothing is noted anywhere: what has been seen to is gone by itself.
    """
    return [*_lines(), *_deliveries(), *_opt_outs(), *_texts(zone)]


def _lines() -> list[Notice]:
    unnamed = PhoneLine.objects.unnamed().order_by("-created_at", "-id")[:MAX_LINES]
    paused = PhoneLine.objects.filter(paused_until__gt=timezone.now()).order_by("-created_at", "-id")[:MAX_LINES]
    return [
        *(
            Notice(NoticeKind.UNNAMED_LINE, 1, f"Name this line: {line.number or line.provider_id}.", _url_of(line))
            for line in unnamed
        ),
        *(
            Notice(
                NoticeKind.PAUSED_LINE,
                1,
                f"Nothing leaves over {line.name or line.number} before {line.paused_until:%Y-%m-%d %H:%M} UTC: "
                f"{line.pause_reason}",
                _url_of(line),
            )
            for line in paused
        ),
    ]


def _deliveries() -> list[Notice]:
    dead = WebhookEvent.objects.with_status(EventStatus.DEAD)
    newest = dead.order_by("-created_at", "-id").only("error").first()
    if newest is None:
        return []
    message = f"Deliveries that could not be dealt with. The newest: {newest.error}"
    return [Notice(NoticeKind.DEAD_DELIVERIES, _count(dead), message, "/api/v1/webhook-events?status=dead")]


def _opt_outs() -> list[Notice]:
    return _notice(
        NoticeKind.OPT_OUTS_UNDER_REVIEW,
        OptOut.objects.filter(state=OptOutState.UNDER_REVIEW),
        "These may have said that they want no texts. Until somebody decides, they get none.",
        "/api/v1/opt-outs?state=under_review",
    )


def _texts(zone: ZoneInfo) -> list[Notice]:
    # Through the history, which has an index by company and time.
    failed = Message.objects.filter(
        activity__company=current_company_id(),
        activity__created_at__gte=start_of(today_in(zone), zone),
        status__in=[MessageStatus.FAILED, MessageStatus.UNDELIVERED],
    )
    unknown = Message.objects.filter(
        status=MessageStatus.UNKNOWN, run_at__isnull=False, created_at__lt=timezone.now() - LONG_UNKNOWN
    )
    url = "/api/v1/conversations?order=recent"
    return [
        *_notice(NoticeKind.TEXTS_UNKNOWN, unknown, "Nobody knows whether these texts have left.", url),
        *_notice(NoticeKind.TEXTS_FAILED_TODAY, failed, "These texts of today did not arrive.", url),
    ]


def _notice(kind: NoticeKind, rows: QuerySet, message: str, url: str) -> list[Notice]:
    count = _count(rows)
    return [Notice(kind, count, message, url)] if count else []


def _count(rows: Any) -> int:
    return rows.order_by()[:MAX_COUNTED].count()


def _url_of(line: PhoneLine) -> str:
    return f"/api/v1/phone-lines/{line.pk}"
