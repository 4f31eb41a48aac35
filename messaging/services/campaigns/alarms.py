"""Alarms: reasons for which a running campaign pauses itself until a person resumes it."""

from datetime import datetime

from crm.models import Campaign, CampaignMembership
from crm.models.campaigns import OUTCOMES
from messaging.services.campaigns.counts import FAILED, count_results

# Share of opt-outs, and from how many messages on: of fewer, chance alone would reach it. Carriers flag a number at 5 %
# and may suspend it at 10 %.
OPT_OUT_ALARMS = ((0.10, 50), (0.05, 200))
LAST = 50
MAX_FAILED = 10  # of the last ones: 20 %


def find_alarm(*, campaign: Campaign, now: datetime) -> str:
    """Return why the campaign must pause, or "". What a person has seen at the last resumption doesn't count."""
    line = campaign.phone_line
    if line is not None and line.paused_until and line.paused_until > now:
        return f"The phone line was paused: {line.pause_reason or 'the provider rejects messages.'}"
    results = count_results(campaign=campaign)
    sent, opted_out = results.sent - campaign.seen_sent, results.opted_out - campaign.seen_opted_out
    for share, least in OPT_OUT_ALARMS:
        if sent >= least and opted_out >= share * sent:
            found = f"{opted_out} of {sent} contacts have opted out ({opted_out / sent:.0%})."
            return f"{found} Look at the text and audience."
    if results.failed >= MAX_FAILED:
        failed = failed_lately(campaign=campaign, since=campaign.resumed_at or campaign.started_at)
        if failed >= MAX_FAILED:
            return f"{failed} of the last {LAST} messages have failed. Look at their reasons."
    return ""


def failed_lately(*, campaign: Campaign, since: datetime | None) -> int:
    """Return how many of the campaign's last outcomes since then are failures."""
    outcomes = CampaignMembership.objects.filter(campaign=campaign, status__in=OUTCOMES, updated_at__gte=since)
    return sum(status in FAILED for status in outcomes.order_by("-updated_at").values_list("status", flat=True)[:LAST])
