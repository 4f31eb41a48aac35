"""Admin for leads, with a page that draws their conversion by source and by assignee."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from analytics.dashboard.leads import lead_conversion
from crm.admin.leads import LeadAdmin
from crm.date_ranges import DateRange, InvalidDay, parse_day, today_in
from crm.db.tenancy import tenant
from crm.figures import Datum, bars
from crm.form_fields import is_id
from crm.models import Company, Lead

DAYS = 30
MAX_COMPANIES = 90  # in the choice; any other is found by its ID
MAX_BARS = 12


@admin.register(Lead)
class LeadPageAdmin(LeadAdmin):
    """The table of leads, with a link to their conversion."""

    change_list_template = "admin/crm/lead/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.conversion_view)
        return [path("conversion", view, name="crm_lead_conversion"), *super().get_urls()]

    def conversion_view(self, request: HttpRequest) -> HttpResponse:
        """Show the conversion of a company's leads, in the company's days."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        companies = list(Company.objects.order_by("name", "pk")[:MAX_COMPANIES])
        chosen = request.GET.get("company", "")
        company = Company.objects.filter(pk=chosen).first() if is_id(chosen) else None
        company = company or next(iter(companies), None)
        context = self.admin_site.each_context(request) | {
            "title": f"Conversion of leads: {company}" if company else "Conversion of leads",
            "opts": self.opts,
            "companies": companies,
            "company": company,
        }
        if company:
            period = _period_of(request, company)
            with tenant(company.pk):
                shown = lead_conversion(period)
            context |= {"period": period, "conversion": shown, "charts": draw_conversion(shown, company, period)}
        return TemplateResponse(request, "admin/crm/lead/conversion.html", context)


def draw_conversion(shown: Mapping[str, Any], company: Company, period: DateRange) -> list[SafeString]:
    """Draw the conversion rates by source and by assignee, of the groups with the most leads."""
    start, end = period.closed_bounds
    days = {"created_at__gte": start.isoformat(), "created_at__lt": end.isoformat()}
    of_period = {"company__id__exact": company.pk} | days

    def draw(name: str, noun: str, groups: list[tuple[str, Mapping[str, Any], dict[str, Any]]]) -> SafeString:
        data = [
            Datum(
                label or "Unknown",
                group["conversion_rate"],
                text=f"{group['conversion_rate']:g} % ({group['won']:,} of {group['leads']:,})",
                url=f"{reverse('admin:crm_lead_changelist')}?{urlencode(of_period | filters)}",
                tone="good" if group["won"] else "plain",
            )
            for label, group, filters in groups[:MAX_BARS]
        ]
        label, best, _ = max(groups, key=lambda each: int(each[1]["won"]))
        headline = (
            f"Most won leads by {noun}: “{label or 'Unknown'}”, {best['won']:,} of {shown['won']:,}"
            if best["won"]
            else f"No lead is won yet, by {noun}"
        )
        return bars(name, headline, data, columns=(noun.capitalize(), "Conversion rate"))

    sources = [(each["source"], each, {"source__exact": each["source"]}) for each in shown["by_source"]]
    people = [
        (
            each["assignee_name"] or "Nobody",
            each,
            {"assignee__id__exact": each["assignee"]} if each["assignee"] else {"assignee__isnull": True},
        )
        for each in shown["by_assignee"]
    ]
    return [draw("by-source", "source", sources), draw("by-assignee", "assignee", people)] if shown["leads"] else []


def _period_of(request: HttpRequest, company: Company) -> DateRange:
    """Return the days of the request, if both are days in order; else the last DAYS."""
    last = today_in(company.zone)
    first = last - timedelta(days=DAYS - 1)
    try:
        days = parse_day(request.GET.get("from", "")), parse_day(request.GET.get("to", ""))
    except InvalidDay:
        days = first, last
    return DateRange(*(days if days[0] <= days[1] else (first, last)), company.zone)
