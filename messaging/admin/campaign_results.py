"""Estimate, texts and report on the page of a campaign, as charts and tables."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from crm.admin.base.columns import show_money
from crm.db.tenancy import tenant
from crm.models import Campaign, Contact
from messaging.admin.campaign_charts import draw_report
from messaging.services.campaigns.estimates import cost_of, estimate_campaign
from messaging.services.campaigns.previews import preview_texts
from messaging.services.campaigns.recurrence import describe_rule
from messaging.services.campaigns.reports import Outcome, read_report
from messaging.services.campaigns.statistics import Proportion

SHOWN_CONTACTS = 3
OUTCOME_COLUMNS = ("Contacts", "Sent", "Replies", "Bookings", "Opt-outs", "Failures", "SMS segments", "Cost")


class CampaignResults:
    """Read-only fields of a campaign's page."""

    @admin.display(description="Repeats")
    def repeats(self, campaign: Campaign) -> str:
        return describe_rule(campaign.recurrence).capitalize()

    @admin.display(description="Estimate")
    def estimate(self, campaign: Campaign) -> str:
        with tenant(campaign.company_id):
            estimate, currency = estimate_campaign(campaign=campaign), campaign.company.currency
        rows: list[tuple[Any, ...]] = [
            (part.step, part.variant.upper(), f"{part.members:,}", f"{part.sms_segments:,}",
             _money(part.sms_segments, campaign))
            for _, part in sorted(estimate.parts.items())
        ]  # fmt: skip
        rows.append(
            ("All", "", f"{estimate.members:,}", f"{estimate.sms_segments:,}", show_money(estimate.cost, currency))
        )
        problems = [
            (each.attr, each.detail, f"{each.members:,}" if each.members else "") for each in estimate.problems.values()
        ]
        size = estimate.test
        advice = size and (
            f"An A/B test needs {size.needed_per_variant:,} contacts for each text to tell 10 % replies from 15 %. "
            f"This campaign has {size.members_per_variant:,}."
        )
        return format_html(
            "{}{}{}",
            table(("Step", "Text", "Contacts", "SMS segments", "Cost"), rows),
            table(("Text", "Problem", "Contacts"), problems) if problems else "",
            format_html("<p>{}</p>", advice) if advice else "",
        )

    @admin.display(description="Texts of the first contacts")
    def texts(self, campaign: Campaign) -> str:
        previews = preview_texts(campaign=campaign, limit=SHOWN_CONTACTS)
        names = {contact.pk: str(contact) for contact in Contact.objects.filter(pk__in={p.contact for p in previews})}
        rows = [
            (names[each.contact], each.step, each.variant.upper(), each.body or str(each.problem), each.sms_segments,
             each.encoding)
            for each in previews
        ]  # fmt: skip
        head = ("Contact", "Step", "Text", "Message", "SMS segments", "Encoding")
        return table(head, rows) if rows else "No contacts yet."

    @admin.display(description="Report")
    def report(self, campaign: Campaign) -> str:
        report = read_report(campaign=campaign)
        parts: list[tuple[str, Mapping[Any, Outcome]]] = [
            ("Text", {variant.upper(): outcome for variant, outcome in report.by_variant.items()}),
            ("Step", report.by_step),
            (f"Hour ({campaign.company.timezone})", {f"{at:%Y-%m-%d %H:%M}": o for at, o in report.by_hour.items()}),
        ]
        shown = [("", {"All": report.total}), *(part for part in parts if len(part[1]) > 1)]
        tables = [
            table((title, *OUTCOME_COLUMNS), [(name, *_show(outcome, campaign)) for name, outcome in outcomes.items()])
            for title, outcomes in shown
        ]
        is_drawn = len(report.by_variant) > 1  # the verdict is the chart's headline
        verdict = format_html("<p>{}</p>", report.test.sentence) if report.test and not is_drawn else ""
        return format_html(
            '{}{}{}<p class="quiet">In brackets: the 95 % interval of each share.</p>',
            draw_report(report, campaign),
            verdict,
            format_html_join("", "{}", ((each,) for each in tables)),
        )


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> SafeString:
    cells = format_html_join("", '<th scope="col">{}</th>', ((name,) for name in head))
    body = format_html_join(
        "", "<tr>{}</tr>", ((format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows)
    )
    return format_html('<table class="figures"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>', cells, body)


def _show(outcome: Outcome, campaign: Campaign) -> tuple[str, ...]:
    shares = (outcome.replies, outcome.bookings, outcome.opt_outs, outcome.failures)
    return (
        f"{outcome.members:,}",
        f"{outcome.recipients:,}",
        *map(_share, shares),
        f"{outcome.sms_segments:,}",
        _money(outcome.sms_segments, campaign),
    )


def _share(share: Proportion) -> str:
    """Return a share with its 95 % interval."""
    if share.rate is None:
        return ""
    low, high = share.interval
    return f"{share.count:,} of {share.of:,}: {100 * share.rate:.1f} % ({100 * low:.1f}–{100 * high:.1f})"


def _money(sms_segments: int, campaign: Campaign) -> str:
    company = campaign.company
    return show_money(cost_of(sms_segments, company.segment_price_micros), company.currency)
