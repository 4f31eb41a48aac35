"""Context of the first page's template."""

from typing import Any

from django.http import HttpRequest
from django.utils.timesince import timesince
from django.utils.timezone import now

from crm.date_ranges import today_in
from crm.models import Company
from messaging.models import WebhookSecret
from ops.home.all_companies import ALL, draw_totals
from ops.home.companies import MAX_SHOWN, choose, list_companies
from ops.home.links import list_of, may_view
from ops.home.needs import list_needs, say_age
from ops.home.today import draw_today
from ops.home.views import list_views

LAG_MINUTES = 1  # a worker that keeps up is seconds behind


def make_home(request: HttpRequest) -> dict[str, Any]:
    """Return what the user may see. The company of the charts is in the URL: `?company=slug`."""
    context: dict[str, Any] = {"needs": list_needs(request), "views": list_views(request)}
    if not may_view(request, Company):
        return context
    slug = request.GET.get("company", "")
    companies = list_companies()
    company = None if slug == ALL else choose(companies, slug)
    context |= {
        "companies": [_row(each) for each in companies[:MAX_SHOWN]],
        "shows_secrets": may_view(request, WebhookSecret),
        "all_companies": list_of(Company),
        "has_more_companies": len(companies) > MAX_SHOWN,
        "choices": companies,
        "company": company,
        "unknown_company": slug if company is None and slug != ALL else "",
        "all": ALL,
        "shows_all": slug == ALL,
    }
    if slug == ALL:
        context["charts"] = draw_totals(request)
    if company is not None:
        context |= {"day": today_in(company.zone), "zone": company.timezone, "charts": draw_today(request, company)}
    return context


def _row(company: Any) -> dict[str, Any]:
    waited = (now() - company.oldest_due).total_seconds() if company.oldest_due else 0
    return {
        "company": company,
        "last_event": say_age(company.last_event),
        "lag": timesince(company.oldest_due, depth=1) if waited >= 60 * LAG_MINUTES else "",
    }
