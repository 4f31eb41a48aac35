"""Timing in turns: a machine that slows down slows all alternatives alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median, quantiles
from time import monotonic, perf_counter
from typing import Any, NamedTuple, TypeVar

from django.db import connection

Ask = Callable[[], object]
Clock = Callable[[Ask], float]
Name = TypeVar("Name")

SLOW_MS = 200  # the first answer counts if it takes longer: filling caches is little of it
MIN_ROUNDS = 3


class Spread(NamedTuple):
    """The median of some values, and the quartiles around it."""

    median: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Rounds:
    """One measured value per round."""

    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return median(self.values)

    def against(self, other: "Rounds") -> Spread:
        """Return the spread of this value divided by the other of the same round."""
        ratios = [one / another for one, another in zip(self.values, other.values, strict=True)]
        if len(ratios) < 2:
            return Spread(ratios[0], ratios[0], ratios[0])
        lower, middle, upper = quantiles(ratios, n=4, method="inclusive")
        return Spread(middle, lower, upper)

    def __add__(self, other: "Rounds") -> "Rounds":
        return Rounds([one + another for one, another in zip(self.values, other.values, strict=True)])


def wall_ms(ask: Ask) -> float:
    start = perf_counter()
    ask()
    return (perf_counter() - start) * 1000


def database_ms(ask: Ask) -> float:
    """Return the milliseconds of the slowest statement of `ask`, as the driver sees them.

    The others, such as those of signing in, cost the same with and without an index.
    """
    times: list[float] = []

    def clock(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        start = perf_counter()
        try:
            return execute(sql, parameters, many, context)
        finally:
            times.append((perf_counter() - start) * 1000)

    with connection.execute_wrapper(clock):
        ask()
    return max(times)


def time_in_turns(
    asks: Mapping[Name, Ask], *, rounds: int, budget_s: float = 30, clock: Clock = wall_ms
) -> dict[Name, Rounds]:
    """Time each of `asks` once a round, forwards and backwards in turn, in milliseconds.

    Once `budget_s` has passed, no more than MIN_ROUNDS are taken.
    """
    measured: dict[Name, Rounds] = {name: Rounds() for name in asks}
    end = monotonic() + budget_s
    for number in range(rounds):
        if number >= MIN_ROUNDS and monotonic() > end:
            break
        for name in reversed(list(asks)) if number % 2 else asks:
            measured[name].values.append(time_once(asks[name], clock=clock))
    return measured


def time_once(ask: Ask, *, clock: Clock = wall_ms, repeats: int = 3) -> float:
    """Return the median milliseconds of `repeats` answers after a warm-up."""
    first = clock(ask)
    return first if first > SLOW_MS else median(clock(ask) for _ in range(repeats))
