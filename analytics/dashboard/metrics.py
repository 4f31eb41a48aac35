"""How many calls, how many of them were qualified and booked, what was lost."""

from analytics.dashboard.calls import sum_calls
from analytics.dashboard.rates import rate
from calls.choices import CallStatus
from crm.date_ranges import DateRange


def call_metrics(period: DateRange) -> dict[str, object]:
    """The metrics of the tenant entered.

    `value` is money in the company's currency, as text with two decimals; a lost call without a price counts as 0.
    """
    counts = sum_calls(period)
    by_status = {status: counts[status] for status in CallStatus.values}
    return period.as_json() | {
        "total": counts["total"],
        "qualified": counts["qualified"],
        "booked": counts["booked"],
        "booking_rate": rate(counts["qualified_booked"], counts["qualified"]),
        "by_status": by_status,
        "lost": {
            "count": by_status[CallStatus.LOST],
            "value": f"{counts['lost_value']:.2f}",
        },
    }
