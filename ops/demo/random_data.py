"""How chance is dealt: the same seed deals the same, shares come out exactly, and no kind of thing is left out."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import accumulate, chain, cycle
from random import Random
from typing import TypeVar

from ops.demo.calendar import HOUR

T = TypeVar("T")

# Calls in a hundred by the hour at which they come, on the company's own clock: quiet nights, and a dip at lunch.
CALLS_BY_HOUR = {7: 3, 8: 9, 9: 13, 10: 14, 11: 12, 12: 5, 13: 10, 14: 12, 15: 10, 16: 7, 17: 3, 18: 1, 20: 1}
CALL_HOURS = [hour * HOUR for hour, share in CALLS_BY_HOUR.items() for _ in range(share)]
CALLS_BY_WEEKDAY = (1.2, 1.1, 1.0, 1.0, 0.9, 0.3, 0.12)
GROWTH = 0.5  # as much more at the end of the history than at its beginning


def weighted_cycle(random: Random, shares: Mapping[T, int]) -> Iterator[T]:
    """Deals for ever: first each value once, then each as often as its share, in a shuffled order that comes again."""
    first = list(shares)
    random.shuffle(first)
    cards = [value for value, share in shares.items() for _ in range(share)]
    random.shuffle(cards)
    return chain(first, cycle(cards))


def shuffled(random: Random, values: Sequence[T]) -> Iterator[T]:
    """Deals the values for ever, in a shuffled order that comes again."""
    cards = list(values)
    random.shuffle(cards)
    return cycle(cards)


def split(total: int, weights: Sequence[float], *, least: int = 0) -> list[int]:
    """Whole shares in proportion to the weights, `least` to each; together exactly `total`."""
    rest = total - least * len(weights)
    scale = rest / sum(weights)
    ends = [round(end * scale) for end in accumulate(weights)]
    return [least + end - start for start, end in zip([0, *ends], ends, strict=False)]


def sizes_of_companies(total: int, companies: int, *, least: int) -> list[int]:
    """Companies of unequal size: the n-th has 1/n^0.7 of the first."""
    return split(total, [n**-0.7 for n in range(1, companies + 1)], least=least)


def calls_by_day(random: Random, total: int, dates: Sequence[date], busy_months: Sequence[int]) -> list[int]:
    """How many of `total` calls each day has: weekends are quiet, the trade has its season, the company grows."""
    weights = [
        CALLS_BY_WEEKDAY[day.weekday()]
        * (1.5 if day.month in busy_months else 1)
        * (1 + GROWTH * n / len(dates))
        * random.uniform(0.8, 1.2)
        for n, day in enumerate(dates)
    ]
    return split(total, weights)


def times_of_day(random: Random, count: int) -> list[int]:
    """Seconds after local midnight at which `count` calls come."""
    return [hour + int(random.random() * HOUR) for hour in random.choices(CALL_HOURS, k=count)]


def pick_caller(random: Random, known: int) -> int:
    """One of `known` contacts: mostly the first ones, who are the busy ones; one time in five a recent one."""
    luck = random.random()
    if luck < 0.2:
        return known - 1 - int(known * luck / 4)  # of the last twentieth
    luck = (luck - 0.2) / 0.8
    return int(known * luck * luck)
