"""Outcomes of a step, and conditions that it waits for."""

import time
from collections.abc import Callable

PATIENCE_S = 60


class Failed(Exception):
    """A step saw something else than it should."""


class Skipped(Exception):
    """A part isn't installed, or an earlier chapter made nothing to go on with. The text is the reason."""


def require(condition: bool, saw: str) -> None:
    """Raise Failed with the text unless the condition is true."""
    if not condition:
        raise Failed(saw)


def wait_until(condition: Callable[[], bool], expected: str, patience_s: float = PATIENCE_S) -> float:
    """Return the seconds until the condition is true. Raises Failed if that takes too long."""
    began = time.monotonic()
    while not condition():
        require(time.monotonic() - began < patience_s, f"not within {patience_s:.0f} s: {expected}")
        time.sleep(0.02)
    return time.monotonic() - began
