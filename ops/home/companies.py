"""The companies and how each is doing, with one statement for all of them."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.timezone import now

from crm.models import Company, PhoneLine
from messaging.choices import EventStatus
from messaging.models import WebhookEvent, WebhookSecret

MAX_COMPANIES = 200
MAX_SHOWN = 30


def list_companies() -> list[Any]:
    """Return the first companies by name, each with its last webhook event, lines, secret and worker lag.

    `oldest_due` is the time from which the oldest pending webhook event waits for a worker; None if none waits.
    """
    return list(with_state(Company.objects.order_by("name", "pk"))[:MAX_COMPANIES])


def with_state(companies: QuerySet) -> QuerySet:
    events: Any = WebhookEvent.objects.filter(company=OuterRef("pk"))
    due = events.filter(status=EventStatus.PENDING, run_at__lte=now()).order_by("run_at")
    lines = PhoneLine.objects.filter(company=OuterRef("pk")).order_by().values("company").annotate(n=Count("pk"))
    return companies.annotate(
        last_event=Subquery(events.order_by("-created_at").values("created_at")[:1]),
        lines=Coalesce(Subquery(lines.values("n")), 0),
        has_secret=Exists(WebhookSecret.objects.filter(company=OuterRef("pk"))),
        oldest_due=Subquery(due.values("run_at")[:1]),
    )


def choose(companies: Sequence[Any], slug: str) -> Any:
    """Return the company of a slug; the first one without a slug, and None for an unknown one."""
    if not slug:
        return companies[0] if companies else None
    listed = (company for company in companies if company.slug == slug)
    return next(listed, None) or Company.objects.filter(slug=slug).first()
