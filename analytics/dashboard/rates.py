"""Percentages of the dashboard."""


def rate(part: int, whole: int) -> float | None:
    """Percentage with two decimals; None when there is nothing to divide by."""
    return round(100 * part / whole, 2) if whole else None
