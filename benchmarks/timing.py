"""Times of things that are compared: taken in turns in one run, so that a machine that slows down slows all of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median, quantiles
from time import monotonic, perf_counter
from typing import TypeVar

Ask = Callable[[], object]
Name = TypeVar("Name")

SLOW_MS = 200  # from here on the first answer counts: caches, once filled, make up little of it
MIN_ROUNDS = 3


@dataclass(frozen=True)
class Spread:
    """The median of a sample, and the quarters between which its middle half lies."""

    median: float
    lower: float
    upper: float


def spread_of(values: list[float]) -> Spread:
    if len(values) < 2:
        return Spread(values[0], values[0], values[0])
    lower, middle, upper = quantiles(values, n=4, method="inclusive")
    return Spread(middle, lower, upper)


@dataclass(frozen=True)
class Timing:
    """Milliseconds that something took, one figure a round."""

    rounds: list[float]

    @property
    def ms(self) -> float:
        return median(self.rounds)

    def times(self, other: "Timing") -> Spread:
        """How many times as long it took as the other, round by round."""
        return spread_of([mine / its for mine, its in zip(self.rounds, other.rounds, strict=True)])

    def __add__(self, other: "Timing") -> "Timing":
        return Timing([mine + its for mine, its in zip(self.rounds, other.rounds, strict=True)])


def time_in_turns(asks: Mapping[Name, Ask], *, rounds: int, budget_s: float = 30) -> dict[Name, Timing]:
    """Each of `asks` once a round, forwards and backwards in turn; fewer rounds when the time is up."""
    taken: dict[Name, list[float]] = {name: [] for name in asks}
    end = monotonic() + budget_s
    for number in range(rounds):
        if number >= MIN_ROUNDS and monotonic() > end:
            break
        for name in reversed(list(asks)) if number % 2 else asks:
            taken[name].append(time_once(asks[name]))
    return {name: Timing(times) for name, times in taken.items()}


def time_once(ask: Ask, *, requests: int = 3) -> float:
    """Milliseconds of an answer: the median of a few, after one that is not counted."""
    first = _clock(ask)
    return first if first > SLOW_MS else median(_clock(ask) for _ in range(requests))


def _clock(ask: Ask) -> float:
    start = perf_counter()
    ask()
    return (perf_counter() - start) * 1000
