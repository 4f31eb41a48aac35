"""Timing in turns: a machine that slows down slows all alternatives alike."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from statistics import median, quantiles
from time import monotonic, perf_counter
from typing import Any, NamedTuple, TypeVar

from django.db import connection

from benchmarks.report import number

Ask = Callable[[], object]
Clock = Callable[[Ask], float]
Name = TypeVar("Name")

SLOW_MS = 200  # the first answer counts if it takes longer: filling caches is little of it
MIN_ROUNDS = 3


class Spread(NamedTuple):
    """The median of some ratios, and the quartiles around it."""

    median: float
    lower: float
    upper: float

    @property
    def cells(self) -> list[str]:
        return [f"{number(self.median)} ×", f"{number(self.lower)}–{number(self.upper)}"]


class Rounds(list[float]):
    """One measured value per round."""

    @property
    def median(self) -> float:
        return median(self)

    @property
    def p95(self) -> float:
        return quantiles(self, n=20, method="inclusive")[-1] if len(self) > 1 else self[0]

    def against(self, *others: "Rounds") -> Spread:
        """Return the spread of this value divided by the sum of the others of the same round."""
        ratios = [own / sum(rest) for own, *rest in zip(self, *others, strict=True)]
        lower, middle, upper = quantiles(ratios if len(ratios) > 1 else ratios * 2, n=4, method="inclusive")
        return Spread(middle, lower, upper)


def wall_ms(ask: Ask) -> float:
    start = perf_counter()
    ask()
    return (perf_counter() - start) * 1000


def database_ms(ask: Ask) -> float:
    """Return the milliseconds of the slowest statement of `ask`, as the driver sees them.

    The others, such as those of signing in, cost the same with and without an index.
    """
    times: list[float] = []

    def clock(execute: Any, *statement: Any) -> Any:
        start = perf_counter()
        try:
            return execute(*statement)
        finally:
            times.append((perf_counter() - start) * 1000)

    with connection.execute_wrapper(clock):
        ask()
    return max(times)


def in_turns(alternatives: Iterable[Name], rounds: int) -> Iterator[list[Name]]:
    """Yield the alternatives of each round, forwards and backwards in turn."""
    for turn in range(rounds):
        yield list(alternatives)[:: -1 if turn % 2 else 1]


def time_in_turns(
    asks: Mapping[Name, Ask], *, rounds: int, budget_s: float = 30, clock: Clock = wall_ms
) -> dict[Name, Rounds]:
    """Time each of `asks` once a round, in milliseconds.

    Once `budget_s` has passed, no more than MIN_ROUNDS are taken.
    """
    measured = {name: Rounds() for name in asks}
    end = monotonic() + budget_s
    for turn, names in enumerate(in_turns(asks, rounds)):
        if turn >= MIN_ROUNDS and monotonic() > end:
            break
        for name in names:
            measured[name].append(time_once(asks[name], clock=clock))
    return measured


def time_once(ask: Ask, *, clock: Clock = wall_ms, repeats: int = 3) -> float:
    """Return the median milliseconds of `repeats` answers after a warm-up."""
    first = clock(ask)
    return first if first > SLOW_MS else median(clock(ask) for _ in range(repeats))
