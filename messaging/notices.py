"""Notices: open issues for managers, CSRs and reps, computed on request with bounded queries."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from calls.choices import Due, TextBack
from calls.models import AppointmentProposal, MissedCaller, Task
from crm.choices import CampaignStatus, OptOutState, OutgoingStatus, Role
from crm.date_ranges import start_of, today_in
from crm.db.tenancy import current_company_id
from crm.models import Campaign, OptOut, OutgoingEvent, OutgoingWebhook, PhoneLine, User
from crm.query_slots import failing_rollups
from messaging.choices import LOST, EventStatus, MessageStatus
from messaging.models import AppointmentReminder, Message, ProviderHealth, WebhookEvent

MAX_COUNTED = 100
MAX_LINES = 20
UNKNOWN_FOR = timedelta(minutes=15)  # by then the message was looked up more than once


class NoticeKind(StrEnum):
    UNNAMED_LINE = "unnamed_line"
    PAUSED_LINE = "paused_line"
    DEAD_EVENTS = "dead_deliveries"
    OPT_OUTS_UNDER_REVIEW = "opt_outs_under_review"
    HELD_MESSAGES = "texts_held"
    PROVIDER_DOWN = "provider_down"
    UNKNOWN_MESSAGES = "texts_unknown"
    FAILED_TODAY = "texts_failed_today"
    FAILED_TEXT_BACKS = "text_backs_failed"
    RESCHEDULE_REQUESTS = "reschedule_requests"
    RESCHEDULE_PROPOSALS = "reschedule_proposals"
    FAILING_ROLLUP = "daily_totals_failing"
    CAMPAIGN_PAUSED = "campaign_paused"
    OUTGOING_WEBHOOK_OFF = "outgoing_webhook_off"
    DEAD_OUTGOING_EVENTS = "outgoing_events_dead"
    OVERDUE_TASKS = "tasks_overdue"


@dataclass(frozen=True)
class Notice:
    kind: NoticeKind
    count: int
    message: str
    url: str


def list_notices(*, zone: ZoneInfo, role: Role = Role.MANAGER, user: User | None = None) -> list[Notice]:
    """Return the open issues of the active company, with today in `zone`. Solved issues disappear by themselves.

    CSRs have those that they can solve, reps their own overdue tasks; overdue tasks of others are those of `user`, and
    those of nobody.
    """
    if role == Role.REP:
        return _tasks(zone, user, also_of_nobody=False)
    if role == Role.CSR:
        return [*_opt_outs(), *_text_backs(zone), *_reschedules(), *_tasks(zone, user)]
    return [
        *_lines(),
        *_providers(),
        *_dead_events(),
        *_opt_outs(),
        *_messages(zone),
        *_text_backs(zone),
        *_reschedules(),
        *_rollup(),
        *_campaigns(),
        *_outgoing_webhooks(),
        *_tasks(zone, user),
    ]


def _lines() -> list[Notice]:
    unnamed = PhoneLine.objects.unnamed().order_by("-created_at", "-id")[:MAX_LINES]
    paused = PhoneLine.objects.filter(paused_until__gt=timezone.now()).order_by("-created_at", "-id")[:MAX_LINES]
    return [
        *(
            Notice(
                NoticeKind.UNNAMED_LINE,
                1,
                f"New phone line {line.number or line.provider_id} needs a name.",
                _url_of(line),
            )
            for line in unnamed
        ),
        *(
            Notice(
                NoticeKind.PAUSED_LINE,
                1,
                f"{line.name or line.number} is paused until {line.paused_until:%Y-%m-%d %H:%M} UTC: "
                f"{line.pause_reason}",
                _url_of(line),
            )
            for line in paused
        ),
    ]


def _providers() -> list[Notice]:
    down = ProviderHealth.objects.filter(down_since__isnull=False, provider__in=PhoneLine.objects.values("provider"))
    return [
        Notice(
            NoticeKind.PROVIDER_DOWN,
            1,
            f"{health.get_provider_display()} doesn't answer since {health.down_since:%Y-%m-%d %H:%M} UTC. "
            "Messages wait and are sent when it answers again.",
            "/api/v1/phone-lines",
        )
        for health in down.order_by("provider")
    ]


def _dead_events() -> list[Notice]:
    dead = WebhookEvent.objects.with_status(EventStatus.DEAD)
    newest = dead.order_by("-created_at", "-id").only("error").first()
    if newest is None:
        return []
    message = f"Webhook events failed and need attention. The newest: {newest.error}"
    return [Notice(NoticeKind.DEAD_EVENTS, _count(dead), message, "/api/v1/webhook-events?status=dead")]


def _opt_outs() -> list[Notice]:
    return _notice(
        NoticeKind.OPT_OUTS_UNDER_REVIEW,
        OptOut.objects.filter(state=OptOutState.UNDER_REVIEW),
        "Opt-outs to review. Messages to these numbers are blocked until you decide.",
        "/api/v1/opt-outs?state=under_review",
    )


def _messages(zone: ZoneInfo) -> list[Notice]:
    # Through activities, which have an index by company and time.
    failed = Message.objects.filter(
        activity__company=current_company_id(),
        activity__created_at__gte=start_of(today_in(zone), zone),
        status__in=LOST,
    ).not_cancelled()
    unknown = Message.objects.filter(
        status=MessageStatus.UNKNOWN, run_at__isnull=False, created_at__lt=timezone.now() - UNKNOWN_FOR
    )
    url = "/api/v1/conversations?order=recent"
    return [
        *_notice(
            NoticeKind.HELD_MESSAGES,
            Message.objects.filter(status=MessageStatus.HELD),
            "Messages are held until somebody decides: they are too late, or the contact has replied.",
            "/api/v1/held-messages",
        ),
        *_notice(
            NoticeKind.UNKNOWN_MESSAGES,
            unknown,
            "It is unknown whether these messages were sent. Check them at the provider.",
            url,
        ),
        *_notice(NoticeKind.FAILED_TODAY, failed, "Messages of today were not delivered.", url),
    ]


def _text_backs(zone: ZoneInfo) -> list[Notice]:
    missed_today = MissedCaller.objects.filter(last_missed_at__gte=start_of(today_in(zone), zone))
    return _notice(
        NoticeKind.FAILED_TEXT_BACKS,
        missed_today.filter(text_back=TextBack.FAILED),
        "Missed callers of today got no text back because of an internal error. Call them back.",
        "/api/v1/missed-calls?recovered=false",
    )


def _reschedules() -> list[Notice]:
    return [
        *_notice(
            NoticeKind.RESCHEDULE_REQUESTS,
            AppointmentReminder.objects.reschedule_requests(timezone.now()),
            "Contacts ask for another time of their appointment. Call them, and move or cancel it.",
            "/api/v1/appointment-reminders?reschedule=true",
        ),
        *_notice(
            NoticeKind.RESCHEDULE_PROPOSALS,
            AppointmentProposal.objects.open(),
            "Reps propose another time for their appointments. Accept the proposals, or decline them.",
            "/api/v1/appointment-proposals?status=open",
        ),
    ]


def _rollup() -> list[Notice]:
    return _notice(
        NoticeKind.FAILING_ROLLUP,
        failing_rollups(settings.WORKER_MAX_TRIES),
        "The daily totals of calls can't be counted. The dashboard stays exact, but is slower. Tell the support.",
        "/api/v1/dashboard/metrics",
    )


def _campaigns() -> list[Notice]:
    """Return a notice of each campaign that paused itself, or could not start: a person resumes it."""
    stopped = Campaign.objects.filter(status__in=[CampaignStatus.PAUSED, CampaignStatus.DRAFT]).exclude(
        status_reason=""
    )
    return [
        Notice(
            NoticeKind.CAMPAIGN_PAUSED,
            1,
            f"Campaign {campaign.name} waits for you: {campaign.status_reason}",
            f"/api/v1/campaigns/{campaign.pk}",
        )
        for campaign in stopped.order_by("-created_at", "-id")[:MAX_LINES]
    ]


def _outgoing_webhooks() -> list[Notice]:
    disabled = OutgoingWebhook.objects.filter(is_active=False).exclude(disabled_reason="")
    return [
        *(
            Notice(
                NoticeKind.OUTGOING_WEBHOOK_OFF,
                1,
                f"The outgoing webhook {name} was switched off: {reason} Mend the receiver, and switch it on again.",
                f"/api/v1/outgoing-webhooks/{pk}",
            )
            for pk, name, reason in disabled.order_by("pk").values_list("pk", "name", "disabled_reason")[:MAX_LINES]
        ),
        *_notice(
            NoticeKind.DEAD_OUTGOING_EVENTS,
            OutgoingEvent.objects.filter(status=OutgoingStatus.DEAD),
            "Outgoing events have failed for three days. Mend the receiver, and send them again.",
            "/api/v1/outgoing-events?status=dead",
        ),
    ]


def _tasks(zone: ZoneInfo, user: User | None, *, also_of_nobody: bool = True) -> list[Notice]:
    rows, whose = Task.objects.due([Due.OVERDUE], zone=zone), "due=overdue"
    if user is not None and also_of_nobody:
        rows, whose = rows.filter(Q(assignee=user) | Q(assignee=None)), f"{whose}&assignee=me&assignee=none"
    elif user is not None:
        rows, whose = rows.filter(assignee=user), f"{whose}&assignee=me"
    message = "Tasks are overdue. Do them and mark them as done, or give them another time."
    return _notice(NoticeKind.OVERDUE_TASKS, rows, message, f"/api/v1/tasks?{whose}")


def _notice(kind: NoticeKind, rows: QuerySet, message: str, url: str) -> list[Notice]:
    count = _count(rows)
    return [Notice(kind, count, message, url)] if count else []


def _count(rows: Any) -> int:
    return rows.order_by()[:MAX_COUNTED].count()


def _url_of(line: PhoneLine) -> str:
    return f"/api/v1/phone-lines/{line.pk}"
