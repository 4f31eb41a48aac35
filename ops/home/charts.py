"""The charts of a company's day: which numbers each shows, what its headline says, and where its rows are."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from analytics.dashboard import percentage
from analytics.models import CallObjection
from calls.choices import AppointmentStatus, CallStatus
from calls.models import Appointment, Call
from crm.choices import MembershipStatus
from crm.date_ranges import start_of
from crm.figures import Datum, bars, line, progress, sparkline, stacked_bars, table
from crm.models import Campaign, CampaignMembership
from messaging.choices import TEXT_STATES
from messaging.models import Message
from ops.home.links import list_of

if TYPE_CHECKING:
    from ops.home.today import Numbers

APPOINTMENT_TONES = {
    AppointmentStatus.COMPLETED: "good", AppointmentStatus.CONFIRMED: "good", AppointmentStatus.SCHEDULED: "waiting",
    AppointmentStatus.NO_SHOW: "bad",
}  # fmt: skip
TEXT_TONES = {"sent": "good", "waiting": "waiting", "lost": "bad"}
# In the order of a membership's life from its end.
MEMBERS = {
    MembershipStatus.REPLIED: "good", MembershipStatus.DELIVERED: "good", MembershipStatus.SENT: "good",
    MembershipStatus.SENDING: "waiting", MembershipStatus.FAILED: "bad", MembershipStatus.UNDELIVERED: "bad",
    MembershipStatus.SKIPPED: "plain", MembershipStatus.OPTED_OUT: "plain", MembershipStatus.PENDING: "waiting",
}  # fmt: skip


def draw_calls(numbers: "Numbers") -> list[SafeString]:
    """Draw the calls of the day by status, and the booking rate of the month."""
    start, end = numbers.bounds
    by_status = numbers.metrics["by_status"]
    data = [
        Datum(
            status.label,
            by_status[status],
            url=list_of(
                Call,
                company__id__exact=numbers.company.pk,
                created_at__gte=start,
                created_at__lt=end,
                status__exact=status,
            ),
            tone=status.color,
        )
        for status in CallStatus
        if by_status[status]
    ]
    total, missed = numbers.metrics["total"], by_status[CallStatus.MISSED]
    headline = f"{say_number(total, 'call')} today, {missed:,} missed" if total else "No calls yet today"
    trend = sparkline(f"Calls a day in the last {len(numbers.calls_by_day)} days", numbers.calls_by_day)
    title = format_html('{} <span class="figure-trend">{} 30 days</span>', headline, trend)
    days = zip(numbers.period.days, numbers.calls_by_day, strict=True)
    by_day = table(("Day", "Calls"), ((day.isoformat(), Datum("", calls)) for day, calls in days))
    return [bars("calls", title, data, columns=("Status", "Calls"), more=by_day), _draw_booking_rate(numbers)]


def _draw_booking_rate(numbers: "Numbers") -> SafeString:
    days = numbers.booking_rate
    data = [
        Datum(
            day["date"].isoformat(),
            day["rate"],
            text="" if day["rate"] is None else f"{day['rate']:.0f} %",
            url=list_of(
                Call,
                company__id__exact=numbers.company.pk,
                created_at__gte=start_of(day["date"], numbers.period.zone),
                created_at__lt=start_of(day["date"] + timedelta(days=1), numbers.period.zone),
                lead__isnull=False,
            ),
        )
        for day in days
    ]
    booked, qualified = sum(day["booked"] for day in days), sum(day["qualified"] for day in days)
    rate = percentage(booked, qualified)
    headline = (
        "No qualified calls in the last 30 days"
        if rate is None
        else f"{rate:.0f} % of the qualified calls of the last 30 days are booked: {booked:,} of {qualified:,}"
    )
    return line("booking-rate", headline, data, columns=("Day", "Booking rate"), most=100, unit=" %")


def draw_appointments(numbers: "Numbers") -> list[SafeString]:
    start, end = numbers.bounds
    data = [
        Datum(
            status.label,
            numbers.appointments[status],
            url=list_of(
                Appointment,
                company__id__exact=numbers.company.pk,
                scheduled_start__gte=start,
                scheduled_start__lt=end,
                status__exact=status,
            ),
            tone=APPOINTMENT_TONES.get(status, "plain"),
        )
        for status in AppointmentStatus
        if numbers.appointments[status]
    ]
    total = sum(numbers.appointments.values())
    still = numbers.appointments[AppointmentStatus.SCHEDULED] + numbers.appointments[AppointmentStatus.CONFIRMED]
    headline = f"{say_number(total, 'appointment')} today, {still:,} still open" if total else "No appointments today"
    return [progress("appointments", headline, data, columns=("Status", "Appointments"))]


def draw_texts(numbers: "Numbers") -> list[SafeString]:
    start, end = numbers.bounds
    of_day = {
        "company__id__exact": numbers.company.pk,
        "activity__created_at__gte": start,
        "activity__created_at__lt": end,
    }
    return [draw_text_states(numbers.texts, lambda state: list_of(Message, **of_day, state=state))]


def draw_text_states(by_status: Mapping[str, int], url_of: Callable[[str], str] | None = None) -> SafeString:
    """Draw the day's outgoing messages by what people call their state."""
    sums = {state: sum(by_status.get(status, 0) for status in statuses) for state, (_, statuses) in TEXT_STATES.items()}
    data = [
        Datum(TEXT_STATES[state][0], number, tone=TEXT_TONES[state], url=url_of(state) if url_of and number else "")
        for state, number in sums.items()
    ]
    total = sum(sums.values())
    headline = f"{say_number(total, 'text')} today, {sums['lost']:,} not delivered" if total else "No texts today"
    rows = {"Outgoing": data} if total else {}
    return stacked_bars("texts", headline, rows, columns=("Direction", "State", "Texts"))


