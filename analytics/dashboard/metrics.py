"""Call metrics: totals, booking rate, counts by status and lost value."""

from collections.abc import Mapping
from typing import Any

from analytics.dashboard import percentage
from analytics.dashboard.calls import sum_calls
from calls.choices import CallStatus
from crm.date_ranges import DateRange


def call_metrics(period: DateRange) -> dict[str, object]:
    """Return the metrics of the active tenant.

    `value` is in the company's currency, as text with two decimals. A lost call without a price counts as 0.
    """
    return metrics_of(period, sum_calls(period))


def metrics_of(period: DateRange, counts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metrics of counts of MEASURES."""
    by_status = {status: counts[status] for status in CallStatus.values}
    return period.as_json() | {
        "total": counts["total"],
        "qualified": counts["qualified"],
        "booked": counts["booked"],
        "booking_rate": percentage(counts["qualified_booked"], counts["qualified"]),
        "by_status": by_status,
        "lost": {
            "count": by_status[CallStatus.LOST],
            "value": f"{counts['lost_value']:.2f}",
        },
    }
