"""How many calls, how many of them were qualified and booked, what was lost."""

from decimal import Decimal

from django.db.models import Count, Q, Sum

from analytics.dashboard.period import Period, rate
from calls.choices import CallStatus
from calls.models import Call


def measure_calls(period: Period) -> dict[str, object]:
    """The metrics of the tenant entered, by one pass over the calls of the period.

    `value` is money in the company's currency, as text with two decimals; a lost call without a price counts as 0.
    """
    counts = (
        Call.objects.created_between(*period.bounds)
        .order_by()
        .aggregate(
            total=Count("pk"),
            qualified=Count("pk", filter=Q(lead__isnull=False)),
            booked_calls=Count("pk", filter=Q(booked=True)),
            qualified_and_booked=Count("pk", filter=Q(lead__isnull=False, booked=True)),
            lost_value=Sum("quoted_price", filter=Q(status=CallStatus.LOST)),
            **{f"status_{status}": Count("pk", filter=Q(status=status)) for status in CallStatus.values},
        )
    )
    by_status = {status: counts[f"status_{status}"] for status in CallStatus.values}
    return period.as_json() | {
        "total": counts["total"],
        "qualified": counts["qualified"],
        "booked": counts["booked_calls"],
        "booking_rate": rate(counts["qualified_and_booked"], counts["qualified"]),
        "by_status": by_status,
        "lost": {
            "count": by_status[CallStatus.LOST],
            "value": f"{counts['lost_value'] or Decimal(0):.2f}",
        },
    }