def draw_objections(numbers: "Numbers") -> list[SafeString]:
    start, end = numbers.period.closed_bounds
    ranked = numbers.objections["objections"]
    data = [
        Datum(
            each["label"].capitalize(),
            each["count"],
            text=f"{each['count']:,} ({each['percentage']:.0f} %)",
            url=list_of(
                CallObjection,
                company__id__exact=numbers.company.pk,
                label__exact=each["label"],
                analyzed_at__gte=start,
                analyzed_at__lt=end,
            ),
        )
        for each in ranked
    ]
    headline = (
        f"“{data[0].label}” is the most frequent objection of the last 30 days"
        if data
        else "No objections in the last 30 days"
    )
    return [bars("objections", headline, data, columns=("Objection", "Calls"))]


def draw_campaigns(numbers: "Numbers") -> list[SafeString]:
    return [_draw_campaign(campaign, counts) for campaign, counts in numbers.campaigns]


def _draw_campaign(campaign: Campaign, counts: Any) -> SafeString:
    data = [
        Datum(
            status.label,
            counts[status],
            tone=tone,
            url=list_of(CampaignMembership, campaign__id__exact=campaign.pk, status__exact=status),
        )
        for status, tone in MEMBERS.items()
        if counts[status]
    ]
    total = sum(counts.values())
    done = total - counts[MembershipStatus.PENDING] - counts[MembershipStatus.SENDING]
    link = format_html('<a href="{}">{}</a>', reverse("admin:crm_campaign_change", args=[campaign.pk]), campaign.name)
    percent = 100 * done // total if total else 0
    headline = format_html("{} runs: {} % of {} contacts done", link, percent, f"{total:,}")
    return progress(f"campaign-{campaign.pk}", headline, data, columns=("State", "Contacts"))


def say_number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


# By the model whose permission a user needs.
CHARTS: dict[type[Model], Callable[["Numbers"], list[SafeString]]] = {
    Call: draw_calls,
    Appointment: draw_appointments,
    Message: draw_texts,
    CallObjection: draw_objections,
    Campaign: draw_campaigns,
}
