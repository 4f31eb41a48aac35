"""What callers object to most."""

from django.db.models import Count

from analytics.dashboard.rates import rate
from analytics.models import CallObjection
from crm.periods import Period


def rank_objections(period: Period, *, limit: int) -> dict[str, object]:
    """The `limit` commonest objections of the tenant entered, in analyses made within the period.

    A call counts by its latest analysis alone, and once per label however often that analysis names it.
    """
    start, end = period.closed_bounds
    objections = CallObjection.objects.filter(analyzed_at__gte=start, analyzed_at__lt=end).order_by()
    calls = objections.aggregate(calls=Count("call", distinct=True))["calls"]
    ranked = objections.values("label").annotate(count=Count("*")).order_by("-count", "label")[:limit]
    return period.as_json() | {
        "calls_with_objections": calls,
        "objections": [{**row, "percentage": rate(row["count"], calls)} for row in ranked],
    }
