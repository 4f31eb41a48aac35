"""Charts of a campaign's report, from the same numbers as its tables and the API."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from crm.choices import MembershipStatus
from crm.figures import Datum, bars, line
from crm.models import Campaign
from messaging.admin.campaign_panel import members_with
from messaging.services.campaigns.reports import CampaignReport
from messaging.services.campaigns.statistics import Proportion

MAX_HOURS = 72  # the last of them: a line with more has no room for its markers


def draw_report(report: CampaignReport, campaign: Campaign) -> SafeString:
    """Return what came of the campaign as bars, its texts side by side, and its messages by hour."""
    drawn = [_draw_outcomes(report, campaign)]
    if len(report.by_variant) > 1:
        drawn.append(_draw_variants(report))
    if len(report.by_hour) > 1:
        drawn.append(_draw_hours(report, campaign))
    return format_html('<div class="campaign-charts">{}</div>', format_html_join("", "{}", ((each,) for each in drawn)))


def _draw_outcomes(report: CampaignReport, campaign: Campaign) -> SafeString:
    total = report.total
    results = (
        ("Replies", total.replies, "good", MembershipStatus.REPLIED),
        ("Bookings", total.bookings, "good", None),
        ("Opt-outs", total.opt_outs, "bad", MembershipStatus.OPTED_OUT),
        ("Failures", total.failures, "bad", MembershipStatus.FAILED),
    )
    data = [
        Datum(label, share.count, _share(share), members_with(campaign, status) if status and share.count else "", tone)
        for label, share, tone, status in results
    ]
    replied = total.replies
    headline = (
        f"{100 * replied.rate:.1f} % of {replied.of:,} contacts have replied"
        if replied.rate is not None
        else "Nobody has got a message yet"
    )
    return bars("campaign-outcomes", headline, data, columns=("Result", "Contacts"))


def _draw_variants(report: CampaignReport) -> SafeString:
    data = [
        Datum(f"Text {name.upper()}", outcome.replies.rate and 100 * outcome.replies.rate, _share(outcome.replies))
        for name, outcome in report.by_variant.items()
    ]
    headline = report.test.sentence if report.test else "Replies by text"
    return bars("campaign-texts", headline, data, columns=("Text", "Replies"))


def _draw_hours(report: CampaignReport, campaign: Campaign) -> SafeString:
    hours = list(report.by_hour.items())[-MAX_HOURS:]
    data = [Datum(f"{at:%a %Y-%m-%d %H:00}", outcome.recipients) for at, outcome in hours]
    at, busiest = max(hours, key=lambda hour: hour[1].recipients)
    headline = f"Most messages left on {at:%a %Y-%m-%d} from {at:%H:00 %Z} on: {busiest.recipients:,}"
    most = max(busiest.recipients, 1)
    columns = (f"Hour ({campaign.company.timezone})", "Messages")
    return line("campaign-hours", headline, data, columns=columns, most=most)


def _share(share: Proportion) -> str:
    return f"{share.count:,}" if share.rate is None else f"{share.count:,} ({100 * share.rate:.1f} %)"
