"""Numbers of the dashboard, each counted by the database in one statement."""


def percentage(part: int, whole: int) -> float | None:
    """Return a percentage with two decimals, or None where `whole` is 0."""
    return round(100 * part / whole, 2) if whole else None
