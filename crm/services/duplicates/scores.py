"""Scores of candidates: how likely two contacts are the same person."""

from collections.abc import Collection

from crm.search_keys import simplify
from crm.services.duplicates.pairs import EMAIL, NAME_ADDRESS, PHONE

POINTS = {PHONE: 60, EMAIL: 50, NAME_ADDRESS: 35}
NAME_POINTS = 40
LOWEST = 55  # a family at one address, each with another first name, has less


def score_of(reasons: Collection[str], first_name: str, second_name: str) -> int:
    """Return the score of two contacts with these names, 0 to 100."""
    points = sum(POINTS[reason] for reason in reasons) + NAME_POINTS * _likeness(first_name, second_name)
    return min(100, round(points))


def _likeness(first: str, second: str) -> float:
    """Return how alike two names are, 0 to 1. Of two names of which one is unknown nothing is known: half."""
    from rapidfuzz.distance import JaroWinkler  # few processes need it

    first, second = simplify(first), simplify(second)
    if not first or not second:
        return 0.5
    return float(JaroWinkler.similarity(first, second))
