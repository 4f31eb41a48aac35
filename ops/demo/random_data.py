"""Seeded random data with exact shares, in which each value occurs."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import accumulate, chain, cycle, pairwise
from random import Random
from typing import TypeVar

from ops.demo.calendar import HOUR

T = TypeVar("T")

# Calls in a hundred by the company's local hour: quiet nights, and a dip at lunch.
CALLS_BY_HOUR = {7: 3, 8: 9, 9: 13, 10: 14, 11: 12, 12: 5, 13: 10, 14: 12, 15: 10, 16: 7, 17: 3, 18: 1, 20: 1}
CALL_HOURS = [hour * HOUR for hour, share in CALLS_BY_HOUR.items() for _ in range(share)]
CALLS_BY_WEEKDAY = (1.2, 1.1, 1.0, 1.0, 0.9, 0.3, 0.12)
GROWTH = 0.5  # of the calls per day, over the whole history


def weighted_cycle(random: Random, shares: Mapping[T, int]) -> Iterator[T]:
    """Yield each value once, then each as often as its share, in a shuffled order that repeats for ever."""
    first = random.sample(list(shares), len(shares))
    return chain(first, shuffled(random, [value for value, share in shares.items() for _ in range(share)]))


def shuffled(random: Random, values: Sequence[T]) -> Iterator[T]:
    """Yield the values in a shuffled order that repeats for ever."""
    return cycle(random.sample(values, len(values)))


def split(total: int, weights: Sequence[float], *, minimum: int = 0) -> list[int]:
    """Split `total` in proportion to the weights, into integers of at least `minimum`."""
    scale = (total - minimum * len(weights)) / sum(weights)
    ends = [round(end * scale) for end in accumulate(weights, initial=0)]
    return [minimum + end - start for start, end in pairwise(ends)]


def calls_by_day(random: Random, total: int, dates: Sequence[date], busy_months: Sequence[int]) -> list[int]:
    """Return the calls of each day: weekends are quiet, the trade has its season, the company grows."""
    weights = [
        CALLS_BY_WEEKDAY[day.weekday()]
        * (1.5 if day.month in busy_months else 1)
        * (1 + GROWTH * n / len(dates))
        * random.uniform(0.8, 1.2)
        for n, day in enumerate(dates)
    ]
    return split(total, weights)


def pick_caller(random: Random, known: int) -> int:
    """Pick one of `known` contacts: mostly one of the first, who call most, and one time in five a recent one."""
    chance = random.random()
    if chance < 0.2:
        return known - 1 - int(known * chance / 4)  # of the last twentieth
    chance = (chance - 0.2) / 0.8
    return int(known * chance * chance)
